"""The life of a lead, pure: which step may follow which, who may take it, and where a history leaves a lead.

What one viewer sees of a life is a fold over the steps that he may see. A step that does not follow from
where he sees the lead (its author saw more) changes nothing for him.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class LeadState(StrEnum):
    """Where a lead is in its life."""

    CANDIDATE = "CANDIDATE"
    REVIEW = "REVIEW"
    DECONFLICTING = "DECONFLICTING"
    RELEASED = "RELEASED"
    ASSIGNED = "ASSIGNED"
    ACTIONED = "ACTIONED"
    NO_VALUE = "NO_VALUE"
    DUPLICATE = "DUPLICATE"
    REFUTED = "REFUTED"
    SUSPENDED = "SUSPENDED"


S = LeadState
OUTCOMES: Final = frozenset({S.ACTIONED, S.NO_VALUE, S.DUPLICATE, S.REFUTED})
FOLLOWS: Final[Mapping[LeadState, frozenset[LeadState]]] = {
    S.CANDIDATE: frozenset({S.REVIEW, S.SUSPENDED}),
    S.REVIEW: frozenset({S.DECONFLICTING, S.CANDIDATE, S.SUSPENDED}),
    S.DECONFLICTING: frozenset({S.RELEASED, S.REVIEW, S.SUSPENDED}),
    S.RELEASED: frozenset({S.ASSIGNED, S.SUSPENDED}),
    S.ASSIGNED: frozenset({*OUTCOMES, S.RELEASED, S.SUSPENDED}),
    S.SUSPENDED: frozenset({S.REVIEW}),
    **{outcome: frozenset({S.SUSPENDED}) for outcome in OUTCOMES},
}
"""Which state may follow which. A suspended lead starts over with a review."""
LIVE: Final = frozenset({S.RELEASED, S.ASSIGNED})
"""States in which somebody acts on a lead: a new conflict suspends it."""
CLAIM: Final = "CLAIM"
"""The step of taking a lead without changing its state."""
COMMENT: Final = "COMMENT"
FEEDBACK: Final = "FEEDBACK"
"""Somebody says what came of a lead, whoever holds it."""
_ROLES: Final[Mapping[LeadState, frozenset[str]]] = {
    S.DECONFLICTING: frozenset({"reviewer"}),
    S.CANDIDATE: frozenset({"reviewer"}),
    S.RELEASED: frozenset({"reviewer", "supervisor"}),
    S.SUSPENDED: frozenset({"reviewer", "supervisor"}),
}
_OTHERS: Final = frozenset({"analyst", "reviewer", "supervisor"})


class NotNow(Exception):
    """The step does not follow from where the lead is; the message says what would."""


class NotYou(Exception):
    """Somebody else must take this step; the message says who."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: a token's agency, subject and roles."""

    agency: str
    subject: str
    roles: frozenset[str] = frozenset()

    def is_as(self, other: "Person | None") -> bool:
        """Whether it is the same person, whatever the roles."""
        return other is not None and (self.agency, self.subject) == (other.agency, other.subject)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a life: the state it led to, or what was said; ``who`` None: the registry itself."""

    step: str
    who: Person | None
    reason: str
    at: datetime
    outcome: LeadState | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """Where a lead is, who holds it, who proposed, reviewed and released it."""

    state: LeadState = LeadState.CANDIDATE
    holder: Person | None = None
    held_since: datetime | None = None
    proposer: Person | None = None
    reviewer: Person | None = None
    releaser: Person | None = None


def fold(steps: Iterable[Step]) -> Life:
    """Where these steps, in order of time, leave a lead."""
    life = Life()
    for step in steps:
        life = after(life, step)
    return life


def after(life: Life, step: Step) -> Life:
    """The life after one step; the same where the step does not follow."""
    if step.step in {COMMENT, FEEDBACK}:
        return life
    if step.step == CLAIM:
        return replace(life, holder=step.who, held_since=step.at)
    to = LeadState(step.step)
    if to not in FOLLOWS[life.state]:
        return life
    changes: dict[str, Any] = {}
    match to:
        case S.REVIEW:
            changes = {"proposer": step.who, "reviewer": None, "releaser": None}
        case S.DECONFLICTING:
            changes = {"reviewer": step.who}
        case S.ASSIGNED:
            changes = {"holder": step.who, "held_since": step.at}
        case S.RELEASED if life.state is S.ASSIGNED:
            changes = {"holder": None, "held_since": None}
        case S.RELEASED:
            changes = {"releaser": step.who}
    return replace(life, state=to, **changes)


def check(life: Life, to: LeadState, who: Person, originators: Iterable[str]) -> None:
    """Raise ``NotNow`` or ``NotYou`` unless ``who`` may take the lead to ``to``.

    ``originators``: the agencies whose reports are its evidence.
    """
    if to not in FOLLOWS[life.state]:
        choice = ", ".join(sorted(FOLLOWS[life.state]))
        raise NotNow(f"The lead is {life.state}; from there it goes to {choice}.")
    holds = life.state is S.ASSIGNED and to is not S.SUSPENDED
    needed = _OTHERS if holds else _ROLES.get(to, _OTHERS)
    if who.roles.isdisjoint(needed):
        raise NotYou(f"This step needs the role {' or '.join(sorted(needed))}.")
    if holds and not _may_end(life, who):
        raise NotYou(
            "The lead is held by another: its holder, or a supervisor of his agency, takes this step."
        )
    if to is S.DECONFLICTING:
        if who.is_as(life.proposer):
            raise NotYou("A second person reviews: not the one who put the lead up for review.")
        if set(originators) == {who.agency}:
            raise NotYou("All the evidence is your agency's own: a reviewer of another agency must look.")


def check_claim(life: Life, who: Person) -> None:
    """Raise ``NotNow`` where another holds the lead; a supervisor may take it over within his agency."""
    if who.roles.isdisjoint(_OTHERS):
        raise NotYou(f"This step needs the role {' or '.join(sorted(_OTHERS))}.")
    if life.state in OUTCOMES:
        raise NotNow(f"The lead is {life.state}: there is nothing left to claim.")
    if life.holder is not None and not who.is_as(life.holder) and not _may_end(life, who):
        raise NotNow(f"{life.holder.subject} of {life.holder.agency} holds the lead since {life.held_since}.")


def check_say(who: Person) -> None:
    """Raise ``NotYou`` where ``who`` has no part in leads."""
    if who.roles.isdisjoint(_OTHERS):
        raise NotYou(f"This needs the role {' or '.join(sorted(_OTHERS))}.")


def _may_end(life: Life, who: Person) -> bool:
    if who.is_as(life.holder):
        return True
    return life.holder is not None and life.holder.agency == who.agency and "supervisor" in who.roles
