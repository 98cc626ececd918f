"""``python -m services.ingest --feed SOD``: one feed's ingest, with settings from the environment."""

import argparse
import sys

from services.ingest.feeds import FEEDS
from services.ingest.serve import serve
from shared.errors import Misconfigured
from shared.settings import Settings


def main() -> int:
    """Serve; 0 after a graceful stop, 2 where a setting is wrong."""
    parser = argparse.ArgumentParser(prog="python -m services.ingest", description=__doc__)
    parser.add_argument("--feed", required=True, choices=sorted(FEEDS), help="the feed to take reports of")
    arguments = parser.parse_args()
    try:
        serve(Settings.from_env(), arguments.feed)
    except Misconfigured as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
