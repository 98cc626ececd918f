"""What a rule sees: a frozen picture of one subject, computed only from what one set of viewers may see.

The store fills it by one prefetch; rules and scoring read it and do no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from services.leads.thresholds import THRESHOLDS, Threshold
from shared.contracts.entities import Kind, Mention, RelationType
from shared.contracts.report import Report


@dataclass(frozen=True, slots=True)
class EntityView:
    """An entity as these viewers see it; ``features`` unite those of its visible profiles."""

    entity_id: str
    kind: Kind
    label: str
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A mention: in ``report_id``, ``local_id`` is this entity."""

    report_id: str
    local_id: str
    entity_id: str
    role: str


@dataclass(frozen=True, slots=True)
class LinkView:
    """A relation that a report asserts between two entities."""

    source: str
    target: str
    type: RelationType
    confidence: float
    report_id: str


@dataclass(frozen=True)
class View:
    """The subject, the reports that mention it (by event time), and its neighbourhood up to two hops.

    ``entities`` holds the subject and its neighbours by id; ``sightings`` lists the mentions of every
    report in ``reports`` that resolve to an entity; ``now`` is the moment of evaluation;
    ``thresholds`` is the deployment's table. No slots: the
    indexes below are made once, when first asked for.
    """

    subject: EntityView
    reports: tuple[Report, ...]
    sightings: tuple[Sighting, ...]
    entities: Mapping[str, EntityView]
    links: tuple[LinkView, ...]
    now: datetime
    thresholds: tuple[Threshold, ...] = THRESHOLDS

    @cached_property
    def _entity_ids(self) -> dict[tuple[str, str], str]:
        return {(s.report_id, s.local_id): s.entity_id for s in self.sightings}

    @cached_property
    def _own(self) -> dict[str, list[Sighting]]:
        own: dict[str, list[Sighting]] = {}
        for s in self.sightings:
            if s.entity_id == self.subject.entity_id:
                own.setdefault(s.report_id, []).append(s)
        return own

    def entity_of(self, report_id: str, local_id: str | None) -> EntityView | None:
        """The entity of one mention, None where it is not resolved or not in view."""
        if local_id is None:
            return None
        entity_id = self._entity_ids.get((report_id, local_id))
        return None if entity_id is None else self.entities.get(entity_id)

    def roles(self, report_id: str) -> frozenset[str]:
        """The roles in which a report mentions the subject."""
        return frozenset(s.role for s in self._own.get(report_id, ()))

    def own_mentions(self, report: Report) -> list[Mention]:
        """The mentions of the subject in a report."""
        own = {s.local_id for s in self._own.get(report.report_id, ())}
        return [m for m in report.mentions() if m.local_id in own]
