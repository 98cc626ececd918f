"""Entities as one sight sees them: profiles, pairs and judgements read in bulk, then ``shared.partition``.

Nothing is answered from what a viewer may not see: hidden profiles, pairs of hidden profiles and
judgements about them never reach ``partition``.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import orjson
from sqlalchemy import Connection

from services.leads.access import WITHHELD, Sight
from services.leads.tables import judgement, member, pair
from services.leads.view import EntityView
from shared.contracts.entities import Kind
from shared.database import fetch
from shared.partition import Judged, Pair, entity_order, partition

_MEMBER: Final = tuple(c.name for c in member.columns)


@dataclass(frozen=True, slots=True)
class Member:
    """A profile and where it stands; times as in ``tables``."""

    profile_id: str
    component_id: str
    split: bool
    version: int
    until_ms: int
    search_until_ms: int
    subject_until_ms: int
    mask_until_ms: int
    judged: bool
    kind: str
    audience_id: int
    width: int
    label: str
    raw_labels: bytes
    raw_features: bytes
    content_version: int

    def features(self) -> dict[str, tuple[str, ...]]:
        """The canonical values by feature."""
        return {k: tuple(v) for k, v in orjson.loads(self.raw_features).items()}


class Features(Mapping[str, tuple[str, ...]]):
    """The united values of several profiles, read when they are first looked at: most never are."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._members = tuple(members)

    @cached_property
    def _values(self) -> dict[str, tuple[str, ...]]:
        united: dict[str, set[str]] = defaultdict(set)
        for m in self._members:
            for name, values in m.features().items():
                united[name].update(values)
        return {name: tuple(sorted(united[name])) for name in sorted(united)}

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def most_written(counts: Mapping[str, int]) -> str:
    """Of labels with their numbers the one that most mentions have, of equals the longest, then the last."""
    return max(counts, key=lambda label: (counts[label], len(label), label), default="")


@dataclass(frozen=True)
class Entity:
    """A cluster of visible profiles, sorted by (width, id): the first gives the entity its id."""

    entity_id: str
    kind: Kind
    members: tuple[Member, ...]
    now_ms: int = field(repr=False)

    @property
    def profile_ids(self) -> list[str]:
        """The ids of its profiles, the entity's id first."""
        return [m.profile_id for m in self.members]

    @cached_property
    def named(self) -> tuple[Member, ...]:
        """The profiles whose values may be shown: those of juveniles are masked."""
        return tuple(m for m in self.members if m.mask_until_ms <= self.now_ms)

    @cached_property
    def label(self) -> str:
        """How to show it in one line: as most of its mentions write it."""
        if len(self.named) < 2:
            return self.named[0].label if self.named else WITHHELD
        counts: Counter[str] = Counter()
        for m in self.named:
            counts.update(orjson.loads(m.raw_labels))
        return most_written(counts)

    @cached_property
    def view(self) -> EntityView:
        """The entity as rules see it."""
        return EntityView(self.entity_id, self.kind, self.label, Features(self.named))

    @property
    def may_be_subject(self) -> bool:
        """Whether a lead may be about it: not by victims, witnesses or non-criminal information alone."""
        return any(m.subject_until_ms > self.now_ms for m in self.members)


@dataclass(frozen=True, slots=True)
class PairRow:
    """A stored pair that counts."""

    a: str
    b: str
    weight: int
    verdict: str


@dataclass(frozen=True, slots=True)
class JudgementRow:
    """A judgement that counts."""

    judgement_id: str
    a: str
    b: str
    verdict: str
    agency: str
    audience_id: int


@dataclass(frozen=True, slots=True)
class Picture:
    """The entities of the components that were asked for; ``groups`` maps every profile to its group.

    A group is a component with those that judgements join to it. ``audiences`` are all that take part in a
    group, seen or not.
    """

    entity_of: dict[str, Entity]
    groups: dict[str, int]
    members: dict[int, tuple[Member, ...]]
    audiences: dict[int, frozenset[int]]

    def entities(self) -> list[Entity]:
        """Every entity once, by id."""
        return [e for p, e in sorted(self.entity_of.items()) if p == e.entity_id]


