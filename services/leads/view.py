"""What a rule sees: a frozen picture of one subject, computed only from what one set of viewers may see.

The store fills it by one prefetch; rules and scoring read it and do no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.contracts.entities import Kind, RelationType
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


@dataclass(frozen=True, slots=True)
class View:
    """The subject, the reports that mention it (by event time), and its neighbourhood up to two hops.

    ``entities`` holds the subject and its neighbours by id; ``sightings`` lists the mentions of every
    report in ``reports`` that resolve to an entity; ``now`` is the moment of evaluation.
    """

    subject: EntityView
    reports: tuple[Report, ...]
    sightings: tuple[Sighting, ...]
    entities: Mapping[str, EntityView]
    links: tuple[LinkView, ...]
    now: datetime

    def entity_of(self, report_id: str, local_id: str | None) -> EntityView | None:
        """The entity of one mention, None where it is not resolved or not in view."""
        for s in self.sightings:
            if s.report_id == report_id and s.local_id == local_id:
                return self.entities.get(s.entity_id)
        return None

    def roles(self, report_id: str) -> frozenset[str]:
        """The roles in which a report mentions the subject."""
        return frozenset(
            s.role
            for s in self.sightings
            if s.report_id == report_id and s.entity_id == self.subject.entity_id
        )
