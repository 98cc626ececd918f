"""A report as the viewer may see it: whole, a pointer, or nothing."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.report import report_id_of
from tests.leads.api import Api
from tests.leads.picture_world import NOW, report

OWNER, OTHER = "TXZZZ0001", "CAZZZ0002"
PHONE = {"local_id": "p1", "number": "+19155550142", "role": "CONTACT"}
CHILD = {"local_id": "s1", "full_name": "Ana Perez Soto", "juvenile": True, "role": "ASSOCIATE"}


def read(api: Api, agency: str, no: str = "A", **claims: Any) -> tuple[int, dict[str, Any]]:
    answer = api.client(agency, **claims).get(f"/v1/reports/{report_id_of(OWNER, no)}")
    return answer.status_code, answer.json()


def test_who_may_see_it_gets_it_whole(api: Api) -> None:
    given = report("A", OWNER, phones=[PHONE], details={"anything": "as sent"})
    api.feed(api.world.put(given))
    status, body = read(api, OTHER)
    assert (status, body["visibility"]) == (200, "FULL")
    assert body["report"]["details"] == {"anything": "as sent"}
    assert body["report"]["phones"][0]["number"] == "+19155550142"


@pytest.mark.parametrize("handling", [{"share": "YELLOW"}, {"orcon": True}])
def test_a_pointer_only_to_who_holds_the_identifier(api: Api, handling: dict[str, Any]) -> None:
    api.feed(api.world.put(report("A", OWNER, phones=[PHONE], handling=handling, case_no="SECRET-1")))
    assert read(api, OTHER)[0] == 404
    api.feed(api.world.put(report("B", OTHER, phones=[PHONE])))
    status, body = read(api, OTHER)
    assert status == 200
    assert body["visibility"] == "POINTER"
    assert body["identifiers"] == ["phone:+19155550142"]
    assert body["contact"]["agency_id"] == OWNER
    assert "report" not in body
    assert "SECRET-1" not in str(body)
    assert read(api, "AZZZZ0003")[0] == 404
    assert read(api, OWNER)[1]["visibility"] == "FULL"


@pytest.mark.parametrize("handling", [{"share": "RED"}, {"caveats": ["BSA"]}, {"release_to": ["AZZZZ0003"]}])
def test_hidden_is_the_same_as_not_there(api: Api, handling: dict[str, Any]) -> None:
    api.feed(
        api.world.put(report("A", OWNER, phones=[PHONE], handling=handling)),
        api.world.put(report("B", OTHER, phones=[PHONE])),
    )
    hidden, missing = read(api, OTHER), read(api, OTHER, "nothing")
    assert hidden[0] == missing[0] == 404
    assert {k: v for k, v in hidden[1].items() if k != "instance"} == {
        k: v for k, v in missing[1].items() if k != "instance"
    }


def test_a_juvenile_is_named_to_the_originator_and_to_the_authority(api: Api) -> None:
    api.feed(api.world.put(report("A", OWNER, persons=[CHILD])))
    assert "Perez" in str(read(api, OWNER)[1])
    assert "Perez" in str(read(api, OTHER, authorities=["JUVENILE"])[1])
    status, body = read(api, OTHER)
    assert status == 200
    assert "Perez" not in str(body)


def test_retracted_or_expired_it_is_gone_for_its_owner_too(api: Api) -> None:
    first = report("A", OWNER, phones=[PHONE])
    api.feed(api.world.put(first), api.world.put(report("B", OWNER, phones=[PHONE])))
    api.feed(api.world.retract(first.report_id))
    assert read(api, OWNER)[0] == 404
    assert read(api, OWNER, "B")[0] == 200
    api.now = NOW + timedelta(days=200)
    assert read(api, OWNER, "B")[0] == 404
