"""``python -m services.fusion``: one fusion worker with settings from the environment.

``--rebuild`` forgets the picture, so that the workers make it anew from the log (after a change of model).
``--republish`` sends the whole picture again, for a leads service that has lost its own.
"""

import argparse
import sys

from services.fusion.fuse import Fuser
from services.fusion.rebuild import rebuild, republish
from services.fusion.recover import new_owner
from services.fusion.serve import open_fusion, serve
from services.fusion.worker import wait
from shared.errors import Misconfigured
from shared.settings import Settings


def main() -> int:
    """Serve, or do the task asked for; 0 where all went well, 2 where a setting is wrong."""
    parser = argparse.ArgumentParser(prog="python -m services.fusion", description=__doc__)
    task = parser.add_mutually_exclusive_group()
    task.add_argument("--rebuild", action="store_true", help="forget the picture and read the log again")
    task.add_argument("--republish", action="store_true", help="send the whole picture again")
    asked = parser.parse_args()
    try:
        settings = Settings.from_env()
        if asked.rebuild or asked.republish:
            run_task(settings, anew=asked.rebuild)
        else:
            serve(settings)
    except Misconfigured as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def run_task(settings: Settings, *, anew: bool) -> None:
    """Rebuild or republish."""
    log, db, resolver = open_fusion(settings)
    try:
        if anew:
            rebuild(db, log)
        else:
            fuser = Fuser(db, resolver, new_owner(), wait)
            sent = republish(fuser, log, lambda n: print(f"\r{n} messages", end="", file=sys.stderr))
            sys.stderr.write(f"\r{sent} messages sent\n")
    finally:
        db.close()
        log.close()


if __name__ == "__main__":
    raise SystemExit(main())
