"""Why profiles are one entity, and why not: steps, blocks and words. Pure."""

from collections.abc import Iterable
from typing import Any, Final

from services.leads.entity import Entity, JudgementRow, PairRow
from services.leads.picture_store import Workings

STEPS: Final = 500
"""Steps of one derivation that are shown."""
BLOCKS: Final = 5
"""Reasons that are shown of why two entities are held apart."""


def steps(entity: Entity, known: Workings) -> tuple[list[dict[str, Any]], bool]:
    """How the entity's profiles were joined, in order; True: there were more than ``STEPS``.

    The order of ``shared.partition``: judgements, then pairs by weight. Within one entity no join was
    refused, so the joins are those of the strongest pairs that connect it.
    """
    inside = set(entity.profile_ids)
    edges: list[tuple[int, str, str, JudgementRow | None]] = [
        (0, j.a, j.b, j) for j in known.judgements if j.verdict == "SAME"
    ]
    edges += [(-p.weight, p.a, p.b, None) for p in known.pairs if p.verdict == "SAME"]
    edges = [e for e in edges if e[1] in inside and e[2] in inside]
    home = {p: p for p in inside}
    found: list[dict[str, Any]] = []
    for negative, a, b, judged in sorted(edges, key=lambda e: (e[3] is None, *e[:3])):
        if _root(home, a) == _root(home, b):
            continue
        home[_root(home, a)] = _root(home, b)
        found.append(
            {
                "a": a,
                "b": b,
                "weight": None if judged else -negative,
                "judgement_id": judged.judgement_id if judged else None,
            }
        )
    return found[:STEPS], len(found) > STEPS


def held_apart(entity: Entity, known: Workings) -> list[dict[str, Any]]:
    """The strong pairs of the entity's profiles with others that a contradiction or judgement holds apart."""
    inside = set(entity.profile_ids)
    found = []
    for p in sorted(known.pairs, key=lambda p: (-p.weight, p.a, p.b)):
        if p.verdict == "SAME" and (p.a in inside) != (p.b in inside):
            blocks = blocked_by(known.entity_of[p.a], known.entity_of[p.b], known)
            found.append({"a": p.a, "b": p.b, "weight": p.weight, "blocked_by": blocks})
    return found[:STEPS]


def blocked_by(one: Entity, other: Entity, known: Workings) -> list[dict[str, Any]]:
    """What forbids that two entities are one: judgements first, then contradicted pairs."""
    if one.entity_id == other.entity_id:
        return []
    mine, theirs = set(one.profile_ids), set(other.profile_ids)
    same = {(j.a, j.b) for j in known.judgements if j.verdict == "SAME"}
    found: list[dict[str, Any]] = [
        {"kind": "JUDGEMENT", "a": j.a, "b": j.b, "judgement_id": j.judgement_id}
        for j in known.judgements
        if j.verdict == "DIFFERENT" and _between(j.a, j.b, mine, theirs)
    ]
    found += [
        {"kind": "CONTRADICTION", "a": p.a, "b": p.b, "weight": p.weight}
        for p in sorted(known.pairs, key=lambda p: (p.weight, p.a, p.b))
        if p.verdict == "CONTRADICTED" and _between(p.a, p.b, mine, theirs) and (p.a, p.b) not in same
    ]
    return found[:BLOCKS]


def via(a: str, b: str, entity: Entity, known: Workings) -> list[str]:
    """The profiles through which two profiles of one entity are connected, both ends included."""
    joined, _ = steps(entity, known)
    near: dict[str, list[str]] = {}
    for step in joined:
        near.setdefault(step["a"], []).append(step["b"])
        near.setdefault(step["b"], []).append(step["a"])
    came: dict[str, str] = {a: a}
    queue = [a]
    for p in queue:
        for q in sorted(near.get(p, ())):
            if q not in came:
                came[q] = p
                queue.append(q)
    if b not in came:
        return []
    path = [b]
    while path[-1] != a:
        path.append(came[path[-1]])
    return path[::-1]


def in_words(pair: PairRow | None, threshold: int | None, *, same: bool, blocks: Iterable[object]) -> str:
    """The answer of one pair in one sentence."""
    if pair is None:
        if same:
            return "One entity through others: these two have too little in common to be compared directly."
        return "Not related: they share nothing selective, or the evidence is too weak to be kept for review."
    bits = f"{pair.weight / 100:+.1f} bits of evidence"
    needed = "" if threshold is None else f", {threshold / 100:g} needed"
    if pair.verdict == "CONTRADICTED":
        return f"Contradicted ({bits}): never one entity unless a person judges so."
    if same:
        return f"One entity: {bits}{needed}."
    if pair.verdict == "POSSIBLE":
        return f"Possibly the same: {bits}{needed}. A person may decide."
    why = "see blocked_by" if any(blocks) else "a stronger tie came first"
    return f"{bits}{needed}, but held apart: {why}."


def _between(a: str, b: str, mine: set[str], theirs: set[str]) -> bool:
    return (a in mine and b in theirs) or (a in theirs and b in mine)


def _root(home: dict[str, str], p: str) -> str:
    while home[p] != p:
        home[p] = home[home[p]]
        p = home[p]
    return p
