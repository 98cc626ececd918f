"""Logs are JSON lines that carry the trace; trace contexts follow W3C."""

import json
import logging
import re

import pytest

from shared.telemetry import JsonFormatter, child, new_traceparent, request_id, trace_id, traceparent

VALID = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01")


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("x", logging.WARNING, __file__, 1, message, (), None)
    made.__dict__.update(extra)
    return made


def test_a_trace_context_is_valid_and_new_each_time() -> None:
    assert VALID.fullmatch(new_traceparent())
    assert new_traceparent() != new_traceparent()


def test_a_child_stays_in_the_trace_with_its_own_span() -> None:
    parent = new_traceparent()
    made = child(parent)
    assert VALID.fullmatch(made)
    assert trace_id(made) == trace_id(parent)
    assert made != parent


@pytest.mark.parametrize(
    "bad", ["", "00-xyz", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01", "00-" + "a" * 500]
)
def test_a_malformed_context_starts_a_new_trace(bad: str) -> None:
    assert VALID.fullmatch(child(bad))


def test_a_log_line_is_one_json_object_with_its_trace() -> None:
    context = new_traceparent()
    tokens = traceparent.set(context), request_id.set("r1")
    try:
        line = JsonFormatter("ingest").format(record("two\nlines", lag=3))
    finally:
        traceparent.reset(tokens[0])
        request_id.reset(tokens[1])
    assert "\n" not in line
    parsed = json.loads(line)
    assert parsed["message"] == "two\nlines"
    assert parsed["level"] == "WARNING"
    assert parsed["service"] == "ingest"
    assert parsed["trace_id"] == trace_id(context)
    assert parsed["request_id"] == "r1"
    assert parsed["lag"] == 3
    assert parsed["time"].endswith("Z")


def test_an_exception_is_part_of_its_line() -> None:
    made = record("failed")
    made.exc_info = (ValueError, ValueError("why"), None)
    assert "ValueError: why" in json.loads(JsonFormatter("x").format(made))["exception"]


def test_what_json_cannot_hold_is_shown_as_text() -> None:
    assert json.loads(JsonFormatter("x").format(record("m", thing={1})))["thing"] == "{1}"
