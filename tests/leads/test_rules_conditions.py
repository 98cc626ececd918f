"""Each rule at its boundary: the last case that fires and the first that does not."""

from typing import Any

import pytest

from shared.contracts.report import Report
from tests.leads.rule_world import car, found, person, phone, told

ANA, IVAN = person("ana_lopez"), person("ivan_petrov")


def on(no: str, agency: str, feed: str, days: float, **given: Any) -> Report:
    return told(no, agency, feed, days=days, **({"phones": [phone()]} | given))


def test_l01_needs_two_feeds_and_two_agencies() -> None:
    one = on("1", "TXZZZ0001", "EPIC", 3)
    assert found("phone", [one, on("2", "CAZZZ0001", "BCSC", 2)])["L01"].points == 10
    assert "L01" not in found("phone", [one, on("2", "CAZZZ0001", "EPIC", 2)])
    assert "L01" not in found("phone", [one, on("2", "TXZZZ0001", "BCSC", 2)])


@pytest.mark.parametrize(("feeds", "points"), [(2, 10), (3, 15), (4, 20), (5, 25), (6, 25)])
def test_l01_gives_five_more_for_each_further_feed_up_to_25(feeds: int, points: int) -> None:
    names = ["EPIC", "BCSC", "SOD", "OFC", "IOC2", "C3"][:feeds]
    reports = [on(f, f"TXZZZ000{n}", f, 2) for n, f in enumerate(names, 1)]
    assert found("phone", reports)["L01"].points == points


@pytest.mark.parametrize(("days", "fires"), [(365, True), (365.01, False)])
def test_l01_looks_at_365_days(days: float, fires: bool) -> None:
    reports = [on("1", "TXZZZ0001", "EPIC", days + 1), on("2", "CAZZZ0001", "BCSC", 1)]
    assert ("L01" in found("phone", reports)) is fires


def test_l01_a_weak_feed_never_takes_points_away() -> None:
    two = [on("1", "TXZZZ0001", "EPIC", 1), on("2", "CAZZZ0001", "BCSC", 1)]
    weak = on("3", "NYZZZ0001", "OFC", 1, evaluation={"reliability": "D", "credibility": "4"})
    assert found("phone", [*two, weak])["L01"].necessary == found("phone", two)["L01"].necessary


def test_l01_one_event_told_by_two_agencies_is_no_convergence() -> None:
    fdin = {"kind": "SEIZURE", "numbers": [{"kind": "FDIN", "value": "F-1"}]}
    joint = [on("1", "TXZZZ0001", "EPIC", 2, facts=fdin), on("2", "CAZZZ0001", "BCSC", 2, facts=fdin)]
    assert "L01" not in found("phone", joint)
    assert "L01" in found("phone", [*joint, on("3", "TXZZZ0001", "SOD", 1)])


def test_l01_common_numbers_and_bare_places_do_not_count() -> None:
    common = {"kind": "TARGET", "status": "COMMON"}
    assert "L01" not in found(
        "phone", [on("1", "TXZZZ0001", "EPIC", 2), on("2", "CAZZZ0001", "SOD", 2, facts=common)]
    )
    city = {"local_id": "place", "role": "PLACE", "city": "El Paso"}
    house = city | {"address": "12 Mesa Street"}
    for place, fires in ((city, False), (house, True)):
        reports = [
            on("1", "TXZZZ0001", "EPIC", 2, locations=[place]),
            on("2", "CAZZZ0001", "BCSC", 2, locations=[place]),
        ]
        assert ("L01" in found("place", reports)) is fires


def cash(seized: str, declared: str | None, **facts: Any) -> Report:
    return told(
        "1",
        "TXZZZ0001",
        "BCSC",
        persons=[person("ana_lopez", "COURIER")],
        facts={"kind": "SEIZURE", "seized_usd": seized, "declared_usd": declared} | facts,
    )


