"""Foreign formats that a feed takes as a whole document: which there are, and their documents as lines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from services.ingest.body import XML
from services.ingest.bulk import Item
from services.ingest.formats import bsa_xml
from services.ingest.problems import INVALID_REPORT, MALFORMED, UNKNOWN_FORMAT
from shared.problems import INVALID, Problem

Query = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name in ``?format=``, its media types, its further parameters, and its reader."""

    name: str
    media: tuple[str, ...]
    parameters: tuple[str, ...]
    read: Callable[[bytes, str, Query], Iterator[Item]]


def _bsa(document: bytes, agency: str, query: Query) -> Iterator[Item]:
    """The activities of a BSA batch as numbered lines; raises the 422 problem for a batch that is unsound."""
    try:
        defaults = bsa_xml.BatchDefaults.from_query(agency, datetime.now(UTC), query)
        for position, payload in bsa_xml.read(document, defaults):
            if isinstance(payload, bsa_xml.Unreadable):
                yield position, _unreadable(payload)
            else:
                yield position, orjson.dumps(payload)
    except bsa_xml.BadBatch as error:
        raise MALFORMED.because(f"The batch cannot be read: {error}.") from None


def _unreadable(found: bsa_xml.Unreadable) -> Problem:
    first = found.problems[0]
    return INVALID_REPORT.because(f"{first['pointer']}: {first['message']}", found.problems)


FORMATS: Final[Mapping[str, tuple[Format, ...]]] = {
    "OFC": (Format("bsa-xml", XML, bsa_xml.QUERY, _bsa),),
}
"""The import formats of each feed."""


def format_of(feed: str, query: Query) -> Format:
    """The format that a call asks for; raises the 422 problem, naming what there is."""
    formats = {f.name: f for f in FORMATS.get(feed, ())}
    asked = list(query.get("format", ()))
    if len(asked) == 1 and asked[0] in formats:
        return formats[asked[0]]
    known = ", ".join(formats) or "none"
    message = f"is not one format of {feed}; it has {known}" if asked else f"is missing; {feed} has {known}"
    error = {"pointer": "/query/format", "message": message, "allowed": list(formats)}
    raise UNKNOWN_FORMAT.because(f"The parameter `format` {message}.", [error])


def settings_of(asked: Format, query: Query) -> Query:
    """The parameters beside ``format``; raises the 422 problem for those that the format does not have."""
    given = {name: values for name, values in query.items() if name != "format"}
    allowed = ["format", *asked.parameters]
    if unknown := [name for name in given if name not in asked.parameters]:
        errors = [
            {"pointer": f"/query/{name}", "message": "unknown parameter", "allowed": allowed}
            for name in unknown
        ]
        raise INVALID.because(f"Unknown query parameter {unknown[0]!r}.", errors)
    return given


def parameters(feed: str) -> list[dict[str, Any]]:
    """The query parameters of a feed's import call, for the OpenAPI document."""
    formats = FORMATS.get(feed, ())
    names = dict.fromkeys(name for f in formats for name in f.parameters)
    one = {"name": "format", "in": "query", "required": True, "schema": {"enum": [f.name for f in formats]}}
    return [one] + [
        {
            "name": name,
            "in": "query",
            "schema": {"type": "string"},
            "description": "What the document lacks, for all its reports.",
        }
        for name in names
    ]
