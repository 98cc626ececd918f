"""Search and entity pages: what is found, what it rests on, and what stays out."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services.leads.clock import ms
from shared.contracts.report import Report
from tests.leads.api import Api
from tests.leads.picture_world import NOW, report

PHONE = {"local_id": "p1", "number": "(915) 555-0142", "country": "US", "role": "CONTACT"}
CAR = {"local_id": "v1", "plate": "syn 1234", "jurisdiction": "US-TX", "role": "CONVEYANCE"}
USES = {"from": "s1", "to": "p1", "type": "USES"}
DRIVES = {"from": "s1", "to": "v1", "type": "DRIVES"}


def person(name: str = "Jose Garcia Lopez", local_id: str = "s1", **given: Any) -> dict[str, Any]:
    return {"local_id": local_id, "full_name": name, "dob": "1980-05-17"} | given


def seizure(no: str, agency: str = "TXZZZ0001", days: int = 2, **given: Any) -> Report:
    return report(no, agency, event_start=NOW - timedelta(days=days), **given)


@pytest.fixture
def client(api: Api) -> TestClient:
    w = api.world
    api.feed(
        w.put(seizure("A", persons=[person()], phones=[PHONE], relations=[USES])),
        w.put(
            seizure(
                "B", "CAZZZ0002", 1, persons=[person("José García-López")], vehicles=[CAR], relations=[DRIVES]
            )
        ),
        w.put(seizure("C", "AZZZZ0003", 3, vehicles=[CAR], phones=[PHONE])),
    )
    return api.client("NMZZZ0004")


def items(client: TestClient, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def the(client: TestClient, identifier: str) -> str:
    return str(items(client, "/v1/entities", identifier=identifier)[0]["entity_id"])


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("phone:+19155550142", "PHONE"),
        ("phone:915-555-0142", "PHONE"),
        ("plate:US-TX:SYN1234", "VEHICLE"),
        ("plate:us-tx:syn 1234", "VEHICLE"),
    ],
)
def test_an_identifier_is_found_however_it_is_written(client: TestClient, written: str, kind: str) -> None:
    found = items(client, "/v1/entities", identifier=written)
    assert found[0]["kind"] == kind
    assert {f["kind"] for f in found[1:]} <= {"PERSON"}
    assert found[0]["last_seen"]


@pytest.mark.parametrize(
    "name", ["garcia lopez jose", "José García", "Jose Garsia Lopez", "GARCIA LOPEZ, Jose"]
)
def test_a_name_is_found_in_any_order_and_spelling(client: TestClient, name: str) -> None:
    found = items(client, "/v1/entities", name=name, birth="1980")
    assert [f["kind"] for f in found] == ["PERSON"]
    assert found[0]["score"] >= 55


def test_a_wrong_birth_year_ranks_lower(client: TestClient) -> None:
    right = items(client, "/v1/entities", name="Jose Garcia Lopez", birth="1980-05-17")
    wrong = items(client, "/v1/entities", name="Jose Garcia Lopez", birth="1950")
    assert not wrong or wrong[0]["score"] < right[0]["score"]


def test_a_search_needs_one_of_identifier_and_name(client: TestClient) -> None:
    for query in (
        {},
        {"identifier": "phone:+19155550142", "name": "x"},
        {"identifier": "nonsense"},
        {"name": "…"},
    ):
        answer = client.get("/v1/entities", params=query)
        assert answer.status_code == 422, query
        assert answer.json()["errors"]


def test_every_value_of_the_golden_record_has_its_sources(client: TestClient) -> None:
    found = items(client, "/v1/entities", name="Jose Garcia Lopez")
    record = client.get(f"/v1/entities/{found[0]['entity_id']}").json()
    assert record["kind"] == "PERSON"
    assert record["reports"]["count"] == 2
    assert record["reports"]["agencies"] == ["CAZZZ0002", "TXZZZ0001"]
    values = {(v["feature"], v["value"]): v["sources"] for v in record["values"]}
    assert {s["agency"] for s in values["dob", "1980-05-17"]} == {"TXZZZ0001", "CAZZZ0002"}
    assert {s["agency"] for s in values["phone", "+19155550142"]} == {"TXZZZ0001"}
    assert all(v["sources"] for v in record["values"])
    assert {c["agency_id"] for c in record["contacts"]} == {"CAZZZ0002", "TXZZZ0001"}


def test_any_profile_id_leads_to_the_entity_that_holds_it(client: TestClient) -> None:
    entity = items(client, "/v1/entities", name="Jose Garcia Lopez")[0]["entity_id"]
    record = client.get(f"/v1/entities/{entity}").json()
    assert record["profiles"][0] == entity
    for profile in record["profiles"]:
        assert client.get(f"/v1/entities/{profile}").json() == record


def test_a_resource_that_did_not_change_is_304(client: TestClient) -> None:
    path = f"/v1/entities/{the(client, 'phone:+19155550142')}"
    tag = client.get(path).headers["etag"]
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("page", ["mentions", "timeline", "links"])
def test_pages_hold_everything_once_in_order(client: TestClient, page: str) -> None:
    path = f"/v1/entities/{items(client, '/v1/entities', name='Jose Garcia Lopez')[0]['entity_id']}/{page}"
    whole = items(client, path)
    assert [i["at"] for i in whole] == sorted((i["at"] for i in whole), reverse=True)
    assert len(whole) == 2
    single, cursor = [], None
    while True:
        answer = client.get(path, params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        single += answer["items"]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert single == whole


def test_a_cursor_of_another_list_is_refused(client: TestClient) -> None:
    entity = the(client, "plate:US-TX:SYN1234")
    cursor = client.get(f"/v1/entities/{entity}/mentions", params={"limit": 1}).json()["next_cursor"]
    for given in (cursor, "x", "AAAA", cursor[:-3]):
        answer = client.get(f"/v1/entities/{entity}/timeline", params={"cursor": given})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/query/cursor"


def test_links_name_the_other_end_and_the_direction(client: TestClient) -> None:
    entity = the(client, "phone:+19155550142")
    found = items(client, f"/v1/entities/{entity}/links")
    assert [(f["type"], f["direction"], f["other"]["kind"]) for f in found] == [("USES", "IN", "PERSON")]


def test_the_graph_reaches_as_far_as_asked_and_says_what_it_left_out(client: TestClient) -> None:
    entity = the(client, "phone:+19155550142")
    near = client.get(f"/v1/entities/{entity}/graph").json()
    assert [(n["kind"], n["hops"]) for n in near["nodes"]] == [("PHONE", 0), ("PERSON", 1)]
    far = client.get(f"/v1/entities/{entity}/graph", params={"hops": 2}).json()
    assert {n["kind"] for n in far["nodes"]} == {"PHONE", "PERSON", "VEHICLE"}
    assert {e["type"] for e in far["edges"]} == {"USES", "DRIVES"}
    cut = client.get(f"/v1/entities/{entity}/graph", params={"hops": 2, "limit": 2}).json()
    assert len(cut["nodes"]) == 2
    assert cut["cut"]["nodes"] == 1


def test_how_shows_the_pairs_that_joined_the_profiles(client: TestClient) -> None:
    entity = items(client, "/v1/entities", name="Jose Garcia Lopez")[0]["entity_id"]
    how = client.get(f"/v1/entities/{entity}/how").json()
    assert len(how["profiles"]) == 2
    assert len(how["steps"]) == 1
    step = how["steps"][0]
    pair = client.get(f"/v1/pairs/{step['a']}/{step['b']}").json()
    assert pair["weight"] == step["weight"] == sum(r["weight"] for r in pair["evidence"])
    assert (pair["verdict"], pair["same_entity"]) == ("SAME", True)


@pytest.mark.parametrize("path", ["", "/mentions", "/timeline", "/links", "/graph", "/how", "/leads"])
def test_what_there_is_not_is_404_everywhere(client: TestClient, path: str) -> None:
    assert client.get(f"/v1/entities/{'0' * 32}{path}").status_code == 404


def test_reads_need_token_purpose_and_case(client: TestClient) -> None:
    bare = TestClient(client.app)
    for path in (
        "/v1/entities?name=x",
        f"/v1/entities/{'0' * 32}",
        f"/v1/pairs/{'0' * 32}/{'1' * 32}",
        "/v1/lists",
    ):
        assert bare.get(path).status_code == 401
        for missing in ("Interlock-Purpose", "Interlock-Case"):
            headers = {k: v for k, v in client.headers.items() if k.lower() != missing.lower()}
            answer = bare.get(path, headers=headers)
            assert answer.status_code == 428
            assert missing in answer.json()["detail"]
    assert client.get("/v1/entities?nome=x").json()["errors"][0]["pointer"] == "/query/nome"


def test_past_its_retention_a_report_is_out_of_every_answer(api: Api, client: TestClient) -> None:
    entity = the(client, "plate:US-TX:SYN1234")
    api.now = NOW + timedelta(days=365)
    assert items(client, "/v1/entities", identifier="plate:US-TX:SYN1234") == []
    assert client.get(f"/v1/entities/{entity}").status_code == 404
    assert ms(api.now) > ms(NOW)


def test_non_criminal_information_is_not_searchable(api: Api) -> None:
    api.feed(api.world.put(seizure("N", persons=[person("Maria Ruiz Vega", ncii=True)])))
    assert items(api.client(), "/v1/entities", name="Maria Ruiz Vega") == []


def test_a_juvenile_has_no_name_and_is_not_found_by_it(api: Api) -> None:
    child = person("Ana Perez Soto", juvenile=True, role="ASSOCIATE")
    api.feed(api.world.put(seizure("J", persons=[child], phones=[PHONE], relations=[USES])))
    client = api.client("CAZZZ0002")
    assert items(client, "/v1/entities", name="Ana Perez Soto") == []
    entity = the(client, "phone:+19155550142")
    for page in ("/graph", "/links", ""):
        assert "Perez" not in client.get(f"/v1/entities/{entity}{page}").text
    node = client.get(f"/v1/entities/{entity}/graph").json()["nodes"][1]
    assert "withheld" in node["label"]
    record = client.get(f"/v1/entities/{node['entity_id']}").text
    assert "Perez" not in record
    assert "1980" not in record


@pytest.mark.parametrize("role", ["VICTIM", "WITNESS"])
def test_victims_and_witnesses_are_in_no_graph(api: Api, role: str) -> None:
    api.feed(
        api.world.put(
            seizure(
                "V", persons=[person(role=role)], phones=[PHONE], vehicles=[CAR], relations=[USES, DRIVES]
            )
        )
    )
    client = api.client()
    for identifier in ("phone:+19155550142", "plate:US-TX:SYN1234"):
        graph = client.get(f"/v1/entities/{the(client, identifier)}/graph", params={"hops": 3}).json()
        assert [n["hops"] for n in graph["nodes"]] == [0]
        assert not graph["edges"]
