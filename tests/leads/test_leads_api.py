"""``/v1/leads``: filters, order, pages, one lead in full, and nothing that a viewer may not see."""

from typing import Any

import pytest

from services.leads.lead_schemas import LeadDetail, LeadItem
from shared.contracts.report import Report
from shared.database import Database
from tests.leads.lead_world import HEADERS, Office
from tests.leads.picture_world import NOW
from tests.leads.rule_world import person, told

PEOPLE = (
    "Ana Lopez",
    "Bruno Duarte",
    "Chidi Okafor",
    "Darya Smirnova",
    "Erik Halvorsen",
    "Farah Haddad",
    "Gita Rao",
)


def courier(n: int, total: str = "90000", agency: str = "TXZZZ0001", **given: Any) -> Report:
    who = person("s1", "COURIER", full_name=PEOPLE[n], dob=f"19{60 + n}-05-17")
    who["ids"] = [{"type": "PASSPORT", "value": f"G{n:08d}", "issuer": "MX"}]
    facts = {"kind": "SEIZURE", "seized_usd": total, "declared_usd": "0", "place": "l1"}
    place = {
        "local_id": "l1",
        "role": "PLACE",
        "city": "El Paso",
        "state": given.pop("state", "TX"),
        "country": "US",
    }
    number = given.pop("no", f"N{n}")
    feed = given.pop("feed", "BCSC")
    return told(number, agency, feed, persons=[who], locations=[place], facts=facts, **given)


@pytest.fixture
def office(db: Database) -> Office:
    """Four couriers: one in two feeds, one of California, one long ago, and one with cocaine."""
    made = Office(db)
    made.take(
        courier(0, days=0.4),
        courier(0, "5", "CAZZZ0001", no="X", feed="EPIC", days=0.5),
        courier(1, agency="CAZZZ0001", state="CA", days=3),
        courier(2, days=300),
        courier(
            3, days=5, evaluation={"reliability": "A", "credibility": "2"},
            drugs=[{"local_id": "x1", "code": "9041", "quantity": "6", "unit": "KG"}],
        ),
    )  # fmt: skip
    return made


def test_the_list_is_ordered_by_score(office: Office) -> None:
    items = office.items()
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    assert len(items) == 4
    assert [i["score"] for i in office.items(sort="score")] == scores[::-1]
    for item in items:
        LeadItem.model_validate(item)


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"rule": "L01"}, 1),
        ({"rule": "L21"}, 1),
        ({"rule": ["L01", "L21"]}, 2),
        ({"rule": "L11", "feed": "EPIC"}, 1),
        ({"type": "PERSON"}, 4),
        ({"type": "CONVEYANCE"}, 0),
        ({"state": "CANDIDATE"}, 4),
        ({"state": "RELEASED"}, 0),
        ({"feed": "EPIC"}, 1),
        ({"agency": "CAZZZ0001"}, 2),
        ({"agency": ["CAZZZ0001", "TXZZZ0001"]}, 4),
        ({"state_code": "CA"}, 1),
        ({"band": "HELD"}, 3),
        ({"band": ["HELD", "ROUTINE"]}, 4),
        ({"band": "URGENT"}, 0),
        ({"min_score": 100}, 0),
        ({"min_score": 0.01}, 4),
        ({"since": "2026-02-26T00:00:00Z"}, 2),
        ({"q": "bruno"}, 1),
        ({"q": "DUARTE Bruno"}, 1),
        ({"q": "bruno lopez"}, 0),
        ({"q": "!"}, 0),
        ({"q": "bruno", "agency": "TXZZZ0001"}, 0),
    ],
    ids=str,
)
def test_each_filter_leaves_what_fits(office: Office, filters: dict[str, Any], count: int) -> None:
    assert len(office.items(**filters)) == count
    assert len(office.items(**filters, sort="-updated")) == count


def test_leads_about_one_entity_are_found_by_any_of_its_profiles(office: Office) -> None:
    item = office.items(rule="L01")[0]
    assert office.items(entity=item["subject"]["entity_id"]) == [item]
    assert office.items(entity="0" * 32) == []


@pytest.mark.parametrize("sort", ["-score", "score", "-updated", "updated"])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_hold_together_and_survive_inserts(office: Office, sort: str, limit: int) -> None:
    whole = office.items(sort=sort)
    seen: list[dict[str, Any]] = []
    cursor, inserted = None, False
    while True:
        params = {"sort": sort, "limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = office.get("/v1/leads", **params).json()
        seen += answer["items"]
        cursor = answer["next_cursor"]
        if not inserted:
            office.take(courier(5, agency="NYZZZ0001", days=60))
            inserted = True
        if cursor is None:
            break
    kept = [i for i in seen if i["subject"]["label"] != "FARAH HADDAD" and "farah" not in i["title"].lower()]
    assert [i["lead_id"] for i in kept] == [i["lead_id"] for i in whole]


def test_pages_along_several_tags_are_merged_in_order(office: Office) -> None:
    whole = office.items(agency=["CAZZZ0001", "TXZZZ0001"])
    first = office.get("/v1/leads", agency=["CAZZZ0001", "TXZZZ0001"], limit=2).json()
    rest = office.get(
        "/v1/leads", agency=["CAZZZ0001", "TXZZZ0001"], limit=2, cursor=first["next_cursor"]
    ).json()
    assert first["items"] + rest["items"] == whole
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0}, {"limit": 501}, {"band": "SOON"}, {"rule": "11"}, {"sort": "name"}, {"cursor": "no"},
        {"colour": "red"}, {"min_score": 101}, {"entity": "xyz"}, {"since": "then"}, {"state_code": "Texas"},
    ],
    ids=str,
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(office: Office, params: dict[str, Any]) -> None:
    answer = office.get("/v1/leads", **params)
    assert answer.status_code == 422
    assert next(iter(params)) in answer.json()["errors"][0]["pointer"]


