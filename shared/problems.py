"""Problem details (RFC 9457): the types that every service answers errors with, and their exception."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import orjson
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")


class FieldError(BaseModel):
    """One field that is to blame."""

    pointer: str = Field(description="JSON pointer into the body; parameters stand under /query, /path …")
    message: str = Field(description="what is wrong with it")
    allowed: list[str] | None = Field(None, description="the values that are allowed, where they are few")


class ProblemDocument(BaseModel):
    """The body of every error answer."""

    type: str = Field(description="which problem: a path on this service that explains it")
    title: str = Field(description="the type in words; the same every time")
    status: int
    detail: str = Field(description="what went wrong this time, and what to do")
    instance: str = Field(description="the path that was called")
    errors: list[FieldError] | None = Field(None, description="the fields to blame")


class Problem(HTTPException):
    """An error answer; raise it from any handler. It needs no path: that is filled in on the way out."""

    def __init__(
        self,
        status: int,
        type: str,  # noqa: A002 - the standard's own name
        title: str,
        detail: str,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.type = type
        self.title = title
        self.errors = [dict(e) for e in errors]

    def document(self, instance: str) -> dict[str, Any]:
        """The JSON object of this problem at one path; ``errors`` only where fields are to blame."""
        body: dict[str, Any] = {
            "type": self.type,
            "title": self.title,
            "status": self.status_code,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            body["errors"] = self.errors
        return body

    def response(self, instance: str) -> Response:
        """The HTTP answer."""
        body = orjson.dumps(self.document(instance), default=str)
        return Response(body, self.status_code, dict(self.headers or {}), MEDIA_TYPE)


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem with its documentation, served at ``/problems/{slug}``."""

    slug: str
    status: int
    title: str
    doc: str

    @property
    def path(self) -> str:
        """The ``type`` of its documents."""
        return f"/problems/{self.slug}"

    def because(
        self,
        detail: str,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Problem:
        """The exception to raise, with what went wrong this time and what to do."""
        return Problem(self.status, self.path, self.title, detail, errors, headers)

    def retry(self, detail: str, after: float) -> Problem:
        """As ``because``, telling the client to wait ``after`` seconds."""
        return self.because(detail, headers={"Retry-After": str(max(1, ceil(after)))})

    def example(self) -> dict[str, Any]:
        """A document of this type for the OpenAPI examples."""
        return self.because(self.doc).document("/v1/…")


BAD_REQUEST: Final = ProblemType(
    "bad-request", 400, "Bad request", "The request cannot be read as HTTP says it should be."
)
UNAUTHENTICATED: Final = ProblemType(
    "unauthenticated", 401, "Who are you?", "Send `Authorization: Bearer …` with a token that is valid."
)
FORBIDDEN: Final = ProblemType(
    "forbidden", 403, "You may not do this", "The token is valid, but its roles do not allow the call."
)
NOT_FOUND: Final = ProblemType(
    "not-found", 404, "Nothing here", "There is nothing at this path, or nothing that you may see."
)
METHOD: Final = ProblemType(
    "method-not-allowed", 405, "Method not allowed", "The path exists; `Allow` lists its methods."
)
TIMEOUT: Final = ProblemType(
    "request-timeout", 408, "The body did not arrive", "The client stopped sending: send it again."
)
CONFLICT: Final = ProblemType(
    "conflict", 409, "Not in this state", "What the call acts on is in a state that does not allow it."
)
STALE: Final = ProblemType(
    "stale", 412, "Changed meanwhile", "`If-Match` names an older version: read it again, then decide."
)
TOO_LARGE: Final = ProblemType(
    "too-large", 413, "Too large", "The body, a line or a batch exceeds a limit that `detail` names."
)
MEDIA: Final = ProblemType(
    "unsupported-media-type",
    415,
    "Unsupported media type",
    "`Content-Type` or `Content-Encoding` is not one that this call takes.",
)
INVALID: Final = ProblemType(
    "invalid", 422, "Not valid", "`errors` names each field or parameter and what is wrong with it."
)
PURPOSE: Final = ProblemType(
    "purpose-required",
    428,
    "Purpose and case required",
    "Reads of report content carry `Interlock-Purpose` and `Interlock-Case`.",
)
IF_MATCH: Final = ProblemType(
    "if-match-required", 428, "Which version?", "Read it first, then send its `ETag` as `If-Match`."
)
TOO_MANY: Final = ProblemType(
    "too-many-requests", 429, "Too many requests", "Wait `Retry-After` seconds, then go on."
)
HEADERS_TOO_LARGE: Final = ProblemType(
    "headers-too-large", 431, "Headers too large", "The request's headers exceed 32 KiB together."
)
DEFECT: Final = ProblemType(
    "internal", 500, "Our fault", "A defect, logged under the answer's `Request-Id`; trying again may help."
)
UNAVAILABLE: Final = ProblemType(
    "unavailable", 503, "Unavailable for a moment", "Something behind the service is away; try again."
)

STANDARD: Final[Sequence[ProblemType]] = (
    BAD_REQUEST, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, METHOD, TIMEOUT, CONFLICT, STALE, TOO_LARGE, MEDIA,
    INVALID, PURPOSE, IF_MATCH, TOO_MANY, HEADERS_TOO_LARGE, DEFECT, UNAVAILABLE,
)  # fmt: skip
"""The types that every service may answer with."""


def problem_responses(*types: ProblemType) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route that can answer with these types, each with an example."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in types:
        entry = found.setdefault(
            kind.status,
            {
                "description": kind.title,
                "model": ProblemDocument,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
            },
        )
        entry["content"][MEDIA_TYPE].setdefault("examples", {})[kind.slug] = {
            "summary": kind.title,
            "value": kind.example(),
        }
    return found


def pointer(location: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a pydantic error's location."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def field_errors(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """FastAPI's validation errors as ``errors[]``; no input is repeated, for it may be sensitive."""
    found = []
    for error in errors:
        location = list(error["loc"])
        if location[:1] == ["body"]:
            location = location[1:]
        entry: dict[str, Any] = {"pointer": pointer(location), "message": str(error["msg"])}
        if error["type"] == "json_invalid":
            cause = error.get("ctx", {}).get("error", "")
            entry = {"pointer": "", "message": f"the body is not JSON: {cause} at character {location[-1]}"}
        if error["type"] in ("enum", "literal_error"):
            entry["allowed"] = _QUOTED.findall(str(error.get("ctx", {}).get("expected", "")))
        found.append(entry)
    return found


class Registry:
    """The problem types of one service, for the pages under ``/problems``."""

    def __init__(self, extra: Iterable[ProblemType] = ()) -> None:
        self._types = {t.slug: t for t in (*STANDARD, *extra)}

    def page(self, slug: str) -> dict[str, Any]:
        """What a type means; raises the 404 problem for a slug that there is not."""
        if slug not in self._types:
            raise NOT_FOUND.because(f"no problem type {slug!r}")
        found = self._types[slug]
        return {"type": found.path, "title": found.title, "status": found.status, "meaning": found.doc}

    def pages(self) -> list[dict[str, Any]]:
        """Every type, by status."""
        return [self.page(t.slug) for t in sorted(self._types.values(), key=lambda t: (t.status, t.slug))]
