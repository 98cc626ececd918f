"""Deconfliction over HTTP: answers in their shape, silence in every byte, and nothing to learn for others."""

import json
import re
from itertools import count

import anyio
import pytest

from services.leads.deconfliction.bell import Bell
from services.leads.deconfliction.desk import Desk
from services.leads.routes.notices import _events
from shared.auth import Identity
from shared.contracts.handling import Clearance
from tests.leads.deconfliction.counter import Counter, target
from tests.leads.deconfliction.house import A, B, C, House

T = "/v1/deconfliction/targets"


@pytest.fixture
def counter(house: House) -> Counter:
    return Counter(house)


def test_a_hit_says_whom_to_call_and_nothing_else(counter: Counter) -> None:
    counter.client(A).post(T, json=target("a1"))
    answer = counter.client(B).post(T, json=target("b1"))
    assert answer.status_code == 201
    body = answer.json()
    assert list(body) == ["number", "status", "class", "contacts", "checked_at"]
    assert (body["status"], body["class"]) == ("HIT", "EXACT")
    (other,) = body["contacts"]
    assert set(other) == {"number", "agency", "unit", "contact"}
    assert "LABEL" not in answer.text


def test_silence_equals_clear_in_every_byte(counter: Counter) -> None:
    counter.client(C).post(T, json=target("c1", share="RED"))
    silent = counter.client(B).post(T, json=target("b1"))
    clear = counter.client(B).post(T, json=target("b2", "+19155550177"))
    assert silent.status_code == clear.status_code
    assert set(silent.headers) == set(clear.headers)
    blank = re.compile(rb"DC-\d\d-\w{10}")
    assert blank.sub(b"N", silent.content) == blank.sub(b"N", clear.content)
    assert len(silent.content) == len(clear.content)
    counter.house.settle()
    own = [counter.client(B).get(f"/v1/deconfliction/{x.json()['number']}") for x in (silent, clear)]
    one, two = (blank.sub(b"N", x.content).replace(b"b2", b"b1") for x in own)
    assert one == two
    assert counter.client(B, "supervisor").get("/v1/notices").json()["items"] == []
    (told,) = counter.client(C).get("/v1/notices").json()["items"]
    assert told["other"]["agency"] == B
    assert counter.client(B).get(f"/v1/conflicts/{told['conflict_id']}").status_code == 404


def test_statistics_count_no_silent_conflict(counter: Counter) -> None:
    for n in range(6):
        counter.client(C).post(T, json=target(f"c{n}", f"+1915555011{n}", share="RED"))
        counter.client(B).post(T, json=target(f"b{n}", f"+1915555011{n}"))
    counter.house.settle()
    assert counter.client(B, "supervisor").get("/v1/deconfliction/statistics").json()["conflicts"] == []


def test_what_is_anothers_does_not_exist(counter: Counter) -> None:
    number = counter.client(A).post(T, json=target("a1")).json()["number"]
    hers = counter.client(B).get(f"/v1/deconfliction/{number}")
    none = counter.client(B).get("/v1/deconfliction/DC-26-AAAAAAAAAA")
    assert hers.status_code == none.status_code == 404
    assert hers.json() | {"instance": ""} == none.json() | {"instance": ""}
    assert counter.client(B).post(f"/v1/deconfliction/{number}/withdraw").status_code == 404
    counter.client(B).post(T, json=target("b1"))
    counter.house.settle()
    (notice,) = counter.client(A).get("/v1/notices").json()["items"]
    stranger = counter.client(C)
    assert stranger.post(f"/v1/notices/{notice['notice_id']}/acknowledge").status_code == 404
    resolve = f"/v1/conflicts/{notice['conflict_id']}/resolve"
    assert stranger.post(resolve, json={"outcome": "JOINT"}).status_code == 404


