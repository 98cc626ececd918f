"""JSON Schema of a report type, with one line for every code."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

from services.ingest.feeds import codes
from services.ingest.feeds.codes.terms import CONTRACT

LISTED: Final = {
    ("Predicate", "offence"): codes.OFFENCE,
    ("Vehicle", "kind"): codes.CONVEYANCE,
    ("Drug", "code"): codes.DRUG,
    ("Currency", "code"): codes.CURRENCY,
}
"""Contract fields whose codes stand on a published list; rules.py checks them."""


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of ``model``: every enum carries ``x-meanings``, code → one line."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    definitions = schema.get("$defs", {})
    for (name, field), listed in LISTED.items():
        if name in definitions:
            _string_in(definitions[name]["properties"][field]).update(listed.json_schema())
    meanings = {frozenset(listed): listed.meanings for listed in CONTRACT}
    for node in _nodes(schema):
        if "enum" in node and "x-meanings" not in node:
            known = meanings.get(frozenset(node["enum"]))
            if known is not None:
                node["x-meanings"] = dict(known)
    return schema


def _string_in(field: dict[str, Any]) -> dict[str, Any]:
    """The node that describes the string of an optional field, without its looser pattern."""
    node: dict[str, Any] = next((o for o in field.get("anyOf", ()) if o.get("type") == "string"), field)
    for loose in ("pattern", "minLength", "maxLength"):
        node.pop(loose, None)
    return node


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from _nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _nodes(value)
