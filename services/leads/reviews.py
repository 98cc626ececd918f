"""The review queue: which pairs a person should decide about, the most valuable first."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import log2
from typing import Any, Final

from services.leads.derivation import blocked_by, in_words
from services.leads.entity import Entity, PairRow
from services.leads.entity_store import threshold
from services.leads.picture_store import Workings, workings
from services.leads.reading import Look
from services.leads.review_store import Candidate, candidates, reports_of

POSSIBLE: Final = "POSSIBLE"
AMBIGUOUS: Final = "AMBIGUOUS"
_VERDICT: Final = {POSSIBLE: "POSSIBLE", AMBIGUOUS: "SAME"}
"""What the resolver says of the pairs of each case."""
RANKED: Final = 1_000
"""Pairs of each case, the strongest, that are ranked; judging some brings in the next."""


@dataclass(frozen=True, slots=True)
class Review:
    """A pair to decide about. ``value``: centibits; ``reports``: of either profile."""

    case: str
    pair: PairRow
    entities: tuple[Entity, Entity]
    blocked_by: list[dict[str, Any]]
    reports: tuple[int, int]
    value: int
    threshold: int | None

    @property
    def order(self) -> tuple[int, str, str]:
        """The sort key: most valuable first."""
        return (-self.value, self.pair.a, self.pair.b)

    def item(self, evidence: list[dict[str, Any]]) -> dict[str, Any]:
        """As the API shows it."""
        (one, other), p = self.entities, self.pair
        return {
            "case": self.case,
            "a": _side(p.a, one, self.reports[0]),
            "b": _side(p.b, other, self.reports[1]),
            "kind": str(one.kind),
            "weight": p.weight,
            "threshold": self.threshold,
            "value": self.value,
            "text": in_words(p, self.threshold, same=False, blocks=self.blocked_by),
            "evidence": evidence,
            "blocked_by": self.blocked_by,
        }


def _side(profile_id: str, entity: Entity, reports: int) -> dict[str, Any]:
    label = next(m.label for m in entity.members if m.profile_id == profile_id)
    return {"profile_id": profile_id, "label": label, "entity_id": entity.entity_id, "reports": reports}


def value_of(weight: int, needed: int | None, reports: int) -> int:
    """What a decision is worth: the bits of the number of reports, less those short of the threshold."""
    return round(100 * log2(1 + reports)) - max(0, (needed or weight) - weight)


def queue(look: Look, cases: tuple[str, ...]) -> tuple[list[Review], bool]:
    """The queue of a viewer, in order; True: there are more than are ranked."""
    needed = threshold(look.conn)
    found: list[Review] = []
    cut = False
    for case in cases:
        some = list(islice(_open(look, case), RANKED + 1))
        cut |= len(some) > RANKED
        some = some[:RANKED]
        counts = reports_of(look.conn, {i for p, *_ in some for i in (p.a, p.b)}, look.now_ms)
        for p, entities, blocks in some:
            reports = counts[p.a], counts[p.b]
            value = value_of(p.weight, needed, sum(reports))
            found.append(Review(case, p, entities, blocks, reports, value, needed))
    return sorted(found, key=lambda r: r.order), cut


def _open(look: Look, case: str) -> Iterator[tuple[PairRow, tuple[Entity, Entity], list[dict[str, Any]]]]:
    """The pairs of this case whose ends are two entities for the viewer, and that nobody has settled."""
    for some in candidates(look.conn, _VERDICT[case], look.sight, look.now_ms):
        known = workings(look.conn, {i for c in some for i in (c.a, c.b)}, look.sight, look.now_ms)
        for c in some:
            entities = _apart(c, known)
            if entities is None:
                continue
            blocks = blocked_by(*entities, known)
            if not any(b["kind"] == "JUDGEMENT" for b in blocks):
                yield PairRow(c.a, c.b, c.weight, _VERDICT[case]), entities, blocks


def _apart(c: Candidate, known: Workings) -> tuple[Entity, Entity] | None:
    """The two entities of a pair, if they are two."""
    one, other = known.entity_of.get(c.a), known.entity_of.get(c.b)
    if one is None or other is None or one.entity_id == other.entity_id:
        return None
    return one, other
