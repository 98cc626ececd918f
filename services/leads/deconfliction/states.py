"""The life of a conflict, pure: which step may follow which, and when silence escalates."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a conflict stands. RESOLVED, EXPIRED and WITHDRAWN are final."""

    NOTIFIED = "NOTIFIED"
    ACK_ONE = "ACK_ONE"
    ACK_BOTH = "ACK_BOTH"
    ESCALATED_LOCAL = "ESCALATED_LOCAL"
    ESCALATED_HQ = "ESCALATED_HQ"
    RESOLVED = "RESOLVED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


class Outcome(StrEnum):
    """How a conflict was resolved."""

    JOINT = "JOINT"
    LEAD_AGENCY = "LEAD_AGENCY"
    PROCEED_SEPARATELY = "PROCEED_SEPARATELY"
    RESCHEDULED = "RESCHEDULED"
    FALSE_MATCH = "FALSE_MATCH"


class Urgency(StrEnum):
    """How soon somebody must answer."""

    IMMEDIATE = "IMMEDIATE"
    PRIORITY = "PRIORITY"
    ROUTINE = "ROUTINE"


FINAL: Final = frozenset({State.RESOLVED, State.WITHDRAWN, State.EXPIRED})


class NotAllowed(ValueError):
    """The step does not follow from the state; the message says why."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sides and what each has done; ``escalates_at`` None = nothing will happen by itself."""

    state: State
    urgency: Urgency
    sides: tuple[str, str]
    acknowledged: frozenset[str]
    escalates_at: datetime | None
    outcome: Outcome | None = None


def urgency(starts: datetime | None, now: datetime, *, threat_to_life: bool = False) -> Urgency:
    """IMMEDIATE: starts within 2 h or a threat to life; PRIORITY: within 24 h; else ROUTINE."""
    if threat_to_life or (starts is not None and starts - now <= timedelta(hours=2)):
        return Urgency.IMMEDIATE
    if starts is not None and starts - now <= timedelta(hours=24):
        return Urgency.PRIORITY
    return Urgency.ROUTINE


def deadline(level: Urgency, since: datetime) -> datetime:
    """When silence escalates: after 10 minutes, 2 hours, or 2 working days (Monday to Friday, UTC)."""
    if level is Urgency.IMMEDIATE:
        return since + timedelta(minutes=10)
    if level is Urgency.PRIORITY:
        return since + timedelta(hours=2)
    due, left = since.astimezone(UTC), 2
    while left:
        due += timedelta(days=1)
        left -= due.weekday() < 5
    return due


def opened(level: Urgency, sides: tuple[str, str], now: datetime) -> Conflict:
    """A new conflict whose sides have just been notified."""
    return Conflict(State.NOTIFIED, level, sides, frozenset(), deadline(level, now))


def acknowledge(conflict: Conflict, side: str) -> Conflict:
    """One side has read its notice; a second time changes nothing."""
    if side not in conflict.sides:
        raise NotAllowed("only a side of the conflict can acknowledge it")
    if conflict.state in FINAL or side in conflict.acknowledged:
        return conflict
    acknowledged = conflict.acknowledged | {side}
    both = acknowledged >= set(conflict.sides)
    return replace(
        conflict,
        acknowledged=acknowledged,
        state=State.ACK_BOTH if both else State.ACK_ONE,
        escalates_at=None if both else conflict.escalates_at,
    )


def escalate(conflict: Conflict, now: datetime) -> Conflict:
    """Somebody has not answered in time: first the local supervisor, then headquarters, then no further."""
    if conflict.escalates_at is None or now < conflict.escalates_at or conflict.state in FINAL:
        return conflict
    if conflict.state is State.ESCALATED_LOCAL:
        return replace(conflict, state=State.ESCALATED_HQ, escalates_at=None)
    return replace(conflict, state=State.ESCALATED_LOCAL, escalates_at=deadline(conflict.urgency, now))


def resolve(conflict: Conflict, side: str, outcome: Outcome) -> Conflict:
    """A side says how it was settled."""
    if side not in conflict.sides:
        raise NotAllowed("only a side of the conflict can resolve it")
    if conflict.state in FINAL:
        raise NotAllowed(f"the conflict is {conflict.state} already")
    return replace(conflict, state=State.RESOLVED, outcome=outcome, escalates_at=None)


def close(conflict: Conflict, *, withdrawn: bool) -> Conflict:
    """A submission was withdrawn, or its time has passed."""
    if conflict.state in FINAL:
        return conflict
    return replace(conflict, state=State.WITHDRAWN if withdrawn else State.EXPIRED, escalates_at=None)
