"""``python -m services.leads``: the leads service with settings from the environment.

``--rebuild`` empties the read model instead; fusion then sends everything again.
"""

import argparse
import sys

from services.leads.rebuild import rebuild
from services.leads.serve import serve
from shared.errors import Misconfigured
from shared.settings import Settings


def main() -> int:
    """Serve, or empty the read model; 0 where all went well, 2 where a setting is wrong."""
    parser = argparse.ArgumentParser(prog="python -m services.leads", description=__doc__)
    parser.add_argument("--rebuild", action="store_true", help="empty the read model")
    asked = parser.parse_args()
    try:
        settings = Settings.from_env()
        if asked.rebuild:
            rebuild(settings)
        else:
            serve(settings)
    except Misconfigured as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
