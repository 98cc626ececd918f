"""What fusing a report changed: ``resolutions.v1``.

Every part is a state with a version, never a bare delta: a reader keeps, per profile, the newest
version it has seen, so messages may arrive twice and in any order across partitions.

Weights are integers in centibits (1/100 bit), so sums are exact and equal on every machine.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.entities import Kind, RelationType, Role
from shared.contracts.model import Contract
from shared.contracts.report import Report

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class EvidenceRow(Contract):
    """One line of an explanation; the rows of a pair sum to its weight."""

    feature: str
    a: str | None = None
    b: str | None = None
    level: str = Field(description="the level that held, in words")
    weight: int = Field(description="centibits")


class ProfileState(Contract):
    """A profile's canonical content: the values that comparison and search read."""

    profile_id: Id
    kind: Kind
    audience: str = Field(description="audience key")
    label: str = Field(description="how to show it in one line")
    features: dict[str, tuple[str, ...]]


class MentionState(Contract):
    """Which profile a mention of the report has; None for items, which are never resolved."""

    local_id: str
    kind: Kind
    role: Role
    profile_id: Id | None = None


class LinkState(Contract):
    """A relation that the report asserts between two profiles."""

    source: Id
    target: Id
    type: RelationType
    confidence: float = 1.0
    source_local_id: str
    target_local_id: str


class PairState(Contract):
    """A scored pair of profiles, ``a`` < ``b``; POSSIBLE pairs join nothing and belong to no component."""

    a: Id
    b: Id
    weight: int
    verdict: Literal["SAME", "POSSIBLE", "CONTRADICTED"]
    evidence: tuple[EvidenceRow, ...] = ()


class MemberState(Contract):
    """Where one profile stands; ``entity_id`` is the whole picture's."""

    profile_id: Id
    entity_id: Id


class ComponentState(Contract):
    """One component of the pair graph after the change.

    ``full``: ``members`` and ``pairs`` are all there is, and every older pair of a member is void.
    Not full (the fast path): the members and pairs that were added; what was there stays.
    """

    component_id: Id
    version: int
    full: bool
    split: bool = Field(False, description="the component holds several entities")
    members: tuple[MemberState, ...]
    pairs: tuple[PairState, ...] = ()


class Resolution(Contract):
    """What fusing one report (or judgement, or recovery) changed.

    ``report`` is the report's live version, whole; None where a judgement or a recovery caused the
    change. ``live`` False: the report was retracted or expunged and nothing of it remains.
    """

    key: str = Field(description="report_id, or the id of what else caused the change")
    report_id: str | None = None
    report_version: int | None = None
    live: bool = True
    audience: str = "*"
    report: Report | None = None
    profiles: tuple[ProfileState, ...] = ()
    mentions: tuple[MentionState, ...] = ()
    links: tuple[LinkState, ...] = ()
    components: tuple[ComponentState, ...] = ()
    gone: tuple[Id, ...] = Field((), description="profiles that no live report holds any more")
    possible: tuple[PairState, ...] = Field(
        (), description="pairs that are possibly the same, as of this version, whatever their components"
    )
    possible_of: tuple[Id, ...] = Field(
        (), description="profiles whose possible pairs of older versions are void, as are those of ``gone``"
    )
    version: int = Field(description="from the resolver's sequence; larger is later")
    model: str = Field(description="model version")
    threshold: int | None = Field(None, description="what a pair needs to be the same, in centibits")
    accepted_at_ms: int | None = Field(None, description="when the log took the report, for latency figures")
