"""Why two profiles are one, or why not, and what a person's judgement changes."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.leads.api import Api
from tests.leads.picture_world import report

ONE = {"local_id": "s1", "full_name": "Jose Garcia Lopez", "dob": "1980-05-17"}
SAME = {"local_id": "s1", "full_name": "José García", "dob": "1980-05-17"}
OTHER = {"local_id": "s1", "full_name": "Maria Ruiz Vega", "dob": "1991-11-02"}
SSN = {"ids": [{"type": "PASSPORT", "value": "G0000001", "issuer": "MX"}]}


@pytest.fixture
def three(api: Api) -> tuple[str, str, str]:
    """Profiles of two mentions of one person, and of another person."""
    for no, who in (("A", ONE | SSN), ("B", SAME | SSN), ("C", OTHER)):
        api.feed(api.world.put(report(no, persons=[who])))
    by_label = {p.label: p.id for p in api.world.profiles.values()}
    return by_label["Jose Garcia Lopez"], by_label["José García"], by_label["Maria Ruiz Vega"]


def pair(client: TestClient, a: str, b: str) -> dict[str, Any]:
    answer = client.get(f"/v1/pairs/{a}/{b}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def judge(client: TestClient, a: str, b: str, verdict: str, **more: Any) -> str:
    body = {"a": a, "b": b, "verdict": verdict, "reason": "I know both"} | more
    answer = client.post("/v1/judgements", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["judgement_id"])


def one_entity(client: TestClient, a: str, b: str) -> bool:
    return bool(client.get(f"/v1/entities/{a}").content == client.get(f"/v1/entities/{b}").content)


def test_the_rows_sum_to_the_weight_either_way_round(api: Api, three: tuple[str, str, str]) -> None:
    a, b, _ = three
    client = api.client()
    found = pair(client, a, b)
    assert found == pair(client, b, a)
    assert found["verdict"] == "SAME"
    assert found["same_entity"]
    assert found["weight"] == sum(r["weight"] for r in found["evidence"])
    assert set(found["via"]) == {a, b}


def test_what_has_nothing_in_common_is_not_related(api: Api, three: tuple[str, str, str]) -> None:
    a, _, c = three
    found = pair(api.client(), a, c)
    assert (found["verdict"], found["weight"], found["evidence"]) == ("NOT_RELATED", None, [])
    assert "Not related" in found["text"]


def test_different_splits_and_taking_it_back_restores_every_byte(
    api: Api, three: tuple[str, str, str]
) -> None:
    a, b, _ = three
    client = api.client()
    before = [client.get(f"/v1/entities/{p}").content for p in three]
    judgement = judge(client, a, b, "DIFFERENT")
    assert not one_entity(client, a, b)
    found = pair(client, a, b)
    assert found["blocked_by"][0]["kind"] == "JUDGEMENT"
    assert found["judgements"] == [judgement]
    assert client.delete(f"/v1/judgements/{judgement}").status_code == 204
    assert [client.get(f"/v1/entities/{p}").content for p in three] == before
    assert [r.value is None for _, r in api.log.records] == [False, True]
    api.relay_judgements()
    assert [client.get(f"/v1/entities/{p}").content for p in three] == before


def test_same_joins_what_nothing_else_joins(api: Api, three: tuple[str, str, str]) -> None:
    a, b, c = three
    client = api.client()
    judge(client, a, c, "SAME")
    assert one_entity(client, a, c)
    found = pair(client, b, c)
    assert found["same_entity"]
    assert found["via"] == ([b, a, c] if b < c else [c, a, b])
    steps = client.get(f"/v1/entities/{a}/how").json()["steps"]
    assert sorted(s["weight"] is None for s in steps) == [False, True]


def test_a_judgement_kept_to_the_agency_counts_there_alone(api: Api, three: tuple[str, str, str]) -> None:
    a, b, _ = three
    ours, theirs = api.client("CAZZZ0002"), api.client("AZZZZ0003")
    before = theirs.get(f"/v1/entities/{a}").content
    judgement = judge(ours, a, b, "DIFFERENT", own_agency_only=True)
    assert not one_entity(ours, a, b)
    assert theirs.get(f"/v1/entities/{a}").content == before
    assert theirs.delete(f"/v1/judgements/{judgement}").status_code == 404


def test_only_the_author_or_a_supervisor_takes_it_back(api: Api, three: tuple[str, str, str]) -> None:
    a, b, _ = three
    judgement = judge(api.client("CAZZZ0002"), a, b, "UNSURE")
    assert (
        api.client("CAZZZ0002", roles=["submitter"]).delete(f"/v1/judgements/{judgement}").status_code == 403
    )
    assert (
        api.client("CAZZZ0002", roles=["supervisor"]).delete(f"/v1/judgements/{judgement}").status_code == 204
    )
    assert api.client("CAZZZ0002").delete(f"/v1/judgements/{judgement}").status_code == 404


def test_what_the_viewer_does_not_see_cannot_be_judged(api: Api, three: tuple[str, str, str]) -> None:
    api.feed(api.world.put(report("R", "FLZZZ0005", persons=[OTHER | SSN], handling={"share": "RED"})))
    hidden = next(p.id for p in api.world.profiles.values() if p.audience != "*")
    body = {"a": three[0], "b": hidden, "verdict": "SAME", "reason": "guess"}
    unknown = body | {"b": "0" * 32}
    answers = [api.client().post("/v1/judgements", json=b) for b in (body, unknown)]
    assert [a.status_code for a in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert api.client().get(f"/v1/pairs/{three[0]}/{hidden}").status_code == 404
    assert not api.log.records


def test_a_repeated_key_gives_the_same_judgement(api: Api, three: tuple[str, str, str]) -> None:
    a, b, c = three
    client = api.client()
    client.headers["Idempotency-Key"] = "once"
    assert judge(client, a, b, "DIFFERENT") == judge(client, b, a, "DIFFERENT")
    assert len(api.log.records) == 1
    other = client.post("/v1/judgements", json={"a": a, "b": c, "verdict": "SAME", "reason": "x"})
    assert other.status_code == 409


def test_bad_judgements_are_refused(api: Api, three: tuple[str, str, str]) -> None:
    a, b, _ = three
    good = {"a": a, "b": b, "verdict": "SAME", "reason": "x"}
    client = api.client()
    for bad in ({"b": a}, {"verdict": "MAYBE"}, {"reason": ""}, {"a": "x"}, {"extra": 1}):
        assert client.post("/v1/judgements", json=good | bad).status_code == 422, bad
    assert api.client(roles=["submitter"]).post("/v1/judgements", json=good).status_code == 403
