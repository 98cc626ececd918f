"""EPIC's report types: their own rules, and what they become."""

from decimal import Decimal
from typing import Any

import pytest

from tests.ingest.feed_examples import changed, example, links, pointers, report


@pytest.mark.parametrize(
    ("schema", "pointer", "value", "blamed"),
    [
        ("EPIC.LPR", "/lat", 91, "/lat"),
        ("EPIC.LPR", "/heading", 360, "/heading"),
        ("EPIC.LPR", "/confidence", 1.1, "/confidence"),
        ("EPIC.LPR", "/jurisdiction", "Texas", "/jurisdiction"),
        ("EPIC.LPR", "/image_sha256", "zz", "/image_sha256"),
        ("EPIC.SEIZURE", "/setting", "STREET", "/setting"),
        ("EPIC.SEIZURE", "/place", "v1", "/place"),
        ("EPIC.SEIZURE", "/items/0", "p1", "/items/0"),
        ("EPIC.SEIZURE", "/items", [], "/items"),
        ("EPIC.SEIZURE", "/conveyance", "d1", "/conveyance"),
        ("EPIC.SEIZURE", "/agencies/1/part", "LEAD", "/agencies"),
        ("EPIC.SEIZURE", "/concealment/location", "GLOVEBOX", "/concealment/location"),
        ("EPIC.SEIZURE", "/origin", ..., "/origin"),
        ("EPIC.CROSSING", "/port_code", "El Paso", "/port_code"),
        ("EPIC.CROSSING", "/direction", "NORTH", "/direction"),
        ("EPIC.CROSSING", "/mode", "CAR", "/mode"),
        ("EPIC.CROSSING", "/document/type", "LIBRARY_CARD", "/document/type"),
        ("EPIC.CROSSING", "/traveller", "v1", "/traveller"),
        ("EPIC.LOOKOUT", "/active_to", "2026-05-21T15:00:01Z", "/active_to"),
        ("EPIC.LOOKOUT", "/active_to", "2026-02-19T00:00:00Z", "/active_to"),
        ("EPIC.LOOKOUT", "/identifiers", [], "/identifiers"),
        ("EPIC.LOOKOUT", "/identifiers/0/issuer", "Texas", "/identifiers/0/issuer"),
        ("EPIC.LOOKOUT", "/lookout_action", "SHOOT", "/lookout_action"),
        ("EPIC.LOOKOUT", "/hazards/0", "SLEEPY", "/hazards/0"),
        ("EPIC.INQUIRY", "/requester/call_back", "911", "/requester/call_back"),
        ("EPIC.INQUIRY", "/response", "MAYBE", "/response"),
        ("EPIC.BIFS_PRODUCT", "/organisations/0", "p1", "/organisations/0"),
        ("EPIC.BIFS_PRODUCT", "/key_judgements/0/likelihood", "PROBABLE", "/key_judgements/0/likelihood"),
        ("EPIC.BIFS_PRODUCT", "/gatekeeper", "o1", "/gatekeeper"),
        ("EPIC.BIFS_PRODUCT", "/source_reports", [], "/source_reports"),
    ],
)
def test_a_broken_rule_is_named_by_its_field(schema: str, pointer: str, value: Any, blamed: str) -> None:
    assert pointers(changed(example(schema), pointer, value)) == [blamed]


def test_a_plate_read_is_a_vehicle_seen_at_a_point() -> None:
    made = report(example("EPIC.LPR"))
    assert [(v.plate, v.jurisdiction) for v in made.vehicles] == [("SYN1234", "US-TX")]
    assert [(p.lat, p.lon) for p in made.locations] == [(31.7702, -106.4289)]
    assert links(made) == {("_plate", "SEEN_AT", "_reader")}
    assert set(made.details) == {"reader_id", "heading", "confidence", "image_sha256"}


def test_a_plate_read_costs_little_room() -> None:
    assert len(report(example("EPIC.LPR")).to_json()) < 1_200


def test_a_seizure_says_who_drove_what_where() -> None:
    made = report(example("EPIC.SEIZURE"))
    assert links(made) >= {
        ("p1", "DRIVES", "v1"), ("p2", "OWNS", "v1"), ("v1", "SEEN_AT", "l1"), ("p1", "SEEN_AT", "l1"),
        ("f1", "CARRIED_IN", "v1"), ("p1", "USES", "ph1"),
    }  # fmt: skip
    facts = made.facts
    assert (facts.driver, facts.conveyance, facts.place) == ("p1", "v1", "l1")
    assert facts.agencies == ("NMZZZ0104", "TXZZZ0001")
    assert {(n.kind, n.value) for n in facts.numbers} == {
        ("SEIZURE_NO", "NSS-26-0040117"), ("FDIN", "FDIN-26-0091"),
    }  # fmt: skip
    assert facts.seized_usd == 4_200
    assert facts.concealment is not None


