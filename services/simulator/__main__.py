"""``python -m services.simulator``: play the agencies against running services, as its container does.

INTERLOCK_URL says where they are; INTERLOCK_TOKEN is used where it is set, else the signing key's own tokens.
"""

import argparse
import os
import sys
from functools import cache
from pathlib import Path

from services.simulator.generate import FEEDS
from services.simulator.push import PushFailed, Target
from services.simulator.run import Plan, to_services
from shared.addresses import address_of
from shared.auth import mint, signing_key
from shared.errors import Misconfigured
from shared.settings import Settings


def main() -> int:
    """Send a simulation; 0 where every report is accepted, 1 where not, 2 where a setting is wrong."""
    parser = argparse.ArgumentParser(prog="python -m services.simulator", description=__doc__)
    parser.add_argument("--reports", type=int, default=2_000, help="how many (default 2000)")
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal reports")
    parser.add_argument("--truth", type=Path, help="write the truth about every mention into this folder")
    arguments = parser.parse_args()
    try:
        plan = Plan(arguments.reports, arguments.seed)
        pushed = to_services(plan, _target(Settings.from_env()), truth=arguments.truth)
    except Misconfigured as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except PushFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{pushed.accepted} accepted, {pushed.refused} refused\n")
    return 1 if pushed.refused else 0


def _target(settings: Settings) -> Target:
    pattern, given = os.environ.get("INTERLOCK_URL"), os.environ.get("INTERLOCK_TOKEN")

    @cache
    def token(agency: str) -> str:
        return given or mint(signing_key(settings), subject="simulator", agency=agency, roles=("submitter",))

    return Target({feed: address_of(settings, feed, pattern) for feed in FEEDS}, token)


if __name__ == "__main__":
    raise SystemExit(main())
