"""A log of random reports and judgements, what should follow from it, and what the resolver made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

import orjson
from sqlalchemy import select

from services.fusion import tables
from services.fusion.core.profile import Profile
from services.fusion.values import unpack_ids, unpack_keys
from shared.contracts.entities import Identifier, Person
from shared.contracts.facts import EventKind, Facts
from shared.contracts.handling import Audience, Handling, audience_of
from shared.contracts.judgement import Judgement
from shared.contracts.report import Evaluation, LegalBasis, Originator, Report, Retention
from shared.contracts.resolution import ComponentState, Resolution
from shared.contracts.topics import JUDGEMENTS, REPORTS
from shared.database import Database
from shared.database_outbox import unpack
from shared.log import NewRecord, Position, Record
from shared.partition import Judged, Pair, partition
from tests.fusion.tiny import Tiny, random_person, reference_pairs, resolve_all

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AGENCIES = ("TXZZZ0001", "AZZZZ0002")
OPEN = Handling(cui="UNCLASSIFIED", tlp="GREEN", share="GREEN")
CLOSED = Handling(cui="UNCLASSIFIED", tlp="RED", share="RED")


def report(
    number: int, version: int, persons: Sequence[Person], *, action: str = "INSERT", closed: bool = False
) -> Report:
    return Report(
        report_id=str(UUID(int=number + 1)),
        feed="SOD",
        schema_="SOD.TARGET/1",
        source_report_no=f"R-{number}",
        action=action,
        version=version,
        received_at=NOW,
        event_start=NOW,
        originator=Originator(agency_id=AGENCIES[number % 2], contact_name="A", phone="+19155550142"),
        case_no="C-1",
        legal_basis=LegalBasis(kind="CONSENT", reference="form"),
        evaluation=Evaluation(reliability="A", credibility="1"),
        handling=CLOSED if closed else OPEN,
        retention=Retention(cls="INTEL", review_by=date(2027, 1, 1), retain_until=date(2030, 1, 1)),
        persons=tuple(persons) if action != "RETRACT" else (),
        facts=Facts(kind=EventKind.TARGET),
    )


def someone(name: str, year: str = "", phone: str = "", sex: str = "U") -> Person:
    ids = (Identifier(type="PHONE", value=phone),) if phone else ()
    return Person(local_id="p", full_name=name, dob=year or None, sex=sex, ids=ids)


def judgement(number: int, a: str, b: str, *, same: bool) -> Judgement:
    return Judgement(
        judgement_id=str(UUID(int=10_000 + number)), a=a, b=b, verdict="SAME" if same else "DIFFERENT",
        reason="seen", author="a.nalyst", agency=AGENCIES[0], at=NOW,
    )  # fmt: skip


@dataclass
class World:
    """Partitions of records, and the evidence that they amount to."""

    resolver: Tiny = field(default_factory=Tiny)
    partitions: list[list[Record]] = field(default_factory=lambda: [[], [], []])
    live: dict[int, Report] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    judged: dict[int, Judgement] = field(default_factory=dict)

    def append(self, topic: str, number: int, key: str, value: bytes | None) -> Record:
        partition_ = number % len(self.partitions)
        records = self.partitions[partition_]
        record = Record(Position(topic, partition_, len(records)), key, value, {}, len(records))
        records.append(record)
        return record

    def put(self, number: int, persons: Sequence[Person], *, closed: bool = False) -> Record:
        version = self.versions.get(number, 0) + 1
        self.versions[number] = version
        made = report(number, version, persons, closed=closed)
        self.live[number] = made
        return self.append(REPORTS.name, number, made.report_id, made.to_json())

    def retract(self, number: int) -> Record:
        version = self.versions.get(number, 0) + 1
        self.versions[number] = version
        self.live.pop(number, None)
        made = report(number, version, (), action="RETRACT")
        return self.append(REPORTS.name, number, made.report_id, made.to_json())

    def expunge(self, number: int) -> Record:
        self.live.pop(number, None)
        return self.append(REPORTS.name, number, str(UUID(int=number + 1)), None)

    def judge(self, number: int, a: str, b: str, *, same: bool) -> Record:
        made = judgement(number, *sorted((a, b)), same=same)
        self.judged[number] = made
        return self.append(JUDGEMENTS.name, number, made.judgement_id, made.to_json())

    def undo(self, number: int) -> Record:
        self.judged.pop(number, None)
        return self.append(JUDGEMENTS.name, number, str(UUID(int=10_000 + number)), None)

    def mentions(self) -> list[Profile]:
        """The profile of every mention of every live report."""
        found = []
        for made in self.live.values():
            normalised = self.resolver.normalise(made, audience_of(made))
            found += [m.profile for m in normalised.mentions if m.profile is not None]
        return found

    def judgements(self) -> list[Judged]:
        return [Judged(j.a, j.b, j.verdict == "SAME") for j in self.judged.values()]

    def grow(self, random: Random, steps: int, reports: int = 14) -> None:
        """Append random records: mostly new reports, some updates, repeats, withdrawals and judgements."""
        for _ in range(steps):
            number, dice = random.randrange(reports), random.random()
            known = sorted(p.id for p in self.mentions())
            if dice < 0.12 and number in self.live:
                self.retract(number)
            elif dice < 0.16 and number in self.live:
                self.expunge(number)
            elif dice < 0.22 and len(known) > 1:
                a, b = random.sample(known, 2)
                if a != b:
                    self.judge(random.randrange(4), a, b, same=random.random() < 0.6)
            elif dice < 0.25 and self.judged:
                self.undo(random.choice(sorted(self.judged)))
            elif dice < 0.30 and number in self.live:
                repeated = self.live[number]
                self.append(REPORTS.name, number, repeated.report_id, repeated.to_json())
            else:
                people = [random_person(random, f"p{i}") for i in range(random.choice((1, 1, 2, 4)))]
                self.put(number, people, closed=random.random() < 0.3)


def check(db: Database, world: World) -> None:
    """The resolver's tables say exactly what follows from the evidence, and its invariants hold."""
    mentions = world.mentions()
    live = {p.id: p for p in mentions}
    expected = resolve_all(mentions, world.judgements(), world.resolver)
    with db.snapshot() as conn:
        rows = {name: conn.execute(select(t)).all() for name, t in tables.metadata.tables.items()}
    counts = {p.id: sum(1 for m in mentions if m.id == p.id) for p in mentions}
    assert {r.id: r.count for r in rows["profile"]} == counts
    stored = {
        UUID(r.id).int - 1: sorted(unpack_ids(r.profiles)) for r in rows["report"] if r.live
    }  # fmt: skip
    assert set(stored) == set(world.live)
    postings = {(k, p.audience, p.id) for p in live.values() for k in world.resolver.keys_of(p)}
    assert {(r.key, r.audience, r.profile) for r in rows["posting"]} == postings
    for r in rows["profile"]:
        assert unpack_keys(r._mapping["keys"]) == world.resolver.keys_of(live[r.id])
    spots = [(k, a) for k, a, _ in postings]
    generic = {s for s in spots if spots.count(s) > world.resolver.cap}
    assert {(r.key, r.audience) for r in rows["mark"]} == generic
    assert rows["journal"] == []
    _check_components({r.profile: r for r in rows["assign"]}, expected)


