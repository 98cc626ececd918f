"""The demo: everything in one command, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.system import System, free_port_base, wait_until


def demo(*options: str, port_base: int) -> list[str]:
    return [sys.executable, "-m", "services", "demo", "--port-base", str(port_base), *options]


def test_once_it_says_in_json_that_every_report_arrived(tmp_path: Path) -> None:
    command = demo("--once", "--json", "--reports", "80", port_base=free_port_base())
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["complete"] is True
    assert found["accepted"] > 80, "the simulator's reports and the BSA batches"
    assert found["accepted"] == found["fused"] + found["dead_lettered"]
    assert found["entities"] > 0
    assert found["leads"] > 0
    assert all(lead["contributions"] for lead in found["top"])
    assert list(tmp_path.iterdir()) == [], "the temporary data directory is gone"


def test_killing_it_leaves_no_orphan_and_stopping_it_none_either(tmp_path: Path) -> None:
    for number, how in enumerate((signal.SIGKILL, signal.SIGINT)):
        base = free_port_base()
        system = System(tmp_path / str(number), port_base=base)
        command = demo("--reports", "2000", "--data", str(system.home), port_base=base)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            system.supervisor = process
            wait_until(lambda s=system: len(s.children()) == 6, 60, "six children")
            children = list(system.children())
            process.send_signal(how)
            assert process.wait(60) != 0
        wait_until(lambda c=children: not any(Path(f"/proc/{p}").exists() for p in c), 20, "all gone")


def test_data_that_is_named_stays(tmp_path: Path) -> None:
    home = Path(tempfile.mkdtemp(dir=tmp_path))
    base = free_port_base()
    command = demo("--once", "--json", "--reports", "30", "--data", str(home), port_base=base)
    assert subprocess.run(command, capture_output=True, timeout=280, check=False).returncode == 0
    assert {"log.db", "fusion.db", "leads.db", "keys"} <= {p.name for p in home.iterdir()}
