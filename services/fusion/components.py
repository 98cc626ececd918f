"""From pairs to components and entities: which components a change touches, and what becomes of them. Pure.

Components are those of the graph of pairs that are the same and not contradicted, or judged the same. Pairs
that are only possibly the same join nothing: over common names they would chain half the world together, and
no entity depends on them. ``attach`` is the fast path: it adds new single profiles without reading what is
there; ``recompute`` is the full path.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.fusion.values import Component, Ends, Held, Place, Reading, Scored
from shared.partition import Judged, Pair, entity_order, partition


class Forest:
    """Disjoint sets of names."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        """The name that stands for the set of ``name``."""
        parent = self._parent
        root = name
        while (above := parent.get(root, root)) != root:
            root = above
        while (above := parent.get(name, name)) != root:
            parent[name] = root
            name = above
        return root

    def join(self, a: str, b: str) -> None:
        """Unite two sets; the smaller name stands for both."""
        a, b = self.find(a), self.find(b)
        if a != b:
            self._parent[max(a, b)] = min(a, b)

    def sets(self, names: Iterable[str]) -> list[list[str]]:
        """The sets of these names."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in names:
            found[self.find(name)].append(name)
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Group:
    """Components that a change joins or touches, by leader, and the scored pairs with both ends in them."""

    leaders: tuple[str, ...]
    pairs: tuple[Scored, ...]


def groups(
    places: Mapping[str, Place],
    touched: Iterable[str],
    pairs: Sequence[Scored],
    judged: Iterable[Ends],
    threshold: int,
) -> list[Group]:
    """The groups of components that are touched or joined; profiles without a place are gone.

    ``pairs`` are the same or contradicted.
    """
    forest = Forest()
    leaders = {places[i].leader for i in touched if i in places}
    present = [s for s in pairs if s.a in places and s.b in places]
    edges = [(s.a, s.b) for s in present if is_link(s, threshold)]
    edges += [(a, b) for a, b in judged if a in places and b in places]
    for a, b in edges:
        first, second = places[a].leader, places[b].leader
        leaders |= {first, second}
        forest.join(first, second)
    inside: dict[str, list[Scored]] = defaultdict(list)
    for s in present:
        root = forest.find(places[s.a].leader)
        if root == forest.find(places[s.b].leader):
            inside[root].append(s)
    sets = forest.sets(sorted(leaders))
    return [Group(tuple(s), tuple(inside[forest.find(s[0])])) for s in sets]


def is_link(scored: Scored, threshold: int) -> bool:
    """Whether a pair holds its two profiles in one component."""
    return not scored.comparison.contradicted and scored.comparison.weight >= threshold


def decides(scored: Scored, threshold: int) -> bool:
    """Whether entities depend on a pair: it is the same or contradicted, else only possibly the same."""
    return scored.comparison.contradicted or scored.comparison.weight >= threshold


def attach(
    group: Group,
    places: Mapping[str, Place],
    new: Collection[str],
    held: Mapping[str, Held],
    reading: Reading,
    threshold: int,
) -> Component | None:
    """Add new single profiles to at most one old component; None where the members must be read or told.

    Sound because a new profile whose strong pairs all lead to one entity, none of whose members it
    contradicts, changes nothing for the others: within an entity no union is ever refused, and between
    entities refusals only become more. That all its pairs are known is what ``reading.version`` says: a
    component changed since may hold profiles that the reading did not see.
    """
    old = [leader for leader in group.leaders if leader not in new]
    fresh = [leader for leader in group.leaders if leader in new]
    if not fresh or len(old) > 1 or any(places[leader].version > reading.version for leader in old):
        return None
    if not reading.judged_profiles.isdisjoint(fresh):
        return None
    head = places[old[0]] if old else None
    entity_of = {i: i for i in fresh}
    for s in group.pairs:
        for i in (s.a, s.b):
            if i not in entity_of:
                entity_of[i] = _entity(places[i], head)
    names = _names(group, entity_of, set(fresh), held, threshold)
    if names is None or (head is not None and not head.split and set(names.values()) != {head.entity}):
        return None
    return _grown(head, names, group.pairs, fresh)