def test_cash_that_was_not_seized_is_not_counted() -> None:
    made = report(changed(example("EPIC.SEIZURE"), "/items", ["d1"]))
    assert made.facts.seized_usd is None


def test_a_seizure_without_conveyance_has_none() -> None:
    sent = changed(example("EPIC.SEIZURE"), "/conveyance", "NONE")
    made = report(changed(sent, "/setting", "PREMISES"))
    assert made.facts.conveyance is None
    assert not any(r.type == "DRIVES" for r in made.relations)


def test_a_laboratory_is_something_seized() -> None:
    lab = {"capacity": "2-10 LB", "process": "P2P", "precursors": ["SYN-1"], "children_present": True}
    sent = changed(example("EPIC.SEIZURE"), "/items", []) | {"lab": lab}
    assert pointers(sent) == []


@pytest.mark.parametrize(("setting", "direction"), [("POE_IN", "IN"), ("POE_OUT", "OUT"), ("HIGHWAY", None)])
def test_the_setting_tells_the_direction(setting: str, direction: str | None) -> None:
    assert report(changed(example("EPIC.SEIZURE"), "/setting", setting)).facts.direction == direction


def test_the_agencys_own_relation_stands_before_ours() -> None:
    sent = example("EPIC.SEIZURE")
    sent["relations"] = [{"from": "p1", "to": "v1", "type": "DRIVES", "confidence": 0.4}]
    driven = [r for r in report(sent).relations if r.type == "DRIVES"]
    assert [(r.source, r.target, r.confidence) for r in driven] == [("p1", "v1", 0.4)]


def test_a_crossing_ties_traveller_document_and_vehicle_to_the_port() -> None:
    made = report(example("EPIC.CROSSING"))
    assert links(made) == {
        ("p1", "IDENTIFIED_BY", "_document"), ("p1", "DRIVES", "_plate"), ("p1", "SEEN_AT", "_port"),
        ("_plate", "SEEN_AT", "_port"),
    }  # fmt: skip
    assert made.facts.declared_usd == Decimal(0)
    assert made.locations[0].port_code == "2402"


def test_a_crossing_of_an_unknown_person_ties_the_document_to_the_vehicle() -> None:
    sent = changed(changed(example("EPIC.CROSSING"), "/persons", []), "/traveller", None)
    assert ("_document", "RELATED_TO", "_plate") in links(report(sent))


def test_a_crossing_needs_a_document_or_a_plate() -> None:
    sent = changed(changed(example("EPIC.CROSSING", 1), "/plate", ...), "/jurisdiction", ...)
    assert pointers(sent) == [""]


def test_who_walks_across_drives_nothing() -> None:
    made = report(changed(example("EPIC.CROSSING"), "/mode", "BUS"))
    assert ("p1", "PASSENGER_OF", "_plate") in links(made)
    assert made.facts.driver is None


def test_a_lookout_watches_one_vehicle_by_plate_and_vin() -> None:
    made = report(example("EPIC.LOOKOUT"))
    (vehicle,) = made.vehicles
    assert (vehicle.plate, vehicle.vin, vehicle.jurisdiction) == ("SYN2468", "1HGCM82633A004352", "US-NM")
    assert ("p1", "DRIVES", vehicle.local_id) in links(made)
    assert made.facts.action == "STOP"
    assert made.facts.active_to is not None


def test_two_plates_of_one_lookout_are_two_vehicles() -> None:
    sent = example("EPIC.LOOKOUT")
    sent["identifiers"] = [{"type": "PLATE", "value": "SYN1"}, {"type": "PLATE", "value": "SYN2"}]
    assert len(report(sent).vehicles) == 2


def test_an_inquiry_saw_what_it_asked_about() -> None:
    made = report(example("EPIC.INQUIRY"))
    assert links(made) >= {("p1", "SEEN_AT", "_place"), ("p1", "IDENTIFIED_BY", "_dl-SYN00620")}
    assert made.facts.agencies == ("OKZZZ0210",)


def test_a_product_points_at_its_sources() -> None:
    made = report(example("EPIC.BIFS_PRODUCT"))
    assert made.facts.source_reports == ("EP-SZ-26-01188", "EP-LO-26-00231")
    assert links(made) == {("p1", "FACILITATES", "o1")}
