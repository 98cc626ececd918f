"""Counting the same thing once: which reports are one event, at the boundary of each condition."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from services.leads.rules.events import events_of
from shared.contracts.report import Report
from tests.leads.rule_world import car, person, told, view_of

HERE = {"local_id": "place", "role": "PLACE", "lat": 31.7619, "lon": -106.4850}


def seizure(no: str, agency: str = "TXZZZ0001", **given_: Any) -> Report:
    """6 kg of cocaine from Ana's car in El Paso, unless said otherwise."""
    grams = given_.pop("grams", "6000")
    at = {"lat": given_.pop("lat", 31.7619)}
    facts = {"kind": "SEIZURE", "conveyance": "car", "place": "place"} | given_.pop("facts", {})
    vehicle = car(given_.pop("vehicle", "car"))
    facts["conveyance"] = vehicle["local_id"]
    content = {
        "persons": [person("ana_lopez")],
        "vehicles": [vehicle],
        "locations": [HERE | at],
        "drugs": [{"local_id": "x1", "code": given_.pop("code", "9041"), "quantity": grams, "unit": "G"}],
        "facts": facts,
    }
    return told(no, agency, **(content | given_))


def count(*reports: Report) -> int:
    return len(events_of(view_of("ana_lopez", reports), reports))


FIRST = seizure("1")
OTHER = "CAZZZ0001"


@pytest.mark.parametrize(
    ("second", "events"),
    [
        ({}, 1),
        ({"grams": "5700"}, 1),
        ({"grams": "5699.9"}, 2),
        ({"code": "9200"}, 2),
        ({"days": 3}, 1),
        ({"days": 4}, 2),
        ({"lat": 31.80}, 1),
        ({"lat": 31.81}, 2),
        ({"vehicle": "truck"}, 2),
        ({"vehicle": "truck", "facts": {"agencies": [OTHER, "TXZZZ0001"]}}, 1),
        ({"facts": {"kind": "LOOKOUT"}}, 2),
    ],
    ids=["equal", "5 %", "above 5 %", "other drug", "a day", "two days", "4.2 km", "5.3 km", "no tie",
         "shared agency", "no seizure"],
)  # fmt: skip
def test_two_seizures_are_possibly_one(second: dict[str, Any], events: int) -> None:
    assert count(FIRST, seizure("2", OTHER, **second)) == events


@pytest.mark.parametrize("kind", ["FDIN", "BSA_ID", "CUSTODY_RECEIPT"])
def test_equal_numbers_are_one_event_whatever_else_differs(kind: str) -> None:
    def numbered(no: str, value: str, **given_: Any) -> Report:
        return seizure(no, OTHER, facts={"numbers": [{"kind": kind, "value": value}]}, **given_)

    far = {"days": 90, "vehicle": "truck", "grams": "1"}
    assert count(numbered("1", "A-7"), numbered("2", "a-7 ", **far)) == 1
    assert count(numbered("1", "A-7"), numbered("2", "A-8", **far)) == 2


def test_equal_cash_is_one_event_too() -> None:
    def cash(no: str, usd: str) -> Report:
        return seizure(no, OTHER, drugs=[], facts={"seized_usd": usd})

    assert count(cash("1", "5000"), cash("2", "5000")) == 1
    assert count(cash("1", "5000"), cash("2", "5001")) == 2


def test_without_a_known_place_only_the_conveyance_ties() -> None:
    nowhere = {"locations": [{"local_id": "place", "role": "PLACE", "city": "El Paso"}]}
    shared = {"agencies": ["TXZZZ0001"]}
    assert count(FIRST, seizure("2", OTHER, **nowhere)) == 1
    assert count(FIRST, seizure("2", OTHER, vehicle="truck", facts=shared, **nowhere)) == 2


@settings(max_examples=30, deadline=None)
@given(
    st.permutations(
        [FIRST, seizure("2", OTHER), seizure("3", OTHER, grams="5650"), seizure("4", "NYZZZ0001", days=60)]
    )
)
def test_order_does_not_decide_what_is_one_event(reports: list[Report]) -> None:
    def groups(listed: list[Report]) -> list[list[str]]:
        view = view_of("ana_lopez", listed)
        return [[r.source_report_no for r in e.reports] for e in events_of(view, listed)]

    assert groups(reports) == groups(sorted(reports, key=lambda r: r.source_report_no))
