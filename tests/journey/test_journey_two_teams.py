"""Two teams at one house, the lead that waits for them, and a target that stays silent."""

import copy
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.system import System, wait_until

TEXAS, ARIZONA, NEVADA, COLORADO = "TXZZZ0001", "AZZZZ0003", "NVZZZ0005", "COZZZ0006"
HOUSE = "12 Invented St Apt 4, El Paso, TX 79901"
PASSPORT = {"type": "PASSPORT", "value": "G77000001", "issuer": "MX"}
START = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=90)


def operation(reference: str, kind: str, minutes: int, lat: float, **more: Any) -> dict[str, Any]:
    """An operation at the house; ``minutes`` after the first, two hours long."""
    starts = START + timedelta(minutes=minutes)
    return {
        "reference": reference, "unit": f"{reference} TEAM", "type": kind, "lat": lat, "lon": -106.48,
        "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=2)).isoformat(),
        "contact": {"name": f"SYN {reference}", "phone": "+19155550150"}, "case_no": f"SECRET {reference}",
    } | more  # fmt: skip


def submit(client: httpx.Client, what: str, body: dict[str, Any]) -> dict[str, Any]:
    """Submit a target or an event."""
    answer = client.post(f"/v1/deconfliction/{what}", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def inbox(client: httpx.Client) -> list[dict[str, Any]]:
    """The notices of a client's agency."""
    found: list[dict[str, Any]] = client.get("/v1/notices").json()["items"]
    return found


def report_of_the_courier(client: httpx.Client, feed: str, agency: str) -> dict[str, Any]:
    """The feed's example seizure as its agency would send it: of the courier who lives at the house."""
    payload: dict[str, Any] = copy.deepcopy(client.get(f"/v1/schemas/{feed}.SEIZURE").json()["examples"][0])
    today = datetime.now(UTC)
    payload |= {"source_report_no": f"J3-{feed}", "event_start": (today - timedelta(hours=3)).isoformat()}
    payload["originator"]["agency_id"] = agency
    payload["handling"] |= {"share": "GREEN", "orcon": False, "release_to": [], "caveats": []}
    payload["retention"] |= {
        "review_by": f"{today.year + 1}-01-01",
        "retain_until": f"{today.year + 2}-01-01",
    }
    payload["persons"] = [
        {
            "local_id": "p1",
            "role": "COURIER",
            "full_name": "SYN Rosa Delgado",
            "dob": "1981-02-03",
            "ids": [PASSPORT],
        }
    ]
    if feed == "EPIC":
        payload["phones"] = []
        payload["locations"].append({"local_id": "l2", "role": "PLACE", "address": HOUSE})
        payload["relations"] = [{"from": "p1", "to": "l2", "type": "LOCATED_AT"}]
    return payload


@pytest.fixture(scope="module")
def lead(system: System) -> str:
    """The lead about the courier, made of two agencies' reports."""
    for feed, agency in (("EPIC", TEXAS), ("BCSC", ARIZONA)):
        ingest = system.ingest(feed, agency)
        answer = ingest.post("/v1/reports", json=report_of_the_courier(ingest, feed, agency))
        assert answer.status_code == 202, answer.text

    def found() -> list[str]:
        items = system.leads(COLORADO).get("/v1/leads", params={"q": "Rosa Delgado"}).json()["items"]
        return [i["lead_id"] for i in items if i["type"] == "PERSON" and i["releasable"]]

    return str(wait_until(found, 30, "a lead about the courier")[0])


def move(client: httpx.Client, lead: str, to: str) -> httpx.Response:
    """Ask for a transition of the lead as it is; read it again where it changed meanwhile."""
    body = {"to": to, "reason": f"to {to}"}
    while True:
        tag = client.get(f"/v1/leads/{lead}").headers["ETag"]
        answer = client.post(f"/v1/leads/{lead}/transitions", json=body, headers={"If-Match": tag})
        if answer.status_code != 412:
            return answer


def turn_clock(system: System, minutes: int) -> None:
    """Have the deployment's clock this far ahead."""
    draft = system.home / "clock.draft"
    draft.write_text(str(minutes * 60))
    draft.replace(system.home / "clock")


def levels(client: httpx.Client) -> list[str]:
    """The levels of an agency's notices, oldest first."""
    return [n["level"] for n in inbox(client)]


def test_two_teams_one_house(system: System, lead: str) -> None:
    nevada, colorado = system.leads(NEVADA), system.leads(COLORADO)
    assert submit(nevada, "events", operation("BUY", "BUY_BUST", 0, 31.7618))["status"] == "CLEAR"
    warrant = submit(
        colorado, "events", operation("WARRANT", "SEARCH_WARRANT", 30, 31.7600, addresses=[HOUSE])
    )
    assert (warrant["status"], warrant["class"]) == ("HIT", "EVENT")
    assert warrant["contacts"][0]["contact"]["name"] == "SYN BUY"
    for client, other in ((nevada, COLORADO), (colorado, NEVADA)):
        (notice,) = wait_until(lambda c=client: inbox(c), 5, "both sides notified")
        assert (notice["other"]["agency"], notice["urgency"]) == (other, "IMMEDIATE")
        assert "SECRET" not in str(notice)

    supervisors = [system.leads(agency, "supervisor") for agency in (NEVADA, COLORADO)]
    for minutes, seen in ((11, ["SIDE", "LOCAL"]), (22, ["SIDE", "LOCAL", "HQ"])):
        turn_clock(system, minutes)
        for supervisor in supervisors:
            wait_until(lambda s=supervisor, seen=seen: levels(s) == seen, 10, f"{seen} told")
    assert levels(nevada) == levels(colorado) == ["SIDE"], "what escalates goes to supervisors"
    for client in (nevada, colorado):
        (notice,) = inbox(client)
        read = client.post(f"/v1/notices/{notice['notice_id']}/acknowledge")
        assert read.json()["acknowledged_at"] is not None
    conflict = f"/v1/conflicts/{notice['conflict_id']}"
    assert nevada.get(conflict).json()["state"] == "ACK_BOTH"

    reviewer = system.leads(NEVADA, "analyst", "reviewer")
    assert move(colorado, lead, "REVIEW").status_code == 200
    assert move(colorado, lead, "DECONFLICTING").status_code == 403
    assert move(reviewer, lead, "DECONFLICTING").status_code == 200
    blocked = move(reviewer, lead, "RELEASED")
    assert blocked.status_code == 409, blocked.text
    assert "SYN WARRANT" in blocked.json()["errors"][0]["message"]

    settled = colorado.post(f"{conflict}/resolve", json={"outcome": "RESCHEDULED", "note": "moved to noon"})
    assert settled.json()["state"] == "RESOLVED"
    assert "moved to noon" in nevada.get(conflict).json()["note"]
    texas = system.leads(TEXAS)
    (about,) = wait_until(lambda: inbox(texas), 5, "the owner of the lead's evidence notified")
    assert about["identifier"] == HOUSE
    outcome = {"outcome": "PROCEED_SEPARATELY"}
    assert texas.post(f"/v1/conflicts/{about['conflict_id']}/resolve", json=outcome).status_code == 200
    released = move(reviewer, lead, "RELEASED")
    assert released.status_code == 200, released.text
    assert released.json()["deconfliction"]["status"] == "RESOLVED"
    found = colorado.get("/v1/leads", params={"state": "RELEASED"}).json()["items"]
    assert [i["lead_id"] for i in found] == [lead]

    suspended_by_a_late_target(system, lead)


def suspended_by_a_late_target(system: System, lead: str) -> None:
    """Somebody else takes up the courier after the release: whoever acts on the lead is told."""
    reviewer = system.leads(NEVADA, "analyst", "reviewer")
    late = {"reference": "LATE", "unit": "X", "label": "X", "identifiers": [PASSPORT]}
    late["contact"] = {"name": "SYN LATE", "phone": "+19155550151"}
    submit(system.leads("KSZZZ0008"), "targets", late)
    wait_until(lambda: reviewer.get(f"/v1/leads/{lead}").json()["state"] == "SUSPENDED", 5, "suspended")
    assert [n["lead_id"] for n in inbox(reviewer) if n["level"] == "HOLDER"] == [lead]


def test_the_silent_target(system: System) -> None:
    owner, asker = system.leads("LAZZZ0009"), system.leads("GAZZZ0010", "analyst", "supervisor")
    base = {"unit": "U", "label": "L", "contact": {"name": "SYN DESK", "phone": "+19155550152"}}
    phone = [{"type": "PHONE", "value": "+19155550177"}]
    submit(owner, "targets", base | {"reference": "INFORMANT", "share": "RED", "identifiers": phone})
    asked = asker.post("/v1/deconfliction/targets", json=base | {"reference": "ASK1", "identifiers": phone})
    other = [{"type": "PHONE", "value": "+19155550178"}]
    clear = asker.post("/v1/deconfliction/targets", json=base | {"reference": "ASK2", "identifiers": other})

    def blank(answer: httpx.Response) -> str:
        return re.sub(r'DC-\d\d-\w{10}|"checked_at":"[^"]+"', "", answer.text)

    assert blank(asked) == blank(clear)
    assert asked.json()["status"] == "CLEAR"
    (told,) = wait_until(lambda: inbox(owner), 5, "the owner told who asked")
    assert told["other"]["agency"] == "GAZZZ0010"
    assert inbox(asker) == []


def test_a_stream_brings_notices_and_goes_on_where_it_broke_off(system: System) -> None:
    one, two = system.leads("OKZZZ0012"), system.leads("MIZZZ0013")
    base = {"unit": "U", "label": "L", "contact": {"name": "SYN DESK", "phone": "+19155550153"}}
    for n in range(3):
        ids = [{"type": "PHONE", "value": f"+1915555016{n}"}]
        for client in (one, two):
            submit(client, "targets", base | {"reference": f"S{n}", "identifiers": ids})

    def take(number: int, after: str | None) -> list[str]:
        found: list[str] = []
        headers = {"Last-Event-ID": after} if after else {}
        with one.stream("GET", "/v1/notices:stream", headers=headers) as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            for line in events.iter_lines():
                found += [line[4:]] if line.startswith("id: ") else []
                if len(found) == number:
                    break
        return found

    first = take(3, None)
    assert take(2, first[0]) == first[1:]
