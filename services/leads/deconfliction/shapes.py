"""What the deconfliction API answers, as models with examples: for its OpenAPI description and tests."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field

from services.leads.deconfliction.states import Outcome, Urgency
from services.leads.deconfliction.submissions import (
    Answer,
    Contact,
    NoticeContent,
    SubmittedIdentifier,
    SubmittedName,
)
from shared.contracts.model import Contract
from shared.problems import ProblemDocument

CONFLICT_ID: Final = "1f0a9a52-5d7e-5d63-9d63-6d1c3f6f2b10"
NUMBER: Final = "DC-26-7K3M9PQRST"
MOMENT: Final = "2026-03-04T12:00:00Z"
CONTACT: Final = {
    "name": "SYN DESK",
    "phone": "+19155550142",
    "email": None,
    "after_hours_phone": None,
}
OTHER: Final = {"number": "DC-26-A2B3C4D5E6", "agency": "AZZZZ0003", "unit": "UC 4", "contact": CONTACT}
MatchName = Literal["EXACT", "STRONG", "POSSIBLE", "EVENT"]
Count = int | Annotated[str, Field(description="`<5`: few are not told")]


def shown(**example: Any) -> Any:
    """The configuration of a model with this example."""
    return Contract.model_config | {"json_schema_extra": {"examples": [example]}, "populate_by_name": True}


_CONFLICT: Final = {
    "conflict_id": CONFLICT_ID, "number": NUMBER, "kind": "EVENT", "class": "EVENT", "state": "ACK_ONE",
    "urgency": "PRIORITY", "outcome": None, "note": None, "opened_at": MOMENT, "acknowledged": True,
    "closed_at": None,
}  # fmt: skip


class ConflictShown(Contract):
    """A conflict as one side sees it: whether he has read his notice, not who of the other side has."""

    model_config = shown(**_CONFLICT)

    conflict_id: str
    number: str = Field(description="the reader's own submission")
    kind: Literal["TARGET", "EVENT"]
    class_: MatchName = Field(alias="class")
    state: Literal[
        "NOTIFIED", "ACK_ONE", "ACK_BOTH", "ESCALATED_LOCAL", "ESCALATED_HQ", "RESOLVED", "WITHDRAWN",
        "EXPIRED", "OWN",
    ]  # fmt: skip
    urgency: Urgency
    outcome: Outcome | None
    note: str | None = Field(description="who settled it and what he wrote, for both sides")
    opened_at: AwareDatetime
    acknowledged: bool = Field(description="whether the reader's own agency has acknowledged")
    closed_at: AwareDatetime | None


class SubmissionShown(Contract):
    """A submission as its owner sees it, with the conflicts that he may know of."""

    model_config = shown(
        number=NUMBER, kind="TARGET", reference="CASE-26-17/1", state="HIT", submitted_at=MOMENT,
        checked_at=MOMENT, expires_at="2028-03-03T12:00:00Z",
        conflicts=[_CONFLICT | {"kind": "TARGET", "class": "EXACT"}],
    )  # fmt: skip

    number: str
    kind: Literal["TARGET", "EVENT", "LEAD"]
    reference: str
    state: Literal["CLEAR", "HIT", "RESOLVED", "WITHDRAWN", "EXPIRED"]
    submitted_at: AwareDatetime
    checked_at: AwareDatetime
    expires_at: AwareDatetime
    conflicts: list[ConflictShown]


_NOTICE: Final = {
    "notice_id": "0b6b7f0e-51a4-5c0b-9a44-2f7d3c1d7e55", "conflict_id": CONFLICT_ID, "number": NUMBER,
    "reference": "CASE-26-17/1", "identifier": "PHONE (915) 555-0155", "kind": "TARGET", "class": "EXACT",
    "urgency": "ROUTINE", "level": "SIDE", "other": OTHER, "created_at": MOMENT, "acknowledged_at": None,
}  # fmt: skip


class NoticeShown(NoticeContent):
    """A notice of the inbox: everything that it may say, and whether it was read."""

    model_config = shown(**_NOTICE)

    notice_id: str
    created_at: AwareDatetime
    acknowledged_at: AwareDatetime | None


class LeadNotice(Contract):
    """Word to whoever holds a lead that a new conflict has suspended it."""

    notice_id: str
    lead_id: str
    state: Literal["SUSPENDED"]
    level: Literal["HOLDER"]
    urgency: Urgency
    created_at: AwareDatetime
    acknowledged_at: AwareDatetime | None


class NoticeList(Contract):
    """A page of the inbox, oldest first."""

    model_config = shown(items=[_NOTICE], next_cursor=None)

    items: list[NoticeShown | LeadNotice]
    next_cursor: str | None


class QueuedSide(Contract):
    """One side of a possible match, with what must be compared."""

    number: str
    agency: str
    unit: str
    contact: Contact
    identifiers: tuple[SubmittedIdentifier, ...]
    names: tuple[SubmittedName, ...]
    addresses: tuple[str, ...]


class Queued(Contract):
    """A possible match that waits for a watch officer."""

    conflict_id: str
    kind: Literal["TARGET", "EVENT"]
    class_: MatchName = Field(alias="class")
    urgency: Urgency
    opened_at: AwareDatetime
    sides: list[QueuedSide]


def _side(number: str, agency: str, name: str, birth: str) -> dict[str, Any]:
    return {
        "number": number, "agency": agency, "unit": "NARCOTICS 2", "contact": CONTACT, "identifiers": [],
        "names": [{"full_name": name, "birth": birth}], "addresses": [],
    }  # fmt: skip


class QueueList(Contract):
    """A page of the watch officer's queue, oldest first."""

    model_config = shown(
        items=[{
            "conflict_id": CONFLICT_ID, "kind": "TARGET", "class": "POSSIBLE", "urgency": "ROUTINE",
            "opened_at": MOMENT,
            "sides": [
                _side(NUMBER, "TXZZZ0001", "Jon Smyth", "1988"),
                _side("DC-26-A2B3C4D5E6", "AZZZZ0003", "John Smith", "1989-05-05"),
            ],
        }],
        next_cursor=None,
    )  # fmt: skip

    items: list[Queued]
    next_cursor: str | None