def picture(conn: Connection, profile_ids: Iterable[str], sight: Sight | None, now_ms: int) -> Picture:
    """The entities that hold these profiles, and their components' others; ``sight`` None sees everything."""
    found = {c for _, c in fetch(conn, member, ("profile_id", "component_id"), "profile_id", profile_ids)}
    return of_components(conn, found, sight, now_ms)


def of_components(
    conn: Connection, component_ids: Iterable[str], sight: Sight | None, now_ms: int
) -> Picture:
    """The entities of whole components."""
    everyone, judged, partial = _closure(conn, set(component_ids), now_ms)
    group_of = _groups(everyone, judged)
    grouped: dict[int, list[Member]] = defaultdict(list)
    for m in everyone.values():
        grouped[group_of[m.component_id]].append(m)
    said: dict[int, list[JudgementRow]] = defaultdict(list)
    for j in judged:
        said[group_of[everyone[j.a].component_id]].append(j)
    parts = {g: [m for m in ms if sight is None or m.audience_id in sight] for g, ms in grouped.items()}
    unclear = {g for g, ms in parts.items() if len(ms) > 1 and not _plain(ms, grouped[g], partial)}
    pairs = _pairs(conn, {m.profile_id: m for g in unclear for m in parts[g]}, group_of)
    entity_of: dict[str, Entity] = {}
    for g, ms in parts.items():
        applicable = [j for j in said[g] if sight is None or j.audience_id in sight]
        entity_of.update(_entities(ms, pairs[g], applicable, together=g not in unclear, now_ms=now_ms))
    return Picture(
        entity_of,
        {m.profile_id: group_of[m.component_id] for m in everyone.values()},
        {g: tuple(ms) for g, ms in grouped.items()},
        {
            g: frozenset([m.audience_id for m in ms] + [j.audience_id for j in said[g]])
            for g, ms in grouped.items()
        },
    )


def _plain(seen: list[Member], everyone: list[Member], partial: set[str]) -> bool:
    """Whether the members are one entity without a look at their pairs: all seen, never split or judged."""
    whole = len(seen) == len(everyone) and not any(m.component_id in partial for m in seen)
    return whole and not any(m.split or m.judged for m in seen)


def _entities(
    members: list[Member],
    pairs: list[PairRow],
    judgements: list[JudgementRow],
    *,
    together: bool,
    now_ms: int,
) -> dict[str, Entity]:
    """Each profile's entity within one group."""
    if together:
        clusters = [members] if members else []
    else:
        by_id = {m.profile_id: m for m in members}
        home = cluster(members, pairs, judgements)
        gathered: dict[str, list[Member]] = defaultdict(list)
        for p, leader in home.items():
            gathered[leader].append(by_id[p])
        clusters = list(gathered.values())
    result: dict[str, Entity] = {}
    for found in clusters:
        found.sort(key=lambda m: entity_order(m.profile_id, m.width))
        entity = Entity(found[0].profile_id, Kind(found[0].kind), tuple(found), now_ms)
        result.update(dict.fromkeys((m.profile_id for m in found), entity))
    return result


def cluster(
    members: Iterable[Member], pairs: Iterable[PairRow], judgements: Iterable[JudgementRow]
) -> dict[str, str]:
    """Each profile's entity id, by ``shared.partition``."""
    return partition(
        {m.profile_id: m.width for m in members},
        [Pair(p.a, p.b, p.weight, p.verdict == "CONTRADICTED") for p in pairs if p.verdict != "POSSIBLE"],
        [Judged(j.a, j.b, j.verdict == "SAME") for j in judgements if j.verdict != "UNSURE"],
        threshold=-(1 << 40),
    ).entity


