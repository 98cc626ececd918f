"""A report's head: what pages show of it beside its mentions, read without parsing the whole."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import lz4.block
import orjson

from services.leads.clock import stamp
from shared.contracts.handling import Handling


@dataclass(frozen=True, slots=True)
class Head:
    """Where a report comes from, what it is about, and its terms."""

    report_id: str
    feed: str
    agency: str
    source_report_no: str
    case_no: str
    kind: str
    text: str
    at: str
    end: str | None
    received_at: str
    grade: str
    handling: Handling
    contact: dict[str, Any]

    def source(self) -> dict[str, Any]:
        """As the source of a value."""
        return {
            "report_id": self.report_id,
            "feed": self.feed,
            "agency": self.agency,
            "at": self.at,
            "grade": self.grade,
            "marking": self.handling.cui,
        }


@lru_cache(maxsize=16_384)
def head(stored: bytes) -> Head:
    """The head of a stored body; remembered, for a stored version never changes."""
    content = orjson.loads(lz4.block.decompress(stored))
    origin, facts, grade = content["originator"], content["facts"], content["evaluation"]
    kind = facts["kind"]
    return Head(
        content["report_id"],
        content["feed"],
        origin["agency_id"],
        content["source_report_no"],
        content["case_no"],
        kind,
        facts.get("headline") or kind.replace("_", " ").capitalize(),
        stamp(content["event_start"]),
        stamp(content["event_end"]) if content.get("event_end") else None,
        stamp(content["received_at"]),
        f"{grade['reliability']}{grade['credibility']}",
        Handling.model_validate(content["handling"]),
        contact(origin),
    )


def contact(originator: dict[str, Any]) -> dict[str, Any]:
    """Whom to call."""
    names = ("agency_id", "unit", "contact_name", "phone", "email", "after_hours_phone")
    return {name: originator.get(name) for name in names}