@pytest.mark.parametrize(
    ("seized", "declared", "fires"),
    [
        ("10000.00", "0", False),
        ("10000.01", "0", True),
        ("25000", "15000", False),
        ("25000.01", "15000", True),
        ("90000", None, False),
    ],
)
def test_l11_cash_above_ten_thousand_beyond_what_was_declared(
    seized: str, declared: str | None, fires: bool
) -> None:
    assert ("L11" in found("ana_lopez", [cash(seized, declared)])) is fires


@pytest.mark.parametrize(
    ("facts", "fires"),
    [
        ({"moved_usd": "10000.01", "direction": "OUT", "cmir_filed": False}, True),
        ({"moved_usd": "10000.00", "direction": "OUT", "cmir_filed": False}, False),
        ({"moved_usd": "50000", "direction": "IN", "cmir_filed": False}, True),
        ({"moved_usd": "50000", "direction": "OUT", "cmir_filed": True}, False),
        ({"moved_usd": "50000", "direction": "OUT"}, False),
        ({"moved_usd": "50000", "cmir_filed": False}, False),
    ],
    ids=["above", "at the limit", "inbound", "filed", "not known", "no border"],
)
def test_l11_a_movement_over_the_border_without_its_form(facts: dict[str, Any], fires: bool) -> None:
    report = told("1", persons=[person("ana_lopez", "COURIER")], facts={"kind": "MOVEMENT"} | facts)
    assert ("L11" in found("ana_lopez", [report])) is fires


def test_l11_what_was_declared_in_full_is_no_undeclared_movement() -> None:
    border = {"direction": "OUT", "moved_usd": "30000", "cmir_filed": False}
    assert "L11" not in found("ana_lopez", [cash("30000", "30000", **border)])
    assert "L11" in found("ana_lopez", [cash("30000", None, **border)])


def test_l11_a_form_of_the_same_day_and_direction_counts_as_declared() -> None:
    form = {"kind": "DECLARATION", "direction": "OUT", "moved_usd": "85000", "cmir_filed": True}
    seized = cash("90000", "0", direction="OUT")
    filed = told("2", feed="OFC", persons=[person("ana_lopez", "COURIER")], facts=form)
    later = told("2", feed="OFC", days=9, persons=[person("ana_lopez", "COURIER")], facts=form)
    assert "L11" in found("ana_lopez", [seized])
    assert "L11" not in found("ana_lopez", [seized, filed])
    assert "L11" in found("ana_lopez", [seized, later])


def test_l11_is_about_who_took_part_and_the_conveyance() -> None:
    facts = {"kind": "SEIZURE", "seized_usd": "90000", "declared_usd": "0", "conveyance": "car"}
    reports = [told("1", persons=[ANA], vehicles=[car(), car("other")], phones=[phone()], facts=facts)]
    assert "L11" in found("ana_lopez", reports)
    assert "L11" in found("car", reports)
    assert "L11" not in found("other", reports)
    assert "L11" not in found("phone", reports)


def drove(no: str, who: dict[str, Any], kind: str = "SEIZURE", **given: Any) -> Report:
    facts = {"kind": kind, "conveyance": "car", "driver": who["local_id"]} | given.pop("facts", {})
    return told(no, persons=[who], vehicles=[car()], **({"facts": facts} | given))


def test_l15_needs_two_events_with_different_drivers() -> None:
    assert found("car", [drove("1", ANA), drove("2", IVAN, days=9)])["L15"].points == 12
    assert "L15" not in found("car", [drove("1", ANA), drove("2", ANA, days=9)])
    assert "L15" not in found("car", [drove("1", ANA)])
    assert "L15" in found("car", [drove("1", ANA), drove("2", IVAN, "LOOKOUT", days=9)])
    assert "L15" not in found("car", [drove("1", ANA), drove("2", IVAN, "CROSSING", days=9)])