def test_both_sides_acknowledge_and_settle(counter: Counter) -> None:
    counter.client(A).post(T, json=target("a1"))
    counter.client(B).post(T, json=target("b1"))
    counter.house.settle()
    for agency in (A, B):
        (notice,) = counter.client(agency).get("/v1/notices").json()["items"]
        read = counter.client(agency).post(f"/v1/notices/{notice['notice_id']}/acknowledge")
        assert read.json()["acknowledged_at"] is not None
    path = f"/v1/conflicts/{notice['conflict_id']}"
    assert counter.client(A).get(path).json()["state"] == "ACK_BOTH"
    settled = counter.client(B).post(f"{path}/resolve", json={"outcome": "LEAD_AGENCY", "note": "A leads"})
    assert settled.json()["state"] == "RESOLVED"
    assert "A leads" in counter.client(A).get(path).json()["note"]
    assert counter.client(A).post(f"{path}/resolve", json={"outcome": "JOINT"}).status_code == 409


def test_a_caseload_goes_in_at_once_and_again_changes_nothing(counter: Counter) -> None:
    counter.client(A).post(T, json=target("a1"))
    lines = [json.dumps(target(f"b{n}", f"+1915555014{n}")) for n in range(5)]
    lines.insert(2, '{"reference": "broken"}')
    client = counter.client(B, "supervisor")
    first, again = (client.post(f"{T}:bulk", content="\n".join(lines)) for _ in range(2))
    rows = [json.loads(line) for line in first.text.splitlines()]
    assert [r["line"] for r in rows] == [1, 2, 3, 4, 5, 6]
    assert [r["outcome"] for r in rows] == ["ACCEPTED"] * 2 + ["REFUSED"] + ["ACCEPTED"] * 3
    assert [r.get("status") for r in rows] == ["CLEAR", "CLEAR", None, "HIT", "CLEAR", "CLEAR"]
    assert {e["pointer"] for e in rows[2]["problem"]["errors"]} >= {"/unit", "/contact"}
    numbers = [json.loads(line).get("number") for line in again.text.splitlines()]
    assert numbers == [r.get("number") for r in rows]
    assert counter.client(B).post(f"{T}:bulk", content="").status_code == 403


def test_notices_come_in_pages_that_hold(counter: Counter) -> None:
    for n in range(5):
        counter.client(A).post(T, json=target(f"a{n}", f"+1915555014{n}"))
        counter.client(B).post(T, json=target(f"b{n}", f"+1915555014{n}"))
    counter.house.settle()
    client, seen, cursor = counter.client(A), [], None
    for _ in count():
        given = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = client.get("/v1/notices", params=given).json()
        seen += [n["notice_id"] for n in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert client.get("/v1/notices", params={"cursor": "AAAA"}).status_code == 422


def test_a_stream_goes_on_after_the_last_event(counter: Counter) -> None:
    for n in range(3):
        counter.client(A).post(T, json=target(f"a{n}", f"+1915555014{n}"))
        counter.client(B).post(T, json=target(f"b{n}", f"+1915555014{n}"))
    counter.house.settle()
    registry = counter.house.registry
    who = Identity("ana", frozenset({"analyst"}), Clearance(A))

    async def take(after: tuple[int, str], number: int) -> list[str]:
        found: list[str] = []
        bell = Bell(registry)
        events = _events(Desk(registry), bell, who, after)
        while len(found) < number:
            found.append((await anext(events)).decode())
        await events.aclose()
        while not bell.is_quiet:
            await anyio.sleep(0.01)
        return found

    first = anyio.run(take, (0, ""), 3)
    assert all("event: notice\ndata: {" in e for e in first)
    place = re.match(r"id: (\d+)-(\S+)", first[1])
    assert place is not None
    assert anyio.run(take, (int(place[1]), place[2]), 1) == first[2:]


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "/v1/deconfliction/queue", "watch_officer"),
        ("GET", "/v1/deconfliction/statistics", "watch_officer"),
        ("GET", "/v1/channels", "supervisor"),
        ("POST", f"{T}:bulk", "supervisor"),
    ],
)
def test_what_needs_a_role_is_refused_without_it(
    counter: Counter, method: str, path: str, needed: str
) -> None:
    assert counter.client(A).request(method, path).status_code == 403
    assert counter.client(A, needed).request(method, path).status_code == 200


