"""The command line starts at once: what takes long to import waits until a command needs it."""

import subprocess
import sys

SLOW = ("httpx", "pydantic", "jwt", "cryptography", "sqlalchemy", "fastapi", "kafka", "prometheus_client")
SCRIPT = f"""
import sys
from services import __main__ as start
sys.argv = ["interlock", "--help"]
try:
    start.main()
except SystemExit as end:
    assert not end.code, end.code
sys.exit(" ".join(name for name in {SLOW!r} if name in sys.modules) or 0)
"""


def test_help_imports_nothing_that_takes_long() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "simulate" in done.stdout
