"""What is wrong with a payload, in words for the programmer of an agency: one problem per field.

A problem names the field by JSON Pointer (RFC 6901), says what to do, and lists the allowed codes where
there are few, or the closest ones of a long list. It never repeats what was sent beyond a short code.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError
from rapidfuzz import fuzz, process, utils

FEW = 40
"""A code list up to this length is listed whole in a problem."""
CLOSEST = 5
BROKEN_RULES = "broken_rules"

_SCHEMA = re.compile(r"^[A-Z0-9]+(\.[A-Z0-9_]+)?/[0-9]+$")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")
_SHAPES: Mapping[str, str] = {
    "agency_id": "nine characters: the state's two letters, then seven letters or digits (TXZZZ0001)",
    "phone": "an E.164 number, such as +19155550142",
    "after_hours_phone": "an E.164 number, such as +19155550142",
    "call_back": "an E.164 number, such as +19155550142",
    "email": "an e-mail address",
    "cui": "a CUI banner such as CUI//LEI or CUI//SP-FSEC, or UNCLASSIFIED; classified content is refused",
    "bsa_id": "the 14 digits of the BSA identifier",
    "file_sha256": "64 lower-case hexadecimal digits",
    "image_sha256": "64 lower-case hexadecimal digits",
    "dob": "YYYY, YYYY-MM or YYYY-MM-DD",
    "jurisdiction": "an ISO 3166-2 code, such as US-TX or MX-CHH",
    "citizenship": "a two-letter ISO 3166 country code",
    "country": "a two-letter ISO 3166 country code",
    "port_code": "the four digits of the port, such as 2402 (El Paso)",
    "local_id": "up to 40 letters, digits, and . _ : -",
    "release_to": "an agency (TXZZZ0001) or a centre (SOD, OFC, EPIC, BCSC …)",
}  # fmt: skip


class Problem(TypedDict):
    """One thing to mend: where, what, and the codes that would be right."""

    pointer: str
    message: str
    allowed: NotRequired[list[str]]


def problem(pointer: str, message: str, allowed: Iterable[str] | None = None) -> Problem:
    """A problem at ``pointer``; an empty pointer is the whole document."""
    found: Problem = {"pointer": pointer, "message": message}
    if allowed is not None:
        found["allowed"] = list(allowed)
    return found


def unknown_code(pointer: str, value: object, codes: Iterable[str]) -> Problem:
    """``value`` is not in a code list: all of a short list is given, the closest codes of a long one."""
    allowed = list(codes)
    shown = f"{value!r} is not one of its codes" if _is_short(value) else "is not one of its codes"
    if len(allowed) <= FEW:
        return problem(pointer, shown, allowed)
    message = f"{shown}; the closest of {len(allowed)} are given, GET /v1/schemas/{{type}} lists all"
    return problem(pointer, message, closest(str(value)[:100], allowed))


def closest(value: str, codes: Sequence[str]) -> list[str]:
    """The codes most like ``value``, best first."""
    found = process.extract(value, codes, scorer=fuzz.WRatio, processor=utils.default_process, limit=CLOSEST)
    return [code for code, _, _ in found]


def pointer_of(location: Iterable[str | int]) -> str:
    """The RFC 6901 pointer of a path."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def broken(problems: Sequence[Problem]) -> PydanticCustomError:
    """The error by which a validator reports rules that span fields, with pointers relative to its model."""
    summary = "; ".join(f"{p['pointer'] or '/'}: {p['message']}" for p in problems)
    return PydanticCustomError(BROKEN_RULES, "{summary}", {"summary": summary, "problems": list(problems)})


def refusal(title: str, problems: Sequence[Problem]) -> ValidationError:
    """A ``ValidationError`` made of our own problems, for what is found outside of any model."""
    line = InitErrorDetails(type=broken(problems), loc=(), input=None)
    return ValidationError.from_exception_data(title, [line], hide_input=True)


def problems_of(error: ValidationError) -> list[Problem]:
    """Every problem of a refused payload, in the order of its fields."""
    found: list[Problem] = []
    lines = error.errors(include_url=False)
    for line in lines:
        if line["type"] == "too_short" and _has_worse(line["loc"], lines):
            continue  # the items that are there are wrong themselves
        location = _without_tag(line["loc"])
        context: Mapping[str, Any] = line.get("ctx", {})
        if line["type"] == BROKEN_RULES:
            prefix = pointer_of(location)
            found += [
                problem(prefix + p["pointer"], p["message"], p.get("allowed")) for p in context["problems"]
            ]
        else:
            found.append(_problem(line["type"], location, line, context))
    return found


def _has_worse(location: tuple[str | int, ...], lines: Sequence[Mapping[str, Any]]) -> bool:
    return any(len(o["loc"]) > len(location) and o["loc"][: len(location)] == location for o in lines)


def _without_tag(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    tagged = bool(location) and isinstance(location[0], str) and _SCHEMA.match(location[0])
    return location[1:] if tagged else location


def _problem(
    kind: str, location: tuple[str | int, ...], line: Mapping[str, Any], context: Mapping[str, Any]
) -> Problem:
    pointer = pointer_of(location)
    if kind == "union_tag_invalid":
        return unknown_code("/schema", context["tag"], _QUOTED.findall(context["expected_tags"]))
    if kind == "union_tag_not_found":
        return problem("/schema", "is missing; it names the type, such as EPIC.SEIZURE/1")
    if kind in {"literal_error", "enum"}:
        return unknown_code(pointer, line["input"], _QUOTED.findall(context["expected"]))
    if kind in {"too_short", "too_long"}:
        bound = "min_length" if kind == "too_short" else "max_length"
        return problem(
            pointer, f"has {context['actual_length']} items; the {_BOUND[bound]} is {context[bound]}"
        )
    if kind == "string_pattern_mismatch":
        return problem(pointer, f"must be {_shape(location, context['pattern'])}")
    return problem(pointer, _PLAIN.get(kind) or _plain(line["msg"]))


_BOUND: Mapping[str, str] = {"min_length": "least", "max_length": "most"}
_PLAIN: Mapping[str, str] = {
    "missing": "is missing; it is mandatory",
    "extra_forbidden": "is not a field of this report type; unknown fields are refused",
    "timezone_aware": "needs a UTC offset, such as 2026-03-04T21:10:00-07:00",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "tuple_type": "must be a JSON array",
    "list_type": "must be a JSON array",
}


def _shape(location: tuple[str | int, ...], pattern: str) -> str:
    names = [part for part in location if isinstance(part, str)]
    return (_SHAPES.get(names[-1]) if names else None) or f"text of the form {pattern}"


def _plain(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:] if text[:2].istitle() else text


def _is_short(value: object) -> bool:
    return isinstance(value, str | int | float | bool) and len(str(value)) <= 60