def test_l15_names_that_may_be_one_persons_are_not_different() -> None:
    same = person("x", full_name="LOPEZ, ANA MARIA")
    initial = person("y", full_name="A. Lopez")
    assert "L15" not in found("car", [drove("1", ANA), drove("2", same, days=9)])
    assert "L15" not in found("car", [drove("1", ANA), drove("2", initial, days=9)])


def test_l15_who_is_linked_as_driving_is_a_driver() -> None:
    lookout = told(
        "2",
        days=9,
        persons=[IVAN],
        vehicles=[car()],
        relations=[{"from": "ivan_petrov", "to": "car", "type": "DRIVES"}],
        facts={"kind": "LOOKOUT"},
    )
    assert "L15" in found("car", [drove("1", ANA), lookout])


def test_l15_a_joint_seizure_is_one_event() -> None:
    number = {"numbers": [{"kind": "FDIN", "value": "F-9"}]}
    joint = [drove("1", ANA, facts=number), drove("2", IVAN, facts=number, agency="CAZZZ0001")]
    assert "L15" not in found("car", joint)


def load(*exhibits: tuple[str, str, str, str], **given: Any) -> Report:
    drugs = [
        {
            "local_id": f"x{n}",
            "code": code,
            "quantity": quantity,
            "unit": unit,
            "weight": weight,
            "purity": 1.0,
        }
        for n, (code, quantity, unit, weight) in enumerate(exhibits)
    ]
    return told(given.pop("no", "1"), persons=[ANA], drugs=drugs, **({"facts": {"kind": "SEIZURE"}} | given))


@pytest.mark.parametrize(
    ("code", "amount_a", "amount_b"),
    [
        ("9200", "1000", "100"),
        ("9041", "5000", "500"),
        ("9801", "400", "40"),
        ("1105", "500", "50"),
        ("7360", "1000000", "100000"),
    ],
)
def test_l21_fires_from_the_amount_of_the_law_on(code: str, amount_a: str, amount_b: str) -> None:
    def points(grams: str) -> int:
        result = found("ana_lopez", [load((code, grams, "G", "NET"))]).get("L21")
        return result.points if result else 0

    assert points(amount_a) == 10
    assert points(str(float(amount_a) - 0.0001)) == 5
    assert points(amount_b) == 5
    assert points(str(float(amount_b) - 0.0001)) == 0


def test_l21_adds_up_exhibits_of_one_drug_in_any_unit_of_mass() -> None:
    assert (
        found("ana_lopez", [load(("9041", "4", "KG", "NET"), ("9041", "36", "OZ", "NET"))])["L21"].points
        == 10
    )
    assert (
        found("ana_lopez", [load(("9041", "4", "KG", "NET"), ("9200", "1", "G", "NET"))])["L21"].points == 5
    )


def test_l21_gross_weight_and_doses_do_not_count() -> None:
    assert "L21" not in found("ana_lopez", [load(("9041", "9", "KG", "GROSS"))])
    assert "L21" not in found("ana_lopez", [load(("9041", "9000", "DU", "NET"))])


def test_l21_two_seizures_are_not_added_up_and_a_joint_one_counts_once() -> None:
    small = [load(("9041", "300", "G", "NET")), load(("9041", "300", "G", "NET"), no="2", days=40)]
    assert "L21" not in found("ana_lopez", small)
    number = {"kind": "SEIZURE", "numbers": [{"kind": "FDIN", "value": "F-3"}]}
    joint = [
        load(("9041", "300", "G", "NET"), facts=number),
        load(("9041", "300", "G", "NET"), no="2", agency="CAZZZ0001", facts=number),
    ]
    assert "L21" not in found("ana_lopez", joint)
    full = [
        load(("9041", "6", "KG", "NET"), facts=number),
        load(("9041", "6.1", "KG", "NET"), no="2", agency="CAZZZ0001", facts=number),
    ]
    assert found("ana_lopez", full)["L21"].events == 1
