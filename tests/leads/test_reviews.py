"""The review queue: what waits for a person, in which order, and that nothing hidden shows in it."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import event

from services.fusion.core.model import load
from services.fusion.core.reference import pairs_of
from services.leads import review_store
from services.leads.review_store import candidates
from shared.database import Database
from shared.log import Record
from tests.leads.api import Api
from tests.leads.picture_world import report
from tests.leads.test_pairs import judge

BORN = "1980-05-17"


def person(name: str, **more: Any) -> dict[str, Any]:
    return {"local_id": "s1", "full_name": name} | more


def feed(api: Api, no: str, who: dict[str, Any], **more: Any) -> str:
    """Report a person; the profile's id."""
    before = set(api.world.profiles)
    api.feed(api.world.put(report(no, persons=[who], **more)))
    (new,) = set(api.world.profiles) - before or {""}
    return new


def queue(api: Api, agency: str = "TXZZZ0001", **query: Any) -> dict[str, Any]:
    answer = api.client(agency).get("/v1/reviews", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def cautious(api: Api) -> None:
    """A model to which nothing is sure, and namesakes born in one year are possible."""
    api.world.model = replace(load(), threshold=9_000, review=600)


def pairs(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(i["a"]["profile_id"], i["b"]["profile_id"]) for i in found["items"]]


def ends(a: str, b: str) -> tuple[str, str]:
    return min(a, b), max(a, b)


@pytest.fixture
def possible(api: Api, cautious: None) -> tuple[str, str]:
    """Two mentions that may well be one person."""
    a = feed(api, "A", person("Odalys Zapatero", dob="1980"))
    return ends(a, feed(api, "B", person("Odalys Zapatero Ruiz", dob="1980")))


@pytest.fixture
def ambiguous(api: Api) -> tuple[str, str, str]:
    """Father, somebody, son: who is not told apart can go with one of them only."""
    father = feed(api, "X", person("Thaddeus Wolfenden Sr", dob=BORN))
    somebody = feed(api, "Y", person("Thaddeus Wolfenden", dob=BORN))
    return father, somebody, feed(api, "Z", person("Thaddeus Wolfenden Jr", dob=BORN))


def test_a_possible_pair_waits_with_its_evidence(api: Api, possible: tuple[str, str]) -> None:
    (item,) = queue(api)["items"]
    assert (item["a"]["profile_id"], item["b"]["profile_id"]) == possible
    assert item["case"] == "POSSIBLE"
    assert item["weight"] == sum(r["weight"] for r in item["evidence"]) < 9_000
    assert (item["a"]["reports"], item["b"]["reports"]) == (1, 1)
    assert "A person may decide" in item["text"]
    assert queue(api, case="AMBIGUOUS")["items"] == []


@pytest.mark.parametrize("verdict", ["SAME", "DIFFERENT", "UNSURE"])
def test_a_judged_pair_leaves_the_queue_and_comes_back_when_undone(
    api: Api, possible: tuple[str, str], verdict: str
) -> None:
    said = judge(api.client(), *possible, verdict)
    assert queue(api)["items"] == []
    api.client().delete(f"/v1/judgements/{said}")
    assert pairs(queue(api)) == [possible]


def test_another_agencys_own_judgement_is_not_to_be_noticed(api: Api, possible: tuple[str, str]) -> None:
    before = queue(api)
    judge(api.client("TXZZZ0002"), *possible, "SAME", own_agency_only=True)
    assert queue(api) == before
    assert queue(api, "TXZZZ0002")["items"] == []


def test_strong_pairs_that_a_contradiction_holds_apart_wait_too(
    api: Api, ambiguous: tuple[str, str, str]
) -> None:
    father, somebody, son = ambiguous
    found = queue(api, case="AMBIGUOUS")
    assert pairs(found) in ([ends(father, somebody)], [ends(son, somebody)])
    (item,) = found["items"]
    assert [b["kind"] for b in item["blocked_by"]] == ["CONTRADICTION"]
    assert item["weight"] >= api.world.model.threshold
    assert item["a"]["entity_id"] != item["b"]["entity_id"]


def test_the_more_reports_and_the_nearer_the_earlier(api: Api, possible: tuple[str, str]) -> None:
    first = queue(api)["items"][0]
    api.feed(api.world.put(report("C", persons=[person("Odalys Zapatero Ruiz", dob="1980")])))
    second = queue(api)["items"]
    assert second[0]["value"] >= first["value"]
    values = [i["value"] for i in second]
    assert values == sorted(values, reverse=True)


@pytest.fixture
def many(api: Api, cautious: None) -> list[tuple[str, str]]:
    """Several possible pairs."""
    for n, family in enumerate(("Zapatero", "Wolfenden", "Quinonez", "Okonkwo", "Lindqvist")):
        feed(api, f"M{n}", person(f"Odalys {family}", dob="1980"))
        feed(api, f"N{n}", person(f"Odalys {family} Ruiz", dob="1980"))
    return pairs(queue(api))


@pytest.mark.parametrize("chunk", [1, 500])
def test_pages_hold_every_pair_once(
    api: Api, many: list[tuple[str, str]], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(many) >= 5
    monkeypatch.setattr(review_store, "_CHUNK", chunk)
    found, cursor = [], None
    while True:
        page = queue(api, limit=2, **({"cursor": cursor} if cursor else {}))
        found += pairs(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(found) == sorted(many)
    assert len(found) == len(set(found))


def test_a_hidden_report_changes_not_a_byte(api: Api, many: list[tuple[str, str]]) -> None:
    before = api.client().get("/v1/reviews").content
    hidden = {"handling": {"share": "RED"}}
    for n, name in enumerate(("Odalys Zapatero", "Odalys Zapatero Ruiz", "Odalys Zapata")):
        feed(api, f"H{n}", person(name, dob="1980"), agency="TXZZZ0002", **hidden)
    assert api.client().get("/v1/reviews").content == before
    assert len(queue(api, "TXZZZ0002")["items"]) > len(many)


def test_a_withdrawn_report_leaves_the_queue(api: Api, possible: tuple[str, str]) -> None:
    gone = next(r for r in api.world.reports.values() if r.source_report_no == "B")
    api.feed(api.world.retract(gone.report_id))
    assert queue(api)["items"] == []


def test_the_queue_is_the_possible_pairs_whatever_came_and_went_and_in_any_order(api: Api) -> None:
    """Names so common that keys become too common to support a pair, and rare again."""
    chance = Random(5)
    sent: list[Record] = []
    api.world.model = replace(load(), threshold=9_000, review=600, cap=2)

    def tell(record: Record) -> None:
        sent.append(record)
        api.feed(record)

    def expected() -> set[tuple[str, str]]:
        return {(p.a, p.b) for p in pairs_of(api.world.profiles.values(), api.world.model)}

    seen: set[tuple[str, str]] = set()
    for n in range(24):
        family = chance.choice(("Zapatero", "Zapatero Ruiz", "Wolfenden"))
        made = report(f"R{n}", persons=[person(f"{chance.choice(('Odalys', 'Ilse'))} {family}", dob="1980")])
        tell(api.world.put(made))
        if n % 3 == 2:
            tell(api.world.retract(chance.choice(sorted(api.world.reports))))
        assert set(pairs(queue(api))) == expected()
        seen |= expected()
    assert len(seen) > len(expected()) > 0
    chance.shuffle(sent)
    api.feed(*sent)
    assert set(pairs(queue(api))) == expected()


def test_children_are_not_listed(api: Api, cautious: None) -> None:
    feed(api, "A", person("Odalys Zapatero", dob="2015", juvenile=True))
    feed(api, "B", person("Odalys Zapatero Ruiz", dob="2015-05", juvenile=True))
    assert queue(api)["items"] == []


def test_it_takes_a_purpose_and_a_role(api: Api) -> None:
    client = api.client()
    del client.headers["Interlock-Purpose"]
    assert client.get("/v1/reviews").status_code == 428
    assert api.client(roles=["submitter"]).get("/v1/reviews").status_code == 403
    assert api.client().get("/v1/reviews", params={"cursor": "x"}).status_code == 422


@pytest.mark.parametrize("verdict", ["POSSIBLE", "SAME"])
def test_the_queue_is_read_along_an_index_in_its_order(db: Database, verdict: str) -> None:
    """Neither all pairs are read nor are they sorted, however many there are."""
    said: list[tuple[str, Any]] = []

    def hear(_c: object, _k: object, statement: str, parameters: Any, *_: object) -> None:
        said.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", hear)
    with db.snapshot() as conn:
        assert not list(candidates(conn, verdict, frozenset({0}), 1))
        event.remove(db.engine, "before_cursor_execute", hear)
        statement, parameters = said[-1]
        if db.is_sqlite:
            rows = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        else:  # of an empty table a scan is as good: see what is left without it
            for way in ("seqscan", "bitmapscan", "sort"):
                conn.exec_driver_sql(f"SET LOCAL enable_{way} = off")
            rows = conn.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        plan = "\n".join(str(row[-1]) for row in rows)
    assert "pair_review" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
