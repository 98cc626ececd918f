"""BCSC's report types: their own rules, and what they become."""

from decimal import Decimal
from typing import Any

import pytest

from tests.ingest.feed_examples import changed, example, links, pointers, report


@pytest.mark.parametrize(
    ("schema", "pointer", "value", "blamed"),
    [
        ("BCSC.SEIZURE", "/denominations/0/count", 6_501, "/denominations"),
        ("BCSC.SEIZURE", "/denominations", [], "/denominations"),
        ("BCSC.SEIZURE", "/usd_equivalent", 1, "/usd_equivalent"),
        ("BCSC.SEIZURE", "/currency", "XXQ", "/currency"),
        ("BCSC.SEIZURE", "/prong", "SIDEWAYS", "/prong"),
        ("BCSC.SEIZURE", "/packaging", [], "/packaging"),
        ("BCSC.SEIZURE", "/packaging/0", "VACUM", "/packaging/0"),
        ("BCSC.SEIZURE", "/declared_usd", ..., "/declared_usd"),
        ("BCSC.SEIZURE", "/statute/0", "1 USC 1", "/statute/0"),
        ("BCSC.SEIZURE", "/courier", "v1", "/courier"),
        ("BCSC.SEIZURE", "/conveyance", "p1", "/conveyance"),
        ("BCSC.SEIZURE", "/total", "NaN", "/total"),
        ("BCSC.SEIZURE", "/total", "1.001", "/total"),
        ("BCSC.INQUIRY", "/subject", "x", "/subject"),
        ("BCSC.INQUIRY", "/response/holder", ..., "/response/holder"),
        ("BCSC.INQUIRY", "/response/immigration_status", "x", "/response/immigration_status"),
        ("BCSC.CMIR", "/movement", ..., ""),
        ("BCSC.CMIR", "/amounts", {}, "/amounts"),
        ("BCSC.CMIR", "/usd_equivalent", 1, "/usd_equivalent"),
        ("BCSC.CMIR", "/filer/dob", "1984-13-01", "/filer/dob"),
        ("BCSC.ACS_MOVEMENT", "/usd_equivalent", 1, "/usd_equivalent"),
        ("BCSC.ACS_MOVEMENT", "/from", {}, "/from"),
    ],
)
def test_a_broken_rule_is_named_by_its_field(schema: str, pointer: str, value: Any, blamed: str) -> None:
    assert pointers(changed(example(schema), pointer, value)) == [blamed]


def test_a_seizure_says_what_was_carried_hidden_and_declared() -> None:
    facts = report(example("BCSC.SEIZURE")).facts
    assert (facts.seized_usd, facts.declared_usd, facts.moved_usd) == (175_930, 0, 175_930)
    assert facts.denominations == ((20, 6_500), (100, 450), (10, 93))
    assert (facts.direction, facts.ownership, facts.cmir_filed) == ("OUT", "DISCLAIMED", False)
    assert (facts.driver, facts.conveyance) == ("p1", "v1")


def test_the_courier_drives_unless_somebody_else_does() -> None:
    assert links(report(example("BCSC.SEIZURE"))) == {("p1", "DRIVES", "v1")}
    driver = {"local_id": "p2", "role": "DRIVER", "full_name": "SYN DRIVER"}
    sent = example("BCSC.SEIZURE")
    sent["persons"].append(driver)
    assert links(report(sent)) == {("p2", "DRIVES", "v1"), ("p1", "PASSENGER_OF", "v1")}


def test_money_is_one_item_of_the_report() -> None:
    (cash,) = report(example("BCSC.SEIZURE")).currency
    assert (cash.code, cash.amount, cash.usd_equivalent) == ("USD", Decimal(175_930), Decimal(175_930))


def test_money_of_a_second_currency_is_listed_beside_the_first() -> None:
    sent = example("BCSC.SEIZURE") | {"currency_items": [{"local_id": "c1", "code": "MXN", "amount": 9000}]}
    assert [c.code for c in report(sent).currency] == ["MXN", "USD"]


def test_not_asked_is_not_the_same_as_nothing_declared() -> None:
    assert report(changed(example("BCSC.SEIZURE"), "/declared_usd", None)).facts.declared_usd is None


def test_bearer_instruments_need_no_denominations() -> None:
    sent = changed(example("BCSC.SEIZURE"), "/denominations", [])
    assert pointers(changed(sent, "/packaging", ["MI_BEARER"])) == []


def test_an_interstate_seizure_crossed_no_border() -> None:
    facts = report(changed(example("BCSC.SEIZURE"), "/prong", "INTERSTATE")).facts
    assert (facts.direction, facts.moved_usd) == (None, None)


def test_nobody_and_nothing_may_have_carried_it() -> None:
    sent = example("BCSC.SEIZURE") | {"courier": "NONE", "conveyance": "NONE"}
    facts = report(sent).facts
    assert (facts.driver, facts.conveyance) == (None, None)


def test_a_custody_receipt_makes_two_reports_one_event() -> None:
    facts = report(example("BCSC.SEIZURE") | {"custody_receipt_no": "6051S-0001"}).facts
    assert [(n.kind, n.value) for n in facts.numbers] == [("CUSTODY_RECEIPT", "6051S-0001")]


def test_an_inquiry_saw_its_subject_at_the_ports_it_crossed() -> None:
    made = report(example("BCSC.INQUIRY"))
    assert links(made) == {("p1", "SEEN_AT", "_port2402")}
    assert made.facts.status == "POS"


def test_a_declaration_names_the_filer_and_for_whom() -> None:
    made = report(example("BCSC.CMIR"))
    assert links(made) == {
        ("_filer", "LOCATED_AT", "_address1"), ("_filer", "IDENTIFIED_BY", "_passport"),
        ("_filer", "ACTS_FOR", "_behalf"), ("_behalf", "LOCATED_AT", "_behalf_address"),
    }  # fmt: skip
    facts = made.facts
    assert (facts.direction, facts.moved_usd, facts.cmir_filed) == ("IN", 148_000, True)
    assert made.predicate is None


def test_a_shipment_goes_from_place_to_place_by_its_carrier() -> None:
    made = report(example("BCSC.CMIR", 1))
    assert links(made) >= {("_shipped_from", "SHIPPED_TO", "_shipped_to"), ("_carrier", "ACTS_FOR", "_filer")}
    assert (made.persons[0].role, made.facts.direction) == ("SHIPPER", "OUT")


def test_a_form_is_carried_or_shipped_but_not_both() -> None:
    sent = example("BCSC.CMIR") | {"shipment": example("BCSC.CMIR", 1)["shipment"]}
    assert pointers(sent) == [""]


def test_an_armoured_car_moves_its_customers_money() -> None:
    made = report(example("BCSC.ACS_MOVEMENT"))
    assert links(made) == {("_firm", "ACTS_FOR", "_customer"), ("_from", "SHIPPED_TO", "_to")}
    assert (made.facts.moved_usd, made.facts.direction) == (410_000, "IN")