class WeekCount(Contract):
    """Conflicts of one week in one state with one outcome."""

    week: date = Field(description="its first day, a Thursday: weeks are counted from 1970-01-01")
    state: str
    outcome: Outcome | None
    count: Count
    mean_seconds_to_acknowledge: int | None


class Asking(Contract):
    """A user who asked for much today."""

    user: str
    identifiers: int


class Statistics(Contract):
    """Counts without identities; silent conflicts are not counted at all."""

    model_config = shown(
        open_submissions={"TARGET": 20_000, "EVENT": "<5"},
        conflicts=[{
            "week": "2026-02-26", "state": "RESOLVED", "outcome": "RESCHEDULED", "count": 12,
            "mean_seconds_to_acknowledge": 340,
        }],
    )  # fmt: skip

    open_submissions: dict[str, Count]
    conflicts: list[WeekCount]
    close_to_limit: list[Asking] = Field([], description="of the supervisor's own agency; for supervisors")


class Accepted(Answer):
    """A line of a caseload that was entered."""

    model_config = shown(
        line=1, outcome="ACCEPTED", number=NUMBER, status="HIT", contacts=[OTHER], checked_at=MOMENT,
        **{"class": "EXACT"},
    )  # fmt: skip

    line: int
    outcome: Literal["ACCEPTED"]


class Refused(Contract):
    """A line of a caseload that is no target."""

    line: int
    outcome: Literal["REFUSED"]
    problem: ProblemDocument


class Channel(Contract):
    """Where an agency's notices are sent."""

    model_config = shown(channel_id=CONFLICT_ID, channel="WEBHOOK", address="https://agency.example/notices")

    channel_id: str
    channel: Literal["WEBHOOK", "EMAIL"]
    address: str


class ChannelMade(Channel):
    """A new channel; its secret, which signs webhooks, is shown this once."""

    model_config = shown(
        channel_id=CONFLICT_ID, channel="WEBHOOK", address="https://agency.example/notices",
        secret="43 random characters",  # noqa: S106 - says what it looks like
    )  # fmt: skip

    secret: str


class ChannelList(Contract):
    """Every channel of an agency."""

    items: list[Channel]
    next_cursor: None


class Rotating(Contract):
    """How far the rotation of the key is; the last line says DONE and the new key's number."""

    model_config = shown(state="ROTATING", done=200, total=20_000)

    state: Literal["ROTATING", "DONE"]
    done: int | None = None
    total: int | None = None
    key: int | None = None