def _names(
    group: Group,
    entity_of: Mapping[str, str],
    fresh: Collection[str],
    held: Mapping[str, Held],
    threshold: int,
) -> dict[str, str] | None:
    """The entity of each fresh profile; None where an old entity would change, or another might."""
    forest = Forest()
    for s in group.pairs:
        if not s.comparison.contradicted and s.comparison.weight >= threshold:
            forest.join(entity_of[s.a], entity_of[s.b])
    if any(s.comparison.contradicted and _together(forest, entity_of, s) for s in group.pairs):
        return None
    names: dict[str, str] = {}
    for entities in forest.sets(sorted(set(entity_of.values()))):
        standing = [e for e in entities if e not in fresh]
        first = min(entities, key=lambda e: entity_order(e, held[e].width))
        if len(standing) > 1 or (standing and first != standing[0]):
            return None
        names.update((e, first) for e in entities if e in fresh)
    return names


def _together(forest: Forest, entity_of: Mapping[str, str], scored: Scored) -> bool:
    return forest.find(entity_of[scored.a]) == forest.find(entity_of[scored.b])


def _entity(place: Place, head: Place | None) -> str:
    """The entity of an old member."""
    if place.entity is not None:
        return place.entity
    assert head is not None
    assert head.entity is not None
    return head.entity


def _grown(
    head: Place | None, added: Mapping[str, str], pairs: tuple[Scored, ...], fresh: Collection[str]
) -> Component:
    """The component after the fast path."""
    news = tuple(s for s in pairs if s.a in added or s.b in added)
    entities = set(added.values())
    if head is None:
        leader = min(fresh)
        return Component(leader, True, len(added), added[leader], len(entities) > 1, dict(added), news)
    assert head.entity is not None
    size = head.size + len(added)
    return Component(head.leader, False, size, head.entity, head.split, dict(added), news)


def recompute(
    leaders: Mapping[str, int],
    members: Mapping[str, Held],
    pairs: Sequence[Scored],
    judgements: Sequence[Judged],
    threshold: int,
) -> list[Component]:
    """The components that these members form: the full path.

    ``leaders`` are the old ones with their sizes, ``pairs`` all that decide between the members.
    """
    forest = Forest()
    for s in pairs:
        if is_link(s, threshold):
            forest.join(s.a, s.b)
    by_profile: dict[str, list[Judged]] = defaultdict(list)
    for j in judgements:
        by_profile[j.a].append(j)
        if j.same and j.a in members and j.b in members:
            forest.join(j.a, j.b)
    inside: dict[str, list[Scored]] = defaultdict(list)
    for s in pairs:
        root = forest.find(s.a)
        if root == forest.find(s.b):
            inside[root].append(s)
    found = []
    for ids in forest.sets(sorted(members)):
        own = inside[forest.find(ids[0])]
        judged = [j for i in ids for j in by_profile.get(i, ())]
        scored = [Pair(s.a, s.b, s.comparison.weight, s.comparison.contradicted) for s in own]
        widths = {i: members[i].width for i in ids}
        entity = partition(widths, scored, judged, threshold).entity
        leader = max((i for i in ids if i in leaders), key=lambda i: (leaders[i], i), default=ids[0])
        split = len(set(entity.values())) > 1
        found.append(Component(leader, True, len(ids), entity[leader], split, entity, tuple(own)))
    return found


def rows(component: Component, version: int) -> list[Place]:
    """The rows of ``assign`` that say so, the leader's first."""
    leader, entity = component.leader, component.entity
    head = Place(leader, leader, entity, component.size, component.split, version)
    others = [
        Place(i, leader, None if e == entity else e, 0, False, 0)
        for i, e in component.members.items()
        if i != leader
    ]
    return [head, *others]
