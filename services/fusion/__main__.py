"""``python -m services.fusion``: one fusion worker, with settings from the environment."""

import sys

from services.fusion.serve import serve
from shared.errors import Misconfigured
from shared.settings import Settings


def main() -> int:
    """Serve; 0 after a graceful stop, 2 where a setting is wrong."""
    try:
        serve(Settings.from_env())
    except Misconfigured as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
