"""Operations in the registry: across midnight, time zones, date line and poles; by a shared target."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.leads.deconfliction.submissions import EventSubmission
from tests.leads.deconfliction.counter import Counter, target
from tests.leads.deconfliction.house import PHONE, A, B, C, House

NIGHT = {"starts_at": "2026-03-04T23:30:00Z", "ends_at": "2026-03-04T23:50:00Z"}


def at(starts: str, ends: str, **more: Any) -> dict[str, Any]:
    """A window, and what else an operation says."""
    return {"starts_at": starts, "ends_at": ends} | more


@pytest.mark.parametrize(
    ("one", "other", "met"),
    [
        (NIGHT, at("2026-03-05T00:30:00Z", "2026-03-05T01:00:00Z"), True),
        (NIGHT, at("2026-03-05T01:51:00Z", "2026-03-05T02:00:00Z"), False),
        (NIGHT, at("2026-03-04T16:45:00-07:00", "2026-03-04T17:00:00-07:00"), True),
        (NIGHT, at("2026-03-05T07:30:00+08:00", "2026-03-05T08:00:00+08:00"), True),
        (NIGHT, at("2026-03-04T23:30:00-07:00", "2026-03-04T23:50:00-07:00"), False),
        # The clocks go forward in El Paso on 2026-03-08: 01:30 MST and 03:30 MDT are an hour apart.
        (
            at("2026-03-08T01:20:00-07:00", "2026-03-08T01:30:00-07:00"),
            at("2026-03-08T03:29:00-06:00", "2026-03-08T03:40:00-06:00"),
            True,
        ),
        (NIGHT | {"lat": 10, "lon": 179.9999}, NIGHT | {"lat": 10, "lon": -179.9999}, True),
        (NIGHT | {"lat": 10, "lon": 180}, NIGHT | {"lat": 10, "lon": -180}, True),
        (NIGHT | {"lat": 10, "lon": 179.99}, NIGHT | {"lat": 10, "lon": -179.99}, False),
        (NIGHT | {"lat": 89.9995, "lon": 0}, NIGHT | {"lat": 89.9995, "lon": 180}, True),
        (NIGHT | {"lat": -89.9995, "lon": -90}, NIGHT | {"lat": -89.9995, "lon": 90}, True),
        (NIGHT | {"lat": 90, "lon": 0}, NIGHT | {"lat": -90, "lon": 0}, False),
        (NIGHT | {"lat": 31.76}, NIGHT | {"lat": 31.7625}, True),
        (NIGHT | {"lat": 31.76}, NIGHT | {"lat": 31.7627}, False),
        (NIGHT | {"lat": 31.76}, NIGHT | {"lat": 31.774, "radius_m": 1600}, True),
        (NIGHT | {"lat": 31.76}, NIGHT | {"lat": 31.775, "radius_m": 1600}, False),
    ],
)
def test_operations_meet_wherever_and_whenever_they_are(
    house: House, one: dict[str, Any], other: dict[str, Any], met: bool
) -> None:
    house.event(A, "a1", **one)
    house.event(B, "b1", **other)
    assert (len(house.inbox(A)), len(house.inbox(B))) == (met, met)


def test_the_second_is_told_at_once_from_either_side(house: House) -> None:
    west, east = NIGHT | {"lat": 0, "lon": -179.9999}, NIGHT | {"lat": 0, "lon": 179.9999}
    for n, (one, other) in enumerate([(west, east), (east, west)]):
        plan = {"starts_at": f"2026-03-1{n}T05:00:00Z", "ends_at": f"2026-03-1{n}T06:00:00Z"}
        assert house.event(A, f"a{n}", **one | plan).status == "CLEAR"
        assert house.event(B, f"b{n}", **other | plan).class_ == "EVENT"


def test_one_target_at_two_ends_of_the_country_is_a_collision_while_both_are_out(house: House) -> None:
    house.event(A, "a1", **PHONE)
    far = {"lat": 47.6, "lon": -122.3}
    assert house.event(B, "b1", **far, **PHONE).class_ == "EVENT"
    later = {"starts_at": "2026-03-05T13:00:00Z", "ends_at": "2026-03-05T14:00:00Z"}
    assert house.event(C, "c1", **far, **later, **PHONE).status == "CLEAR"


def test_an_operation_meets_who_works_on_its_target(house: House) -> None:
    house.target(A, "a1", **PHONE)
    assert house.event(B, "b1", **PHONE).class_ == "EXACT"
    assert house.inbox(A)[0]["urgency"] == "IMMEDIATE", "the operation starts within two hours"


def test_operations_are_never_silent_whoever_submits_them(house: House) -> None:
    house.target(A, "a1", share="RED", **PHONE)
    house.event(A, "a2")
    assert house.event(B, "b1", **PHONE).contacts[0].agency == A


def test_two_teams_of_one_agency_are_told_by_their_supervisor(house: House) -> None:
    house.event(A, "a1", unit="SWAT")
    assert house.event(A, "a2", unit="NARCOTICS").status == "CLEAR"
    assert [n["level"] for n in house.inbox(A)] == ["SUPERVISOR"]
    house.event(A, "a3", unit="SWAT", starts_at="2026-03-09T13:00:00Z", ends_at="2026-03-09T14:00:00Z")
    house.event(A, "a4", unit="SWAT", starts_at="2026-03-09T13:00:00Z", ends_at="2026-03-09T14:00:00Z")
    assert len(house.inbox(A)) == 1, "one team does not collide with itself"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("radius_m", 1600.1), ("radius_m", 0), ("lat", 90.1), ("lon", -180.1),
        ("ends_at", "2026-03-04T23:30:00Z"), ("ends_at", "2026-04-10T00:00:00Z"),
        ("starts_at", "2026-03-04T23:30:00"),
    ],
)  # fmt: skip
def test_an_operation_out_of_bounds_is_refused(field: str, value: Any) -> None:
    body = {
        "reference": "r", "unit": "u", "type": "RAID", "lat": 0, "lon": 0, **NIGHT,
        "contact": {"name": "SYN", "phone": "+19155550101"},
    }  # fmt: skip
    EventSubmission.model_validate(body)
    with pytest.raises(ValidationError):
        EventSubmission.model_validate(body | {field: value})


def test_statistics_tell_weeks_outcomes_and_times_and_hide_small_numbers(house: House) -> None:
    counter = Counter(house)
    for n in range(6):
        for agency in (A, B):
            counter.client(agency).post("/v1/deconfliction/targets", json=target(f"{n}", f"+1915555011{n}"))
    house.settle()
    house.clock.now = house.clock.now.replace(minute=5)
    for agency in (A, B):
        for notice in counter.client(agency).get("/v1/notices").json()["items"]:
            counter.client(agency).post(f"/v1/notices/{notice['notice_id']}/acknowledge")
    for notice in counter.client(A).get("/v1/notices").json()["items"][:5]:
        path = f"/v1/conflicts/{notice['conflict_id']}/resolve"
        counter.client(A).post(path, json={"outcome": "JOINT"})
    found = counter.client(C, "auditor").get("/v1/deconfliction/statistics").json()
    assert found["open_submissions"] == {"TARGET": 12}
    weeks = {(c["state"], c["outcome"]): c for c in found["conflicts"]}
    assert weeks["RESOLVED", "JOINT"] == {
        "week": "2026-02-26", "state": "RESOLVED", "outcome": "JOINT", "count": 5,
        "mean_seconds_to_acknowledge": 300,
    }  # fmt: skip
    assert weeks["ACK_BOTH", None]["count"] == "<5"
    assert weeks["ACK_BOTH", None]["mean_seconds_to_acknowledge"] is None
    assert all(secret not in str(found) for secret in (A, B, "555", "SYN", "DC-"))
