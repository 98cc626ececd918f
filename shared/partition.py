"""From pairs and judgements to entities: one function, for the whole picture and for a viewer's alike.

Kruskal's algorithm over the positive pairs, strongest first, refusing every union that would bring a
contradicted pair, or one judged different, into one entity. The result depends on the arguments as sets
only: neither their order nor how they were found matters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

JUDGED: Final = 1 << 40
"""Weight of a pair that a person judged the same: above any evidence."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A scored pair, ``a`` < ``b``, ``weight`` in centibits; ``contradicted``: may never share an entity."""

    a: str
    b: str
    weight: int
    contradicted: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A person's decision about two profiles, ``a`` < ``b``."""

    a: str
    b: str
    same: bool


@dataclass(frozen=True, slots=True)
class Clustering:
    """``entity`` maps each profile to its entity; ``refused`` are the strong pairs that were held apart."""

    entity: dict[str, str]
    refused: tuple[Pair, ...]


def entity_order(profile_id: str, width: int) -> tuple[int, str]:
    """Sort key for an entity's id: its widest audience first (``Audience.width``), then the smallest id."""
    return (width, profile_id)


def partition(
    widths: dict[str, int], pairs: Iterable[Pair], judgements: Iterable[Judged], threshold: int
) -> Clustering:
    """Cluster profiles.

    ``widths`` names every profile, with the width of its audience; ``threshold`` is in centibits. Pairs
    and judgements about other profiles are passed over. A judgement outranks evidence: SAME lifts a
    contradiction of that very pair, DIFFERENT forbids it. Of judgements that exclude each other,
    DIFFERENT holds, then SAME in order of ids.
    """
    same: set[tuple[str, str]] = set()
    different: set[tuple[str, str]] = set()
    for j in judgements:
        if j.a in widths and j.b in widths:
            (same if j.same else different).add((j.a, j.b))
    same -= different
    enemies: dict[str, set[str]] = {}
    edges: list[tuple[int, str, str]] = [(-JUDGED, a, b) for a, b in same]
    for pair in pairs:
        if pair.a not in widths or pair.b not in widths or (pair.a, pair.b) in same:
            continue
        if pair.contradicted:
            different.add((pair.a, pair.b))
        elif pair.weight >= threshold:
            edges.append((-pair.weight, pair.a, pair.b))
    for a, b in different:
        enemies.setdefault(a, set()).add(b)
        enemies.setdefault(b, set()).add(a)
    clusters, refused = _kruskal(widths, sorted(edges), enemies)
    entity: dict[str, str] = {}
    for members in clusters:
        leader = min(members, key=lambda m: entity_order(m, widths[m]))
        entity.update(dict.fromkeys(members, leader))
    return Clustering(entity, refused)


def _kruskal(
    widths: dict[str, int], edges: list[tuple[int, str, str]], enemies: dict[str, set[str]]
) -> tuple[list[list[str]], tuple[Pair, ...]]:
    """Union the ends of each edge in turn unless their clusters are enemies.

    ``hostile`` is kept between clusters, not members: asking is one lookup, and a cluster's foes are moved
    only when it is the lighter of two, so the whole takes O((edges + enemies) log profiles) steps.
    """
    home = {p: p for p in widths}
    members: dict[str, list[str]] = {p: [p] for p in widths}
    hostile: dict[str, set[str]] = {p: set(enemies.get(p, ())) for p in widths}
    refused = []
    for negative, a, b in edges:
        light, heavy = home[a], home[b]
        if light == heavy:
            continue
        if heavy in hostile[light]:
            refused.append(Pair(a, b, -negative))
            continue
        if len(members[light]) + len(hostile[light]) > len(members[heavy]) + len(hostile[heavy]):
            light, heavy = heavy, light
        for p in members[light]:
            home[p] = heavy
        members[heavy] += members.pop(light)
        for foe in hostile.pop(light):
            hostile[foe].remove(light)
            hostile[foe].add(heavy)
            hostile[heavy].add(foe)
    return list(members.values()), tuple(refused)
