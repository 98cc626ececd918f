"""What an agency's programmer reads when a payload is refused."""

import json
from typing import Any

import pytest

from services.ingest.feeds import codes
from services.ingest.feeds.problems import CLOSEST, FEW, closest, pointer_of, unknown_code
from tests.ingest.feed_examples import TYPES, changed, example, problems


def only(payload: dict[str, Any]) -> dict[str, Any]:
    (found,) = problems(payload)
    return dict(found)


@pytest.mark.parametrize(
    ("path", "pointer"),
    [((), ""), (("a", 0, "b"), "/a/0/b"), (("a/b",), "/a~1b"), (("a~b",), "/a~0b"), (("",), "/")],
)
def test_pointers_are_those_of_rfc_6901(path: tuple[str | int, ...], pointer: str) -> None:
    assert pointer_of(path) == pointer


def test_a_short_list_is_given_whole() -> None:
    found = only(changed(example("BCSC.SEIZURE"), "/prong", "OUT"))
    assert found == {
        "pointer": "/prong",
        "message": "'OUT' is not one of its codes",
        "allowed": ["INTERSTATE", "BORDER_OUT", "BORDER_IN", "FOREIGN"],
    }


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("MONEY LAUNDRY", "MONEY_LAUNDERING"),
        ("HEROIN", "DRUG-NARCOTIC-HEROIN"),
        ("COCAINE SMUGGLING", "DRUG-NARCOTIC-COCAINE_SMUGGLE"),
        ("money_laundering", "MONEY_LAUNDERING"),
    ],
)
def test_of_a_long_list_the_closest_codes_are_given_and_where_the_rest_is(wrong: str, meant: str) -> None:
    found = only(changed(example("BCSC.SEIZURE"), "/predicate/offence", wrong))
    assert meant in found["allowed"]
    assert len(found["allowed"]) == CLOSEST
    assert "GET /v1/schemas/{type}" in found["message"]
    assert "587" in found["message"]


def test_every_list_is_few_or_searchable() -> None:
    assert len(codes.OFFENCE) > FEW
    assert closest("9401", list(codes.DRUG))
    assert len(unknown_code("/x", "y", [str(n) for n in range(FEW)])["allowed"]) == FEW


def test_the_type_of_a_report_is_asked_for_by_name() -> None:
    unknown = only(example("BCSC.SEIZURE") | {"schema": "BCSC.SEIZURE"})
    assert unknown["pointer"] == "/schema"
    assert "BCSC.SEIZURE/1" in unknown["allowed"]
    missing = problems(b'{"action":"INSERT"}', "BCSC")
    assert [p["pointer"] for p in missing] == ["/schema"]
    assert "missing" in missing[0]["message"]


def test_a_missing_field_and_an_unknown_one_are_both_named() -> None:
    found = problems(changed(example("EPIC.LPR"), "/plate", ...) | {"plait": "SYN1"})
    assert {p["pointer"]: p["message"].split(";")[0] for p in found} == {
        "/plate": "is missing",
        "/plait": "is not a field of this report type",
    }


def test_no_pointer_holds_a_name_of_ours() -> None:
    for kind in TYPES:
        broken = changed(changed(example(kind.schema), "/evaluation/reliability", "Z"), "/version", "x")
        found = [p["pointer"] for p in problems(broken)]
        assert found == ["/version", "/evaluation/reliability"]


def test_a_wrong_item_is_one_problem_not_two() -> None:
    assert only(changed(example("BCSC.SEIZURE"), "/packaging/0", "VACUM"))["pointer"] == "/packaging/0"


@pytest.mark.parametrize(
    ("pointer", "value", "said"),
    [
        ("/originator/agency_id", "X", "TXZZZ0001"),
        ("/originator/phone", "X", "E.164"),
        ("/event_start", "2026-03-04T00:00:00", "UTC offset"),
        ("/handling/cui", "SECRET", "classified content is refused"),
        ("/packaging", [], "the least is 1"),
        ("/persons", {}, "array"),
        ("/originator", [], "object"),
        ("/retention/retain_until", "2099-01-01", "28 CFR 23"),
        ("/predicate/facts", "short", "40"),
    ],
)
def test_messages_say_what_would_be_right(pointer: str, value: Any, said: str) -> None:
    assert said in only(changed(example("BCSC.SEIZURE"), pointer, value))["message"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"[" * 9_999, b'{"schema":"BCSC.SEIZURE/1",'],
)  # fmt: skip
def test_what_is_no_report_is_refused_in_words(raw: bytes) -> None:
    found = problems(raw, "BCSC")
    assert found
    assert all(p["message"] for p in found)


def test_long_values_are_not_sent_back() -> None:
    secret = "SYN-SECRET-" * 20
    found = problems(changed(example("BCSC.SEIZURE"), "/prong", secret))
    assert secret not in json.dumps(found)


def test_every_broken_rule_is_told_at_once() -> None:
    sent = changed(changed(example("BCSC.SEIZURE"), "/courier", "x"), "/conveyance", "y")
    sent = changed(sent, "/predicate/offence", "x")
    assert [p["pointer"] for p in problems(sent)] == ["/predicate/offence", "/conveyance", "/courier"]
