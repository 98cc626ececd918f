"""The problem types that only ingest answers with."""

from typing import Final

from shared.problems import ProblemType

MALFORMED: Final = ProblemType(
    "malformed",
    422,
    "Not readable",
    "The body is not what its Content-Type says; `detail` says where and why.",
)
TOO_DEEP: Final = ProblemType(
    "too-deep", 422, "Nested too deeply", "The JSON nests deeper than any report; `detail` gives the limit."
)
UNKNOWN_SCHEMA: Final = ProblemType(
    "unknown-schema",
    422,
    "Unknown schema",
    "`schema` names no report type of this feed; `errors` lists those there are.",
)
WRONG_FEED: Final = ProblemType(
    "wrong-feed",
    422,
    "Another feed's schema",
    "The report type exists, but another feed takes it: see `detail`.",
)
INVALID_REPORT: Final = ProblemType(
    "invalid-report", 422, "Not a valid report", "`errors` names every field to mend, and the codes allowed."
)
NOT_ORIGINATOR: Final = ProblemType(
    "not-the-originator",
    403,
    "Not your agency's report",
    "`originator.agency_id` must be the agency of the token: nobody writes as another.",
)
UNKNOWN_FORMAT: Final = ProblemType(
    "unknown-format", 422, "Unknown format", "`format` names no import format of this feed."
)
DEAD_LETTERED: Final = ProblemType(
    "dead-lettered",
    422,
    "Could not be fused",
    "The report was accepted but could not be processed; it is kept with its reason for the operator.",
)

PROBLEMS: Final = (
    MALFORMED, TOO_DEEP, UNKNOWN_SCHEMA, WRONG_FEED, INVALID_REPORT, NOT_ORIGINATOR, UNKNOWN_FORMAT,
    DEAD_LETTERED,
)  # fmt: skip