def test_a_cursor_of_another_question_is_refused(office: Office) -> None:
    cursor = office.get("/v1/leads", limit=1).json()["next_cursor"]
    assert office.get("/v1/leads", limit=2, cursor=cursor).status_code == 200
    assert office.get("/v1/leads", limit=1, cursor=cursor, band="HELD").status_code == 422


@pytest.mark.parametrize("missing", list(HEADERS))
@pytest.mark.parametrize("path", ["/v1/leads", "/v1/leads/00000000-0000-0000-0000-000000000000"])
def test_reads_need_a_purpose_and_a_case(office: Office, missing: str, path: str) -> None:
    headers = {k: v for k, v in HEADERS.items() if k != missing} | {"Authorization": "Bearer TXZZZ0009"}
    answer = office.client.get(path, headers=headers)
    assert answer.status_code == 428
    assert missing in answer.json()["detail"]


def test_one_lead_says_all_that_supports_it(office: Office) -> None:
    item = office.items(rule="L21")[0]
    answer = office.get(f"/v1/leads/{item['lead_id']}")
    assert answer.status_code == 200
    found = LeadDetail.model_validate_json(answer.content)
    assert sum(c.value for c in found.contributions) == pytest.approx(found.score)
    assert [c.rule for c in found.contributions] == ["L11", "L21"]
    assert found.evidence[0].grade == "A2"
    assert found.evidence[0].basis == "PROBABLE_CAUSE"
    assert found.release.eligible
    assert found.owning_agencies[0].phone == "+19155550100"
    assert found.deconfliction.status == "NOT_CHECKED"
    assert "Only one agency has reported." in found.intelligence_gaps
    assert found.network.nodes[0].entity_id == found.subject.entity_id
    assert {k: answer.json()[k] for k in item if k != "marking"} == {
        k: v for k, v in item.items() if k != "marking"
    }


def test_an_unchanged_lead_need_not_be_sent_again(office: Office) -> None:
    path = f"/v1/leads/{office.items()[0]['lead_id']}"
    tag = office.get(path).headers["ETag"]
    again = office.client.get(
        path, headers=HEADERS | {"Authorization": "Bearer TXZZZ0009", "If-None-Match": tag}
    )
    assert again.status_code == 304


def test_an_unknown_lead_does_not_exist(office: Office) -> None:
    assert office.get("/v1/leads/00000000-0000-0000-0000-000000000000").status_code == 404


def test_a_viewer_gets_only_leads_of_what_he_may_see(office: Office) -> None:
    hidden = courier(4, agency="NYZZZ0001", handling={"share": "RED"})
    office.get("/v1/leads", "NYZZZ0001")
    office.take(hidden)
    owner, other = office.items("NYZZZ0001"), office.items("TXZZZ0009")
    assert len(owner) == 5
    assert len(other) == 4
    secret = next(i for i in owner if i not in other)
    assert office.get(f"/v1/leads/{secret['lead_id']}", "NYZZZ0001").status_code == 200
    denied = office.get(f"/v1/leads/{secret['lead_id']}", "TXZZZ0009")
    unknown = office.get("/v1/leads/00000000-0000-0000-0000-000000000000", "TXZZZ0009")
    assert denied.status_code == unknown.status_code == 404
    strip = {"instance"}
    assert {k: v for k, v in denied.json().items() if k not in strip} == {
        k: v for k, v in unknown.json().items() if k not in strip
    }


def test_a_hidden_report_about_a_visible_subject_changes_no_byte_for_others(office: Office) -> None:
    viewer = "TXZZZ0009"
    office.get("/v1/leads", "NYZZZ0001")

    def everything() -> list[bytes]:
        pages = [office.get("/v1/leads", viewer, limit=2, sort=s).content for s in ("-score", "-updated")]
        return pages + [office.get(f"/v1/leads/{i['lead_id']}", viewer).content for i in office.items(viewer)]

    before = everything()
    office.take(courier(0, "400000", "NYZZZ0001", no="S", feed="SOD", handling={"share": "RED"}))
    assert everything() == before
    mine = office.items("NYZZZ0001", q="lopez")[0]
    assert mine["lead_id"] == office.items(viewer, q="lopez")[0]["lead_id"]
    assert mine["score"] > office.items(viewer, q="lopez")[0]["score"]


def test_rules_are_listed_with_text_and_thresholds(office: Office) -> None:
    rules = {r["rule"]: r for r in office.get("/v1/rules").json()["items"]}
    assert rules.keys() >= {"L01", "L11", "L15", "L21"}
    assert rules["L11"]["thresholds"][0] | {"source": ""} == {
        "name": "cash.border", "amount": 10_000, "unit": "USD", "place": None, "effective": "1984-10-12",
        "until": None, "source": "",
    }  # fmt: skip
    assert len(rules["L21"]["thresholds"]) == 12
    assert rules["L01"]["thresholds"] == []
    assert office.client.get("/v1/rules").status_code == 401


def test_the_clock_of_the_fixture_stands() -> None:
    assert NOW.year == 2026
