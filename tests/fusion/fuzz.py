"""Run many schedules: `python -m tests.fusion.fuzz [--schedules N] [--seed S] [--url URL]`.

Without ``--url`` the schedules alternate between SQLite in a temporary directory and, where
INTERLOCK_TEST_POSTGRES names a server, PostgreSQL. A seed that fails is printed; ``--seed`` replays it.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from shared.database import Database, migrate
from tests.databases import fresh_postgres
from tests.fusion.conftest import MIGRATIONS
from tests.fusion.schedules import open_for_schedules, run_schedule


def main() -> int:
    """Run; 1 where a schedule failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fusion.fuzz", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule; the others follow")
    parser.add_argument("--url", help="database to use, emptied for each schedule")
    asked = parser.parse_args()
    started, kills = time.monotonic(), 0
    with ExitStack() as stack:
        databases = _databases(stack, asked.url)
        for n in range(asked.schedules):
            db = databases[n % len(databases)]
            try:
                kills += run_schedule(db, asked.seed + n)
            except AssertionError as error:
                notes = "; ".join(getattr(error, "__notes__", []))
                print(f"\nFAILED: {notes}: {error!r}")
                return 1
            if n % 10 == 9 or n + 1 == asked.schedules:
                took = time.monotonic() - started
                print(f"\r{n + 1} schedules, {kills} kills, {took:.0f} s", end="", flush=True)
    names = " and ".join(db.engine.dialect.name for db in databases)
    print(f"\n{asked.schedules} schedules from seed {asked.seed} on {names}: no divergence")
    return 0


def _databases(stack: ExitStack, url: str | None) -> list[Database]:
    home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    server = os.environ.get("INTERLOCK_TEST_POSTGRES")
    urls = [url] if url else [f"sqlite:///{home / 'fuzz.db'}"]
    if server and not url:
        urls.append(stack.enter_context(fresh_postgres(server, "fuzz")))
    found = []
    for each in urls:
        db = open_for_schedules(each)
        stack.callback(db.close)
        migrate(db, MIGRATIONS)
        found.append(db)
    return found


if __name__ == "__main__":
    sys.exit(main())