def _closure(
    conn: Connection, components: set[str], now_ms: int
) -> tuple[dict[str, Member], list[JudgementRow], set[str]]:
    """The members of components and of those that judgements join to them, the judgements among them, and
    the components of which some member may be seen by nobody now.
    """
    everyone: dict[str, Member] = {}
    partial: set[str] = set()
    said: dict[str, JudgementRow] = {}
    wanted = components
    while wanted:
        fresh, lacking = _members(conn, wanted, now_ms)
        everyone.update(fresh)
        partial |= lacking
        judged = [p for p, m in fresh.items() if m.judged]
        rows = {j.judgement_id: j for j in judgements_about(conn, judged)} if judged else {}
        said.update(rows)
        others = {p for j in rows.values() if j.verdict == "SAME" for p in (j.a, j.b)} - everyone.keys()
        elsewhere = fetch(conn, member, ("profile_id", "component_id"), "profile_id", others)
        wanted = {c for _, c in elsewhere} - components
        components = components | wanted
    return everyone, [j for j in said.values() if j.a in everyone and j.b in everyone], partial


def _members(conn: Connection, components: set[str], now_ms: int) -> tuple[dict[str, Member], set[str]]:
    """The members of components that some live report holds, and the components that have others too."""
    found, partial = {}, set()
    for row in fetch(conn, member, _MEMBER, "component_id", sorted(components)):
        m = Member(*row)
        if m.kind and m.until_ms > now_ms:
            found[m.profile_id] = m
        elif m.kind or m.content_version < 0:  # else it is gone, and the component worked out without it
            partial.add(m.component_id)
    return found, partial


@dataclass(frozen=True, slots=True)
class Workings:
    """What one sight's entities of a group follow from."""

    entity_of: dict[str, Entity]
    pairs: list[PairRow]
    judgements: list[JudgementRow]


def workings(conn: Connection, profile_ids: Iterable[str], sight: Sight, now_ms: int) -> Workings:
    """The entities of these profiles' groups, with the pairs and judgements that made them so."""
    known = picture(conn, profile_ids, sight, now_ms)
    seen = {m.profile_id: m for e in known.entities() for m in e.members}
    said = judgements_about(conn, [p for p, m in seen.items() if m.judged])
    applicable = [j for j in said if j.a in seen and j.b in seen and j.audience_id in sight]
    return Workings(known.entity_of, pairs_among(conn, seen), applicable)


def members_ever(conn: Connection, component_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Profile and component of every member, whether a live report holds it or not."""
    rows = fetch(conn, member, ("profile_id", "component_id"), "component_id", component_ids)
    return [(p, c) for p, c in rows]


def judgements_about(conn: Connection, profile_ids: Iterable[str]) -> list[JudgementRow]:
    """The judgements in force that name one of these profiles."""
    columns = ("judgement_id", "a", "b", "verdict", "agency", "audience_id", "body")
    ids = list(profile_ids)
    rows = {r[0]: r for side in ("a", "b") for r in fetch(conn, judgement, columns, side, ids)}
    return [JudgementRow(*r[:6]) for _, r in sorted(rows.items()) if r[6] is not None]


def _groups(members: Mapping[str, Member], judged: Iterable[JudgementRow]) -> dict[str, int]:
    """A number for each component, shared by those that a judgement SAME joins."""
    number = {c: i for i, c in enumerate(sorted({m.component_id for m in members.values()}))}
    for j in judged:
        one, other = number[members[j.a].component_id], number[members[j.b].component_id]
        if one != other:
            number = {c: min(one, other) if g in (one, other) else g for c, g in number.items()}
    return number


def _pairs(
    conn: Connection, members: Mapping[str, Member], group_of: Mapping[str, int]
) -> dict[int, list[PairRow]]:
    """The pairs among these members by group."""
    grouped: dict[int, list[PairRow]] = defaultdict(list)
    for p in pairs_among(conn, members):
        grouped[group_of[members[p.a].component_id]].append(p)
    return grouped


def pairs_among(conn: Connection, members: Mapping[str, Member]) -> list[PairRow]:
    """The pairs whose two profiles are among ``members`` and that neither's newer state has voided."""
    columns = ("a", "b", "weight", "verdict", "version")
    return [
        PairRow(a, b, weight, verdict)
        for a, b, weight, verdict, version in fetch(conn, pair, columns, "a", members)
        if b in members and version >= max(members[a].version, members[b].version)
    ]