def test_the_watch_officer_confirms_or_dismisses(counter: Counter) -> None:
    for n, (a, b) in enumerate([("Jon Smyth", "John Smith"), ("Maria Ruis", "Maria Ruiz")]):
        counter.client(A).post(T, json=target(f"a{n}", identifiers=[], names=[{"full_name": a}]))
        counter.client(B).post(T, json=target(f"b{n}", identifiers=[], names=[{"full_name": b}]))
    counter.house.settle()
    officer = counter.client(C, "watch_officer")
    one, two = officer.get("/v1/deconfliction/queue").json()["items"]
    assert officer.post(f"/v1/deconfliction/queue/{one['conflict_id']}/confirm").status_code == 204
    assert officer.post(f"/v1/deconfliction/queue/{two['conflict_id']}/dismiss").status_code == 204
    assert officer.post(f"/v1/deconfliction/queue/{two['conflict_id']}/confirm").status_code == 404
    counter.house.matcher.recheck()
    counter.house.settle()
    assert officer.get("/v1/deconfliction/queue").json()["items"] == []
    assert [n["class"] for n in counter.client(A).get("/v1/notices").json()["items"]] == ["POSSIBLE"]


def test_nobody_asks_for_everybody(house: House) -> None:
    counter = Counter(house, rate=1)
    codes = [counter.client(A).post(T, json=target(f"a{n}")).status_code for n in range(4)]
    assert codes[0] == 201
    assert codes[-1] == 429


def test_one_person_has_a_daily_limit_that_his_supervisor_sees(house: House) -> None:
    object.__setattr__(house.registry, "daily", 4)
    counter = Counter(house)
    codes = [counter.client(A).post(T, json=target(f"a{n}")).status_code for n in range(5)]
    assert codes == [201] * 4 + [429]
    assert counter.client(A, person="bob").post(T, json=target("b")).status_code == 201
    seen = counter.client(A, "supervisor").get("/v1/deconfliction/statistics").json()["close_to_limit"]
    assert seen == [{"user": "ana", "identifiers": 4}]


def test_a_channel_shows_its_secret_once(counter: Counter) -> None:
    client = counter.client(A, "supervisor")
    made = client.post("/v1/channels", json={"channel": "WEBHOOK", "address": "https://a.example/n"}).json()
    assert made["secret"]
    (shown,) = client.get("/v1/channels").json()["items"]
    assert "secret" not in shown
    bad = client.post("/v1/channels", json={"channel": "WEBHOOK", "address": "http://a.example/n"})
    assert bad.json()["errors"][0]["pointer"] == "/address"
    assert counter.client(B, "supervisor").delete(f"/v1/channels/{made['channel_id']}").status_code == 404
    assert client.delete(f"/v1/channels/{made['channel_id']}").status_code == 204


@pytest.mark.parametrize(
    ("path", "name"), [(T, "TargetSubmission"), ("/v1/deconfliction/events", "EventSubmission")]
)
def test_the_example_of_the_documentation_is_accepted(counter: Counter, path: str, name: str) -> None:
    schema = counter.client(A).get("/openapi.json").json()["components"]["schemas"][name]
    (example,) = schema["examples"]
    assert counter.client(A).post(path, json=example).status_code == 201


def test_an_operator_rotates_the_key_and_sees_how_far_it_is(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.leads.deconfliction.rotation.time.sleep", lambda _: None)
    first = counter.client(A).post(T, json=target("a1")).json()["number"]
    assert counter.client(A).post("/v1/deconfliction/keys:rotate").status_code == 403
    answer = counter.client(C, "operator").post("/v1/deconfliction/keys:rotate")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == [{"state": "ROTATING", "done": 1, "total": 1}, {"state": "DONE", "key": 2}]
    assert counter.client(B).post(T, json=target("b1")).json()["contacts"][0]["number"] == first
