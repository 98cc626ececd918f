"""A fusion worker's work: one batch of records, from the log to the picture.

The order: T1 stores what the batch says, with its messages and a journal row, and commits; T2 reads what
shares a key with it; T3 settles the components. Publish, then read: of two workers that hold matching
profiles at once, whoever reads later sees the other's committed keys.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Connection

from services.fusion import journal_store, store, tables
from services.fusion.cache import Profiles
from services.fusion.core.profile import Profile
from services.fusion.intake import Arrival, Decision, Standing, arrive, decide, fold
from services.fusion.pairing import Pairing
from services.fusion.publish import Stamp, report_message, settled_messages
from services.fusion.resolver import Resolver
from services.fusion.settling import Settling
from services.fusion.values import Held, Settled, Work
from shared.contracts.topics import JUDGEMENTS, REPORTS, RESOLUTIONS
from shared.database import Database, publish, relay, strike
from shared.errors import Poison
from shared.log import Log, NewRecord, Record

STEPS: Final = ("parse", "store", "read", "settle")
"""What ``Fuser.spent`` counts the seconds of."""
Refused = tuple[Record, Poison]


@dataclass(slots=True)
class Batch:
    """A batch, parsed: arrivals by report, decisions, and what was refused."""

    arrivals: dict[str, list[Arrival]] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)


class Fuser(Pairing, Settling):
    """One worker: handles batches one after the other; not for use from several threads.

    ``wait(attempt)`` is called when another worker is in the way.
    """

    def __init__(self, db: Database, resolver: Resolver, owner: str, wait: Callable[[int], None]) -> None:
        cache = Profiles(resolver)
        Pairing.__init__(self, db, cache, owner)
        Settling.__init__(self, db, cache)
        self.resolver = resolver
        self.stamp = Stamp(resolver.version, resolver.threshold)
        self._wait = wait
        self.unsure = True
        self.sent: set[int] = set()
        self.spent: dict[str, float] = dict.fromkeys(STEPS, 0.0)

    def back_off(self, attempt: int) -> None:
        """Wait before a new attempt."""
        self._wait(attempt)

    def handle(self, records: Sequence[Record]) -> list[Refused]:
        """Fuse a batch durably; the records that can never be fused, with the reason."""
        self.catch_up()
        with self.timed("parse"):
            batch = self.parse(records)
        self.unsure = True
        with self.timed("store"):
            work = self.take_in(batch)
        if work is not None:
            self.finish(work)
        self.unsure = False
        return batch.refused

    def finish(self, work: Work) -> None:
        """T2 and T3."""
        with self.timed("read"):
            reading = self.read(work)
        with self.timed("settle"):
            self.settle(work, reading)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add to the seconds spent in a step."""
        started = perf_counter()
        try:
            yield
        finally:
            self.spent[step] += perf_counter() - started

    def catch_up(self) -> None:
        """Finish what this worker began, or adopted, before something went wrong."""
        if self.unsure:
            with self.db.snapshot() as conn:
                begun = journal_store.unfinished(conn, [self.owner])
            for work in begun:
                self.finish(work)
            self.unsure = False

    def relay(self, log: Log) -> int:
        """Send what this worker has published; the number of messages. What was sent the next T1 strikes."""
        return relay(self.db, log, tables.outbox, owner=self.owner, sent=self.sent)

    def leave(self) -> None:
        """Strike what was sent: the last thing that a worker does."""
        with self.db.transaction() as conn:
            strike(conn, tables.outbox, self.sent)
        self.sent.clear()

    def parse(self, records: Sequence[Record]) -> Batch:
        """Parse and normalise a batch."""
        batch = Batch()
        by_report: dict[str, list[Arrival]] = defaultdict(list)
        for record in records:
            batch.headers = batch.headers or record.headers
            try:
                if record.position.topic == JUDGEMENTS.name:
                    batch.decisions.append(decide(record))
                else:
                    assert record.position.topic == REPORTS.name
                    arrival = arrive(record, self.resolver)
                    by_report[arrival.report_id].append(arrival)
            except Poison as poison:
                batch.refused.append((record, poison))
        batch.arrivals = by_report
        return batch

    def prepare(self, batch: Batch) -> set[str]:
        """Which of the batch's profiles are stored, as far as can be known before T1; the others made ready.

        That is work which a writer need not do while it holds locks, on SQLite the only one there is.
        """
        found = (m.profile for all_ in batch.arrivals.values() for a in all_ for m in a.normalised.mentions)
        profiles = {p.id: p for p in found if p is not None}
        if not profiles:
            return set()
        with self.db.snapshot() as conn:
            known = store.known_profiles(conn, profiles)
        self.cache.hold(p for i, p in profiles.items() if i not in known)
        return known

    def take_in(self, batch: Batch) -> Work | None:
        """T1; the work that it leaves to do, None where no component can change."""
        known = self.prepare(batch)
        self.pause("t1.begin")
        with self.db.transaction() as conn:
            accepted, changes = self.stand(conn, batch)
            profiles = {p.id: p for a in accepted for m in a.normalised.mentions if (p := m.profile)}
            self.pause("t1.standing")
            born, died = self.count(conn, changes, profiles, known)
            self.pause("t1.counted")
            judged = store.put_judgements(conn, batch.decisions) if batch.decisions else set()
            version = store.next_version(conn)
            fresh = store.add_singles(conn, born, version) if born else set()
            work = self.plan(batch, (born, died, judged), dict.fromkeys(fresh, version))
            self.pause("t1.posted")
            publish(
                conn,
                tables.outbox,
                RESOLUTIONS.name,
                self.messages(accepted, fresh, version),
                owner=self.owner,
            )
            if work is not None:
                self.begin(conn, work)
            strike(conn, tables.outbox, self.sent)
            self.pause("t1.journaled")
        self.sent.clear()
        self.pause("t1.committed")
        return work

    def begin(self, conn: Connection, work: Work) -> None:
        """Write the journal row: the last step of T1."""
        journal_store.begin(conn, work, self.owner)

    def stand(self, conn: Connection, batch: Batch) -> tuple[list[Arrival], dict[str, int]]:
        """Store the batch's reports; the arrivals that now stand, and by how much profiles' counts change."""
        accepted: list[Arrival] = []
        changes: dict[str, int] = defaultdict(int)
        new: dict[str, Standing] = {}
        for report_id, arrivals in batch.arrivals.items():
            standing, _, _ = fold(None, arrivals)
            if standing is not None:
                new[report_id] = standing
        inserted = store.insert_reports(conn, new) if new else set()
        known = batch.arrivals.keys() - inserted
        before = store.lock_reports(conn, known) if known else {}
        replaced: dict[str, Standing] = {}
        for report_id, arrivals in batch.arrivals.items():
            old = before.get(report_id)
            standing, winner, refused = fold(old, arrivals)
            batch.refused += refused
            if standing is None or winner is None:
                continue
            accepted.append(winner)
            for profile_id in standing.profiles:
                changes[profile_id] += 1
            if old is not None:
                replaced[report_id] = standing
                for profile_id in old.profiles:
                    changes[profile_id] -= 1
        store.update_reports(conn, replaced)
        return accepted, {i: n for i, n in changes.items() if n}

    def count(
        self,
        conn: Connection,
        changes: Mapping[str, int],
        profiles: Mapping[str, Profile],
        known: Collection[str],
    ) -> tuple[dict[str, Held], dict[str, Held]]:
        """Count mentions, and keep the postings to the live profiles; those that became live, and dead."""
        if not changes:
            return {}, {}
        counts = store.count_profiles(conn, self.cache, changes, profiles, known)
        born = self.cache.hold(profiles[i] for i, (before, after) in counts.items() if before <= 0 < after)
        gone = [i for i, (before, after) in counts.items() if after <= 0 < before]
        died = store.load_profiles(conn, self.cache, gone)
        store.add_postings(conn, born.values())
        store.drop_postings(conn, died.values())
        return born, died

    def plan(
        self,
        batch: Batch,
        touched: tuple[Mapping[str, Held], Mapping[str, Held], set[str]],
        fresh: dict[str, int],
    ) -> Work | None:
        """The work that follows from profiles born, dead and judged."""
        born, died, judged = touched
        if not (born or died or judged):
            return None
        work_id = uuid4().hex
        return Work(
            ids=[work_id],
            key=str(UUID(next(iter(batch.arrivals), work_id))),
            seeds={*born, *died, *judged},
            keys={key for profiles in (born, died) for h in profiles.values() for key in h.keys},
            whole=born.keys() - fresh.keys(),
            fresh={i: v for i, v in fresh.items() if i not in judged},
            died=set(died),
            headers=dict(batch.headers),
        )

    def messages(self, accepted: Sequence[Arrival], fresh: set[str], version: int) -> list[NewRecord]:
        """One message for each report that now stands; a fresh profile's component goes with its first."""
        found = []
        left = set(fresh)
        for arrival in accepted:
            singles = left.intersection(arrival.profiles) if left else ()
            left.difference_update(singles)
            stamp = self.stamp.of(str(UUID(arrival.report_id)), version)
            found.append(report_message(arrival, arrival.version or 0, sorted(singles), stamp))
        return found

    def announce(self, conn: Connection, work: Work, settled: Settled) -> None:
        """Publish what T3 changed."""
        body = self.stamp.of(work.key, settled.version)
        messages = list(settled_messages(body, work.headers, settled))
        publish(conn, tables.outbox, RESOLUTIONS.name, messages, owner=self.owner)
