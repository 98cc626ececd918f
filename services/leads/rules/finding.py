"""What a rule finds, in values: its text, its points, and the reports without which it would not hold."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from services.leads.view import View


class Family(StrEnum):
    """Rules of one family tell of the same thing, so each family's share of a score is capped."""

    FINANCE = "finance"
    COMMUNICATIONS = "communications"
    MOVEMENT = "movement"
    NETWORK = "network"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A report that supports a finding, and the fields of its canonical form that do (JSON pointers)."""

    report_id: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's condition holds for the subject.

    ``necessary`` are the ids of the reports without which it would not; the weakest of them weighs the
    points. ``events`` is how many events the evidence tells of: a joint seizure reported twice is one.
    ``alone`` False: the finding makes no lead without another rule's.
    """

    rule: str
    family: Family
    points: int
    text: str
    evidence: tuple[Evidence, ...]
    necessary: tuple[str, ...]
    events: int
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of the list of rules; the docstring of ``evaluate`` is what users read about it.

    ``thresholds`` names the rows of the threshold table that it reads, or the prefix of several.
    """

    number: str
    title: str
    family: Family
    points: str
    evaluate: Callable[[View], Finding | None]
    thresholds: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The user-facing explanation."""
        return " ".join((self.evaluate.__doc__ or "").split())
