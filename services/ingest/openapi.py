"""The OpenAPI document of one feed: every report type with its JSON Schema and a real example."""

from collections.abc import Mapping
from typing import Any, Final

from services.ingest.feeds.base import Feed

REFERENCE: Final = "#/components/schemas/"


def complete(document: dict[str, Any], feed: Feed) -> dict[str, Any]:
    """Add the feed's report types to ``document``: schemas as components, bodies with examples."""
    schemas = document["components"]["schemas"]
    one: dict[str, Any] = {"oneOf": [], "discriminator": {"propertyName": "schema", "mapping": {}}}
    examples: dict[str, Any] = {}
    for name, kind in sorted(feed.types.items()):
        component = name.partition("/")[0]
        hoist(component, kind.json_schema(), schemas)
        one["oneOf"].append({"$ref": REFERENCE + component})
        one["discriminator"]["mapping"][name] = REFERENCE + component
        for number, example in enumerate(kind.examples, 1):
            examples[f"{component}-{number}"] = {
                "summary": kind.doc.strip().partition("\n")[0],
                "value": example,
            }
    paths = document["paths"]
    paths["/v1/reports"]["post"]["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": one, "examples": examples}},
    }
    paths["/v1/reports:bulk"]["post"]["requestBody"] = {
        "required": True,
        "description": "One report a line; `Content-Encoding: gzip` is taken.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
    }
    return document


def hoist(name: str, schema: Mapping[str, Any], components: dict[str, Any]) -> None:
    """Put a schema and its ``$defs`` among the components, under names that no other content has."""
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    names = {
        d: d if components.get(d) in (None, _moved(body, {})) else f"{name}.{d}"
        for d, body in definitions.items()
    }
    for d, body in definitions.items():
        components[names[d]] = _moved(body, names)
    root = {k: v for k, v in schema.items() if k not in ("$defs", "$schema", "$id")}
    components[name] = _moved(root, names)


def _moved(part: Any, names: Mapping[str, str]) -> Any:
    """A part of a schema with its references pointing at the components."""
    if isinstance(part, dict):
        moved = {k: _moved(v, names) for k, v in part.items() if k != "$ref"}
        reference = part.get("$ref")
        if isinstance(reference, str):
            definition = reference.removeprefix("#/$defs/")
            moved["$ref"] = REFERENCE + names.get(definition, definition)
        return moved
    if isinstance(part, list):
        return [_moved(p, names) for p in part]
    return part
