"""What ingest answers, for the OpenAPI document and for clients that validate."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.problems import ProblemDocument

_RECEIPT_ID = "1f6b" * 22
_REPORT_ID = "5b0c9d0e-6f3e-5a55-9a83-0e4f3b1f4c11"


class Accepted(BaseModel):
    """The report is durable; from here it is fused or dead-lettered, never lost."""

    receipt_id: str = Field(description="ask `/v1/receipts/{receipt_id}` what became of the report")
    report_id: str = Field(description="the same for every version, and whenever it is sent again")
    version: int

    model_config = ConfigDict(
        json_schema_extra={"example": {"receipt_id": _RECEIPT_ID, "report_id": _REPORT_ID, "version": 1}}
    )


class LineOutcome(BaseModel):
    """What became of one line (or document); the answer has one for each, in order, as NDJSON."""

    line: int = Field(description="from 1; blank lines are counted and not answered")
    outcome: Literal["ACCEPTED", "REFUSED"]
    receipt_id: str | None = Field(None, description="of an accepted line")
    report_id: str | None = Field(None, description="of an accepted line")
    problem: ProblemDocument | None = Field(
        None, description="why a line is refused; status 503 = send it again, anything else = mend it first"
    )

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"line": 1, "outcome": "ACCEPTED", "receipt_id": _RECEIPT_ID, "report_id": _REPORT_ID}
        }
    )


class ReceiptState(BaseModel):
    """What became of an accepted report."""

    receipt_id: str
    state: Literal["ACCEPTED", "FUSED", "DEAD_LETTERED"] = Field(
        description="waiting for fusion; part of the picture (a repeated or outdated version changes "
        "nothing); or kept aside with the reason in `problem`"
    )
    accepted_at: AwareDatetime
    processed_at: AwareDatetime | None = Field(
        None, description="when it was seen done; null while it waits, and where that was not seen"
    )
    problem: ProblemDocument | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "receipt_id": _RECEIPT_ID,
                "state": "FUSED",
                "accepted_at": "2026-03-05T04:10:00.120000Z",
                "processed_at": "2026-03-05T04:10:00.390000Z",
                "problem": None,
            }
        }
    )


class SchemaEntry(BaseModel):
    """One report type of this feed."""

    type: str = Field(description="such as EPIC.SEIZURE")
    schema_: str = Field(
        alias="schema", description="the value of `schema` in a report, such as EPIC.SEIZURE/1"
    )
    title: str
    href: str


class SchemaList(BaseModel):
    """Every report type of this feed."""

    feed: str
    title: str
    items: list[SchemaEntry]


class JsonSchema(BaseModel):
    """A JSON Schema (2020-12) with examples."""

    model_config = ConfigDict(extra="allow")
    examples: list[dict[str, Any]] = Field(default_factory=list)
