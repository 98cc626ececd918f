"""Entities: profiles that are one person, number or thing, worked out by ``shared.partition``. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import orjson

from services.leads.access import WITHHELD
from services.leads.view import EntityView
from shared.contracts.entities import Kind
from shared.partition import Judged, Pair, entity_order, partition

_KINDS: Final = {str(kind): kind for kind in Kind}


class Member(NamedTuple):
    """A profile and where it stands; times as in ``tables``, whose columns these are."""

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
    labels: bytes
    features: bytes
    content_version: int
    clues: str
    told_version: int

    def values(self) -> dict[str, tuple[str, ...]]:
        """The canonical values by feature."""
        return {k: tuple(v) for k, v in orjson.loads(self.features).items()}


class Features(Mapping[str, tuple[str, ...]]):
    """The united values of several profiles, read when they are first looked at: most never are."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._members = tuple(members)

    @cached_property
    def _values(self) -> dict[str, tuple[str, ...]]:
        united: dict[str, set[str]] = defaultdict(set)
        for m in self._members:
            for name, values in m.values().items():
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
    if len(counts) == 1:
        return next(iter(counts))
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
            counts.update(orjson.loads(m.labels))
        return most_written(counts)

    @cached_property
    def view(self) -> EntityView:
        """The entity as rules see it."""
        return EntityView(self.entity_id, self.kind, self.label, Features(self.named))

    @property
    def may_be_subject(self) -> bool:
        """Whether a lead may be about it: not by victims, witnesses or non-criminal information alone."""
        return any(m.subject_until_ms > self.now_ms for m in self.members)


POSSIBLE: Final = "POSSIBLE"
"""The verdict of pairs that join nothing, and belong to no component."""


def counts(verdict: str, version: int, *ends: Member) -> bool:
    """Whether a stored pair counts: nothing newer has been said of its ends that makes it void."""
    if verdict == POSSIBLE:
        return all(version >= m.told_version for m in ends)
    return all(version >= m.version for m in ends)


class PairRow(NamedTuple):
    """A stored pair that counts."""

    a: str
    b: str
    weight: int
    verdict: str


class JudgementRow(NamedTuple):
    """A judgement that counts."""

    judgement_id: str
    a: str
    b: str
    verdict: str
    agency: str
    audience_id: int


def entities(clusters: Iterable[list[Member]], now_ms: int) -> dict[str, Entity]:
    """Each profile's entity, of clusters of profiles."""
    result: dict[str, Entity] = {}
    for found in clusters:
        if len(found) > 1:
            found.sort(key=lambda m: entity_order(m.profile_id, m.width))
        entity = Entity(found[0].profile_id, _KINDS[found[0].kind], tuple(found), now_ms)
        result.update(dict.fromkeys((m.profile_id for m in found), entity))
    return result


def clusters(
    members: Iterable[Member], pairs: Iterable[PairRow], judgements: Iterable[JudgementRow]
) -> list[list[Member]]:
    """The members of one group by entity, by ``shared.partition``."""
    by_id = {m.profile_id: m for m in members}
    home = partition(
        {p: m.width for p, m in by_id.items()},
        [Pair(p.a, p.b, p.weight, p.verdict == "CONTRADICTED") for p in pairs if p.verdict != "POSSIBLE"],
        [Judged(j.a, j.b, j.verdict == "SAME") for j in judgements if j.verdict != "UNSURE"],
        threshold=-(1 << 40),
    ).entity
    gathered: dict[str, list[Member]] = defaultdict(list)
    for p, leader in home.items():
        gathered[leader].append(by_id[p])
    return list(gathered.values())
