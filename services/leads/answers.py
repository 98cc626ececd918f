"""Answers in one form: JSON with an ETag of its own bytes, pages with cursors that hold nothing hidden."""

import base64
import binascii
from hashlib import blake2b
from typing import Any, Final

import orjson
from fastapi import Request
from starlette.responses import Response

from shared.problems import INVALID, STALE

JSON: Final = "application/json"
_MARK: Final = 6
"""Bytes of a cursor that tell which list it belongs to."""


def written(body: dict[str, Any]) -> bytes:
    """The body as JSON; times in UTC with ``Z``."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def listing(body: dict[str, Any]) -> Response:
    """A list, or another answer that is no resource."""
    return Response(written(body), media_type=JSON)


def tag_of(raw: bytes) -> str:
    """The ETag of a resource of these bytes."""
    return f'"{blake2b(raw, digest_size=12).hexdigest()}"'


def same(if_match: str, body: dict[str, Any]) -> None:
    """Raise the 412 problem unless ``If-Match`` names this version, or any (``*``)."""
    given = {t.strip() for t in if_match.split(",")}
    if given.isdisjoint({"*", tag_of(written(body))}):
        raise STALE.because(STALE.doc)


def resource(request: Request, body: dict[str, Any]) -> Response:
    """One resource with its ETag; 304 where ``If-None-Match`` names it."""
    raw = written(body)
    tag = tag_of(raw)
    given = {t.strip().removeprefix("W/") for t in request.headers.get("if-none-match", "").split(",")}
    if tag in given or "*" in given:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(raw, headers={"ETag": tag}, media_type=JSON)


def cursor(scope: str, place: list[Any]) -> str:
    """The place after which the next page of the list ``scope`` begins, opaque."""
    return base64.urlsafe_b64encode(_mark(scope) + orjson.dumps(place)).decode().rstrip("=")


def place(scope: str, given: str | None, kinds: tuple[type, ...]) -> list[Any] | None:
    """The inverse of ``cursor``; None without one. Raises the 422 problem for a cursor of something else."""
    if given is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
        found = orjson.loads(raw[_MARK:])
    except (binascii.Error, ValueError):
        found, raw = None, b""
    shaped = isinstance(found, list) and len(found) == len(kinds)
    if (
        raw[:_MARK] != _mark(scope)
        or not shaped
        or any(type(v) is not k for v, k in zip(found, kinds, strict=True))
    ):
        error = {"pointer": "/query/cursor", "message": "not a cursor of this list with these filters"}
        raise INVALID.because("Take `next_cursor` of the page before, with the same filters.", [error])
    return list(found)


def page(scope: str, rows: list[tuple[list[Any], dict[str, Any]]], limit: int) -> dict[str, Any]:
    """``{items, next_cursor}`` of up to ``limit`` + 1 rows, each with its place."""
    shown = rows[:limit]
    more = len(rows) > limit
    return {
        "items": [item for _, item in shown],
        "next_cursor": cursor(scope, shown[-1][0]) if more else None,
    }


def _mark(scope: str) -> bytes:
    return blake2b(scope.encode(), digest_size=_MARK).digest()