def _check_components(rows: Mapping[str, object], expected: dict[str, str]) -> None:
    entity = {}
    sizes: dict[str, int] = {}
    entities: dict[str, set[str]] = {}
    for profile, row in rows.items():
        leader = rows[row.leader]
        assert leader.leader == row.leader, "every member has a leader that leads itself"
        entity[profile] = row.entity or leader.entity
        sizes[row.leader] = sizes.get(row.leader, 0) + 1
        entities.setdefault(row.leader, set()).add(entity[profile])
    assert entity == expected
    for profile, row in rows.items():
        leads = row.leader == profile
        assert row.size == (sizes[profile] if leads else 0)
        assert row.split == (len(entities[profile]) > 1 if leads else False)
        assert (row.version > 0) == leads


@dataclass
class Reader:
    """What a reader of ``resolutions.v1`` knows; it keeps the newest of everything and expects no order."""

    reports: dict[str, Resolution] = field(default_factory=dict)
    entity: dict[str, tuple[int, str]] = field(default_factory=dict)
    whole: dict[str, int] = field(default_factory=dict)
    pairs: dict[tuple[str, str], tuple[int, Pair]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    possible: dict[tuple[str, str], tuple[int, Pair]] = field(default_factory=dict)
    void: dict[str, int] = field(default_factory=dict)

    def read(self, message: Resolution) -> None:
        if message.report_id is not None:
            before = self.reports.get(message.report_id)
            if before is None or before.version <= message.version:
                self.reports[message.report_id] = message
        for profile in message.profiles:
            self.seen[profile.profile_id] = max(self.seen.get(profile.profile_id, 0), message.version)
        for profile_id in message.gone:
            self.gone[profile_id] = max(self.gone.get(profile_id, 0), message.version)
        for component in message.components:
            self._component(component)
        for profile_id in (*message.gone, *message.possible_of):
            self.void[profile_id] = max(self.void.get(profile_id, 0), message.version)
        for p in message.possible:
            assert p.verdict == "POSSIBLE"
            pair = Pair(p.a, p.b, p.weight)
            self.possible[p.a, p.b] = max(
                (message.version, pair), self.possible.get((p.a, p.b), (0, pair)), key=lambda x: x[0]
            )

    def _component(self, state: ComponentState) -> None:
        for m in state.members:
            known = self.entity.get(m.profile_id, (0, ""))
            self.entity[m.profile_id] = max(known, (state.version, m.entity_id))
            if state.full:
                self.whole[m.profile_id] = max(self.whole.get(m.profile_id, 0), state.version)
        for p in state.pairs:
            assert p.verdict != "POSSIBLE"
            pair = Pair(p.a, p.b, p.weight, p.verdict == "CONTRADICTED")
            known_pair = self.pairs.get((p.a, p.b))
            if known_pair is None or known_pair[0] <= state.version:
                self.pairs[p.a, p.b] = (state.version, pair)

    def live_pairs(self) -> list[Pair]:
        """The pairs that no newer whole component left out."""
        return [
            pair
            for (a, b), (version, pair) in self.pairs.items()
            if version >= self.whole.get(a, 0) and version >= self.whole.get(b, 0)
        ]

    def possible_pairs(self) -> set[Pair]:
        """The possible pairs that nothing newer made void."""
        return {
            pair
            for (a, b), (version, pair) in self.possible.items()
            if version >= max(self.void.get(a, 0), self.void.get(b, 0))
        }


def published(db: Database) -> list[Resolution]:
    """What stands in the outbox, in order, every message validated."""
    with db.snapshot() as conn:
        rows = conn.execute(select(tables.outbox).order_by(tables.outbox.c.id)).all()
    return [message_of(r) for row in rows for r in unpack(row.payload)]


def message_of(record: NewRecord) -> Resolution:
    assert record.value is not None
    message = Resolution.from_json(record.value)
    assert message.key == record.key
    assert orjson.loads(record.value)["version"] == message.version
    return message


def check_published(messages: Sequence[Resolution], world: World, random: Random) -> None:
    """The messages alone, in any order, give everybody's picture: whole, and of each set of audiences."""
    reader = Reader()
    for message in random.sample(list(messages), len(messages)):
        reader.read(message)
    live = {p.id: p for p in world.mentions()}
    assert {m.report_id for m in reader.reports.values() if m.live} == {
        r.report_id for r in world.live.values()
    }
    for message in reader.reports.values():
        assert message.report == world.live.get(UUID(message.report_id).int - 1)
    held = {m.profile_id for r in reader.reports.values() for m in r.mentions}
    assert held == set(live)
    assert all(reader.gone.get(i, 0) < reader.seen[i] for i in held)
    expected = resolve_all(list(live.values()), world.judgements(), world.resolver)
    assert {i: reader.entity[i][1] for i in live} == expected
    pairs = reader.live_pairs()
    audiences = sorted({p.audience for p in live.values()})
    for chosen in range(1, 1 << len(audiences)):
        some = {a for n, a in enumerate(audiences) if chosen >> n & 1}
        visible = [p for p in live.values() if p.audience in some]
        widths = {p.id: Audience.parse(p.audience).width for p in visible}
        shown = partition(widths, pairs, world.judgements(), world.resolver.threshold).entity
        assert shown == resolve_all(visible, world.judgements(), world.resolver), some
    scored = {(p.a, p.b): p for p in reference_pairs(list(live.values()), world.resolver)}
    for pair in pairs:
        if pair.a in live and pair.b in live:
            assert scored[pair.a, pair.b] == pair
    possible = {
        p
        for p in scored.values()
        if not p.contradicted and world.resolver.review <= p.weight < world.resolver.threshold
    }
    assert reader.possible_pairs() == possible
