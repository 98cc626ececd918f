"""T2: read who shares a live key with the work's profiles, evaluate keys that crossed the cap, score.

A worker leaves a key only by having scored all its pairs or having seen its mark.
"""

from collections import defaultdict
from collections.abc import Collection
from uuid import uuid4

from sqlalchemy import Connection

from services.fusion import component_store, journal_store, pair_store, store
from services.fusion.cache import Profiles
from services.fusion.pair_store import Holders
from services.fusion.values import Ends, Key, Reading, Spot, Work, ends
from shared.database import Database


class Pairing:
    """Finds and scores pairs; ``pause`` names each step, for tests that interleave workers."""

    def __init__(self, db: Database, cache: Profiles, owner: str) -> None:
        self.db = db
        self.owner = owner
        self.cache = cache

    def pause(self, step: str) -> None:
        """Called between steps; does nothing."""

    def read(self, work: Work) -> Reading:
        """The pairs of the work's profiles; sets and clears marks on the way until none is out of date."""
        while True:
            version = self.version_before()
            self.pause("t2.begin")
            with self.db.snapshot() as conn:
                found, marked = self.look(conn, work)
                self.pause("t2.looked")
                crossings = self.crossings(found, marked)
                if not crossings:
                    shared = candidates(found, marked, work.seeds, work.crossed)
                    held = store.load_profiles(conn, self.cache, {i for pair in shared for i in pair})
                    judged = component_store.judgements(conn, work.seeds)
            if not crossings:
                break
            for spot in crossings:
                self.cross(work, spot)
        self.pause("t2.read")
        return Reading(
            version=version,
            pairs=tuple(self.cache.score(shared, held, self.cache.review)),
            judged=frozenset((j.a, j.b) for j in judged if j.same),
            judged_profiles=frozenset(p for j in judged for p in (j.a, j.b)),
        )

    def look(self, conn: Connection, work: Work) -> tuple[Holders, set[Spot]]:
        """Who holds the work's keys, and where they are marked, in one snapshot."""
        keys = work.keys | work.crossed
        marked = pair_store.marks(conn, keys)
        return pair_store.holders(conn, sorted(keys), marked, self.cache.cap), marked

    def version_before(self) -> int:
        """The last version drawn before the snapshot is taken: what has a larger one may be unknown to it."""
        return store.last_version(self.db)

    def crossings(self, found: Holders, marked: set[Spot]) -> list[Spot]:
        """Where a key's mark and its number of holders disagree."""
        full = {
            (key, audience)
            for key, audiences in found.items()
            for audience, ids in audiences.items()
            if len(ids) > self.cache.cap
        }
        return sorted(full ^ marked)

    def cross(self, work: Work, spot: Spot) -> None:
        """Set or clear a mark by what the postings say, in a transaction of its own.

        It writes all holders to the journal. Looking again after the commit catches those who came
        meanwhile and left because they saw the old mark.
        """
        row = uuid4().hex
        self.pause("cross.begin")
        with self.db.transaction() as conn:
            self.lock_spot(conn, spot)
            generic = pair_store.count_holders(conn, spot, self.cache.cap + 1) > self.cache.cap
            self.pause("cross.counted")
            if generic == pair_store.is_marked(conn, spot):
                return
            pair_store.set_mark(conn, spot, marked=generic)
            holders = self.holders_of(conn, spot)
            journal_store.extend(conn, row, self.owner, holders, spot[0])
            self.pause("cross.marked")
        self.pause("cross.committed")
        work.ids.append(row)
        work.seeds.update(holders)
        work.whole.update(holders)
        for holder in holders:
            work.fresh.pop(holder, None)
        work.crossed.add(spot[0])

    def holders_of(self, conn: Connection, spot: Spot) -> list[str]:
        """Whose pairs a crossing changes."""
        return pair_store.spot_holders(conn, spot)

    def lock_spot(self, conn: Connection, spot: Spot) -> None:
        """Keep others from evaluating the same key at once."""
        pair_store.lock_spot(conn, spot)


def candidates(
    found: Holders, marked: set[Spot], seeds: Collection[str], crossed: Collection[Key] = ()
) -> dict[Ends, list[Key]]:
    """The pairs that share a key generic for neither side, with those keys: each has an end among the seeds.

    Of a key that was crossed all pairs are candidates.
    """
    shared: dict[Ends, list[Key]] = defaultdict(list)
    for key, audiences in found.items():
        ids = [i for audience, held in audiences.items() if (key, audience) not in marked for i in held]
        if len(ids) < 2:
            continue
        firsts = ids if key in crossed else [i for i in ids if i in seeds]
        done: set[str] = set()
        for a in firsts:
            done.add(a)
            for b in ids:
                if b not in done:
                    shared[ends(a, b)].append(key)
    return shared
