"""Two worlds that differ in one hidden report: who may not see it gets the same answers, byte for byte."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from shared.contracts.report import Report, report_id_of
from shared.database import Database
from tests.leads.api import Api
from tests.leads.picture_world import NOW, World, report

VIEWER = "NMZZZ0004"
PHONE = {"local_id": "p1", "number": "+19155550142", "role": "CONTACT"}
CAR = {"local_id": "v1", "plate": "SYN1234", "jurisdiction": "US-TX", "role": "CONVEYANCE"}
ONE = {"local_id": "s1", "full_name": "Jose Garcia Lopez", "dob": "1980-05-17"}
TWO = {
    "local_id": "s1",
    "full_name": "Jose Garcia",
    "ids": [{"type": "PASSPORT", "value": "G0000001", "issuer": "MX"}],
}
BOTH = ONE | {"full_name": "Jose Garcia Lopez", "ids": TWO["ids"], "aka": ["El Chapulin"]}
USES = {"from": "s1", "to": "p1", "type": "USES"}
DRIVES = {"from": "s1", "to": "v1", "type": "DRIVES"}
SUSPECTED = {
    "basis": "REASONABLE_SUSPICION", "activity": "NARCOTICS", "offence": "35A", "facts": "x" * 40,
    "determined_by": "Sgt Doe", "determined_at": "2026-02-01",
}  # fmt: skip
HIDDEN: dict[str, dict[str, Any]] = {
    "red": {"handling": {"share": "RED"}},
    "caveat": {"handling": {"caveats": ["BSA"]}},
    "named": {"handling": {"release_to": ["CAZZZ0002"]}},
    "tip": {"predicate": SUSPECTED | {"basis": "TIP_UNVETTED"}},
    "expired": {"legal_basis": {"kind": "TITLE_III", "reference": "x", "expires": NOW.isoformat()}},
}


def open_reports() -> list[Report]:
    cash = {
        "kind": "SEIZURE",
        "seized_usd": "250000",
        "declared_usd": "0",
        "driver": "s1",
        "conveyance": "v1",
    }
    return [
        report("A", persons=[ONE], phones=[PHONE], relations=[USES], predicate=SUSPECTED),
        report(
            "B",
            "CAZZZ0002",
            "OFC",
            persons=[TWO],
            vehicles=[CAR],
            relations=[DRIVES],
            facts=cash,
            predicate=SUSPECTED,
        ),
        report("C", "AZZZZ0003", "SOD", phones=[PHONE], vehicles=[CAR], predicate=SUSPECTED),
        report("E", "AZZZZ0003", "SOD", persons=[ONE | {"aka": ["Pepe"]}], vehicles=[CAR]),
    ]


def hidden_report(kind: str) -> Report:
    """It would merge two persons, give one another name, and tie a phone to a car."""
    return report(
        "H",
        "FLZZZ0005",
        "OFC",
        persons=[BOTH],
        phones=[PHONE],
        vehicles=[CAR],
        relations=[USES, DRIVES],
        **HIDDEN[kind],
    )


def build(db: Database, home: Path, reports: list[Report]) -> Api:
    api = Api(db, home, World())
    api.feed(*(api.world.put(r) for r in reports))
    api.client(VIEWER).get("/v1/leads")
    api.client("FLZZZ0005").get("/v1/leads")
    api.evaluate()
    return api


def ids(world: World) -> list[str]:
    return sorted(world.profiles)


def answers(
    client: TestClient, profiles: list[str], reports: list[str]
) -> dict[str, tuple[int, bytes, dict[str, str]]]:
    paths = ["/v1/leads", "/v1/leads?sort=-updated", "/v1/leads?limit=1", "/v1/lists", "/v1/rules", "/v1/me"]
    for name in ("Jose Garcia", "Jose Garcia Lopez", "El Chapulin", "Pepe"):
        paths += [f"/v1/entities?name={name}", f"/v1/entities?name={name}&birth=1980&limit=1"]
    for value in ("phone:+19155550142", "plate:US-TX:SYN1234", "passport:MX:G0000001"):
        paths.append(f"/v1/entities?identifier={value}")
    for p in profiles:
        base = f"/v1/entities/{p}"
        paths += [base, f"{base}/mentions", f"{base}/mentions?limit=1", f"{base}/links", f"{base}/timeline"]
        paths += [f"{base}/timeline?limit=1", f"{base}/graph?hops=3", f"{base}/how", f"{base}/leads"]
        paths += [f"/v1/pairs/{p}/{q}" for q in profiles if q > p]
    paths += [f"/v1/reports/{r}" for r in reports]
    paths += [f"/v1/leads/{item['lead_id']}" for item in client.get("/v1/leads").json()["items"]]
    found = {}
    for path in paths:
        answer = client.get(path)
        headers = {k: v for k, v in answer.headers.items() if k not in {"date", "request-id", "traceparent"}}
        found[path] = (answer.status_code, answer.content, headers)
    return found


@pytest.mark.parametrize(
    ("kind", "place"), [("red", 0), ("red", 4), ("caveat", 0), ("named", 2), ("tip", 4), ("expired", 4)]
)
def test_a_hidden_report_changes_no_byte(
    new_db: Callable[[], Database], tmp_path: Path, kind: str, place: int
) -> None:
    shown = open_reports()
    secret = hidden_report(kind)
    without = build(new_db(), tmp_path, shown)
    with_it = build(new_db(), tmp_path, [*shown[:place], secret, *shown[place:]])
    profiles = ids(with_it.world)
    assert set(ids(without.world)) < set(profiles)
    known = [r.report_id for r in shown] + [secret.report_id, report_id_of("X", "Y")]
    expected = answers(without.client(VIEWER), profiles, known)
    found = answers(with_it.client(VIEWER), profiles, known)
    for path, answer in expected.items():
        assert found[path] == answer, path
    assert found.keys() == expected.keys()
    assert sum(status == 200 for status, _, _ in found.values()) > 30


def test_who_may_see_it_has_another_picture(new_db: Callable[[], Database], tmp_path: Path) -> None:
    api = build(new_db(), tmp_path, [*open_reports(), hidden_report("red")])
    owner, other = api.client("FLZZZ0005"), api.client(VIEWER)
    mine = owner.get("/v1/entities", params={"name": "Jose Garcia Lopez"}).json()["items"]
    theirs = other.get("/v1/entities", params={"name": "Jose Garcia Lopez"}).json()["items"]
    assert len(mine) < len(theirs)
    assert owner.get("/v1/entities", params={"name": "El Chapulin"}).json()["items"]
    assert not [
        h
        for h in other.get("/v1/entities", params={"name": "El Chapulin"}).json()["items"]
        if "Chap" in str(h)
    ]


def test_a_judgement_kept_to_an_agency_changes_nothing_for_others(
    new_db: Callable[[], Database], tmp_path: Path
) -> None:
    worlds = [build(new_db(), tmp_path, open_reports()) for _ in range(2)]
    profiles = ids(worlds[0].world)
    people = sorted(p.id for p in worlds[1].world.profiles.values() if p.kind == "PERSON")
    judged = worlds[1]
    for verdict, a, b in (("SAME", people[0], people[1]), ("DIFFERENT", people[0], people[2])):
        body = {"a": a, "b": b, "verdict": verdict, "reason": "seen", "own_agency_only": True}
        assert judged.client("FLZZZ0005").post("/v1/judgements", json=body).status_code == 201
    judged.evaluate()
    known = [r.report_id for r in open_reports()]
    expected = answers(worlds[0].client(VIEWER), profiles, known)
    found = answers(judged.client(VIEWER), profiles, known)
    for path, answer in expected.items():
        assert found[path] == answer, path
    own = judged.client("FLZZZ0005").get(f"/v1/entities/{people[0]}").json()
    assert people[1] in own["profiles"]
