"""Entities as one sight sees them: profiles, pairs and judgements read in bulk, then ``entity``.

Nothing is answered from what a viewer may not see: hidden profiles, pairs of hidden profiles and
judgements about them never reach ``partition``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from sqlalchemy import Connection

from services.leads.access import Sight
from services.leads.entity import Entity, JudgementRow, Member, PairRow, clusters, counts, entities
from services.leads.tables import judgement, member, pair
from shared.database import fetch


@dataclass(slots=True)
class Group:
    """A component with those that judgements join to it: its live profiles, and the judgements among them.

    ``clear``: one entity for whoever sees all of it, without a look at its pairs. ``audiences`` are all that
    take part, seen or not.
    """

    members: list[Member]
    judgements: list[JudgementRow]
    clear: bool
    audiences: frozenset[int]
    pairs: list[PairRow] | None = None
    seen: dict[Sight | None, dict[str, Entity]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """The entities of the components that were asked for, by profile."""

    entity_of: dict[str, Entity]

    def entities(self) -> list[Entity]:
        """Every entity once, by id."""
        return [e for p, e in sorted(self.entity_of.items()) if p == e.entity_id]


def picture(conn: Connection, profile_ids: Iterable[str], sight: Sight | None, now_ms: int) -> Picture:
    """The entities that hold these profiles, and their components' others; ``sight`` None sees everything."""
    ground = Ground(conn, now_ms)
    return ground.picture(ground.around(profile_ids), sight)


class Ground:
    """What one transaction has read of the picture: each component once, whoever looks at it how often.

    Groups go by the smallest id of their components.
    """

    def __init__(self, conn: Connection, now_ms: int) -> None:
        self.groups: dict[str, Group] = {}
        self._conn = conn
        self._now_ms = now_ms
        self._group_of: dict[str, str | None] = {}
        self._component_of: dict[str, str] = {}

    def load(self, component_ids: Iterable[str]) -> set[str]:
        """Read what is not known yet of these components; their groups, of those that have live members."""
        asked = set(component_ids)
        fresh = asked - self._group_of.keys()
        if fresh:
            self._load(fresh)
        return {g for c in asked if (g := self._group_of[c]) is not None}

    def around(self, profile_ids: Iterable[str]) -> set[str]:
        """Read what is not known yet of these profiles' components; their groups."""
        asked = set(profile_ids)
        unknown = asked - self._component_of.keys()
        if unknown:
            found = fetch(self._conn, member, ("profile_id", "component_id"), "profile_id", unknown)
            self._component_of.update(found)
        return self.load({c for p in asked if (c := self._component_of.get(p)) is not None})

    def group_of(self, profile_id: str) -> str | None:
        """The group that holds a profile; None where none that was read does."""
        component = self._component_of.get(profile_id)
        return None if component is None else self._group_of.get(component)

    def picture(self, groups: Iterable[str], sight: Sight | None) -> Picture:
        """The entities of groups as a sight sees them."""
        return Picture(dict(chain.from_iterable(e.items() for e in self.seen(groups, sight).values())))

    def seen(self, groups: Iterable[str], sight: Sight | None) -> dict[str, dict[str, Entity]]:
        """Each profile's entity as a sight sees it, by group."""
        chosen = {g: self.groups[g] for g in groups}
        parts = {g: _part(x, sight) for g, x in chosen.items() if sight not in x.seen}
        unclear = {g for g, part in parts.items() if _is_unclear(chosen[g], part)}
        self._read_pairs([x for g in unclear if (x := chosen[g]).pairs is None])
        for g, part in parts.items():
            x = chosen[g]
            if g in unclear:
                said = [j for j in x.judgements if sight is None or j.audience_id in sight]
                found = clusters(part, x.pairs or (), said)
            else:
                found = [part] if part else []
            x.seen[sight] = entities(found, self._now_ms)
        return {g: x.seen[sight] for g, x in chosen.items()}

    def _load(self, fresh: set[str]) -> None:
        everyone, judged, partial = _closure(self._conn, fresh, self._now_ms)
        home = _joined(everyone, judged)
        self._group_of |= dict.fromkeys(fresh)
        self._group_of |= home
        members: dict[str, list[Member]] = defaultdict(list)
        for p, m in everyone.items():
            self._component_of[p] = m.component_id
            members[home[m.component_id]].append(m)
        said: dict[str, list[JudgementRow]] = defaultdict(list)
        for j in judged:
            group = home[everyone[j.a].component_id]
            if group == home[everyone[j.b].component_id]:
                said[group].append(j)
        for g, ms in members.items():
            clear = len(ms) == 1 or not any(m.split or m.judged or m.component_id in partial for m in ms)
            audiences = frozenset([m.audience_id for m in ms] + [j.audience_id for j in said[g]])
            self.groups[g] = Group(ms, said[g], clear, audiences)

    def _read_pairs(self, groups: list[Group]) -> None:
        group_of = {m.profile_id: x for x in groups for m in x.members}
        members = {m.profile_id: m for x in groups for m in x.members}
        for x in groups:
            x.pairs = []
        for p in pairs_among(self._conn, members):
            found = group_of[p.a]
            if found is group_of[p.b] and found.pairs is not None:
                found.pairs.append(p)


def _part(group: Group, sight: Sight | None) -> list[Member]:
    return [m for m in group.members if sight is None or m.audience_id in sight]


def _is_unclear(group: Group, part: list[Member]) -> bool:
    return len(part) > 1 and not (group.clear and len(part) == len(group.members))


def _joined(members: Mapping[str, Member], judged: Iterable[JudgementRow]) -> dict[str, str]:
    """The group of each component: the smallest id of those that judgements SAME join to it."""
    home = {c: c for c in {m.component_id for m in members.values()}}
    for j in judged:
        if j.verdict == "SAME":
            one, other = home[members[j.a].component_id], home[members[j.b].component_id]
            if one != other:
                home = {c: min(one, other) if g in (one, other) else g for c, g in home.items()}
    return home


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


_COLUMNS: Final = Member._fields


def _members(conn: Connection, components: set[str], now_ms: int) -> tuple[dict[str, Member], set[str]]:
    """The members of components that some live report holds, and the components that have others too."""
    found, partial = {}, set()
    for m in map(Member._make, fetch(conn, member, _COLUMNS, "component_id", sorted(components))):
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


def judgements_about(conn: Connection, profile_ids: Iterable[str]) -> list[JudgementRow]:
    """The judgements in force that name one of these profiles."""
    columns = ("judgement_id", "a", "b", "verdict", "agency", "audience_id", "body")
    ids = list(profile_ids)
    rows = {r[0]: r for side in ("a", "b") for r in fetch(conn, judgement, columns, side, ids)}
    return [JudgementRow(*r[:6]) for _, r in sorted(rows.items()) if r[6] is not None]


def pairs_among(conn: Connection, members: Mapping[str, Member]) -> list[PairRow]:
    """The pairs whose two profiles are among ``members`` and that neither's newer state has voided."""
    columns = ("a", "b", "weight", "verdict", "version")
    return [
        PairRow(a, b, weight, verdict)
        for a, b, weight, verdict, version in fetch(conn, pair, columns, "a", members)
        if b in members and counts(verdict, version, members[a], members[b])
    ]
