"""SOD's report types: their own rules, and what they become."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.feeds.sod import RECORDS
from shared.contracts.handling import audience_of
from tests.ingest.feed_examples import changed, example, links, pointers, problems, report

TARGET = "_phone-19155550161"


@pytest.mark.parametrize(
    ("schema", "pointer", "value", "blamed"),
    [
        ("SOD.TOLL", "/record_count", 4, "/record_count"),
        ("SOD.TOLL", "/file_sha256", "abc", "/file_sha256"),
        ("SOD.TOLL", "/records/0/dir", "BOTH", "/records/0/dir"),
        ("SOD.TOLL", "/records/0/seconds", -1, "/records/0/seconds"),
        ("SOD.TOLL", "/records/1/at", "2027-01-01T00:00:00Z", "/records/1/at"),
        ("SOD.TOLL", "/period/end", "2025-01-01T00:00:00Z", "/period"),
        ("SOD.TOLL", "/records/2/cell_site", "310-410-7", "/records/2/cell_site"),
        ("SOD.TOLL", "/subscriber", "p9", "/subscriber"),
        ("SOD.TARGET_ID", "/id_type", "SHOE_SIZE", "/id_type"),
        ("SOD.TARGET_ID", "/value", "1", "/value"),
        ("SOD.TARGET_ID", "/active_to", "2026-01-11T00:00:00Z", "/active_to"),
        ("SOD.TARGET_ID", "/active_to", "9999-12-31T23:59:59-14:00", "/active_to"),
        ("SOD.TARGET_ID", "/user", "nobody", "/user"),
        ("SOD.INTERCEPT_SUMMARY", "/legal_basis/kind", "PEN_TRAP", "/legal_basis/kind"),
        ("SOD.INTERCEPT_SUMMARY", "/handling/cui", "CUI//LEI", "/handling/cui"),
        ("SOD.INTERCEPT_SUMMARY", "/summary", "x" * 1_001, "/summary"),
        ("SOD.INTERCEPT_SUMMARY", "/participants", [], "/participants"),
        ("SOD.INTERCEPT_SUMMARY", "/participants/0", "p9", "/participants/0"),
        ("SOD.TIP", "/source_reports", [], "/source_reports"),
        ("SOD.TIP", "/source_reports", ..., "/source_reports"),
        ("SOD.TIP", "/urgency", "SOON", "/urgency"),
        ("SOD.TIP", "/place", "v1", "/place"),
        ("SOD.CNTOC_NEXUS", "/list", "CPOT", "/list"),
        ("SOD.CNTOC_NEXUS", "/organization", "p1", "/organization"),
    ],
)
def test_a_broken_rule_is_named_by_its_field(schema: str, pointer: str, value: Any, blamed: str) -> None:
    assert pointers(changed(example(schema), pointer, value)) == [blamed]


@pytest.mark.parametrize("basis", ["SEARCH_WARRANT", "ORDER_2703D"])
def test_cell_sites_are_taken_under_a_warrant_or_order(basis: str) -> None:
    sent = changed(example("SOD.TOLL"), "/records/2/cell_site", "310-410-7")
    made = report(changed(sent, "/legal_basis/kind", basis))
    assert made.details["cell_sites"] == {"2": "310-410-7"}


def test_a_toll_becomes_calls_between_the_target_and_each_other_number() -> None:
    made = report(example("SOD.TOLL"))
    other, third = "_phone-15755550171", "_phone-526565550188"
    assert {p.local_id: p.role.value for p in made.phones} == {
        TARGET: "TARGET", other: "CONTACT", third: "CONTACT",
    }  # fmt: skip
    assert [(c.source, c.target, c.seconds, c.kind) for c in made.facts.calls] == [
        (TARGET, other, 64, "VOICE"), (other, TARGET, 12, "VOICE"), (TARGET, third, 0, "SMS"),
    ]  # fmt: skip
    assert links(made) == {
        ("p1", "SUBSCRIBER_OF", TARGET), (TARGET, "CALLED", other), (other, "CALLED", TARGET),
        (TARGET, "CALLED", third),
    }  # fmt: skip
    assert "records" not in made.details


def test_a_number_that_the_agency_lists_itself_is_one_mention() -> None:
    sent = changed(example("SOD.TOLL"), "/phones", [{"local_id": "ph1", "number": "+1 915-555-0161"}])
    assert [p.local_id for p in report(sent).phones] == [
        "ph1", "_phone-15755550171", "_phone-526565550188",
    ]  # fmt: skip


def test_ids_of_added_mentions_stay_when_a_later_version_has_more() -> None:
    sent = example("SOD.TOLL")
    first = {p.number: p.local_id for p in report(sent).phones}
    more = {"at": "2026-01-05T09:00:00Z", "dir": "IN", "other": "+15755550199", "seconds": 1, "kind": "VOICE"}
    sent["records"].insert(0, more)
    later = {p.number: p.local_id for p in report(changed(sent, "/record_count", 4)).phones}
    assert first.items() <= later.items()


def test_a_toll_of_the_largest_size_is_taken_and_a_larger_one_is_not() -> None:
    sent = example("SOD.TOLL")
    sent["records"] = [
        {**sent["records"][0], "other": f"+1915555{n % 100 + 100:04d}{n // 100}"} for n in range(RECORDS)
    ]
    made = report(changed(sent, "/record_count", RECORDS))
    assert len(made.facts.calls) == RECORDS
    sent["records"].append(sent["records"][0])
    assert pointers(sent) == ["/records"]


@pytest.mark.parametrize(
    ("id_type", "value", "issuer", "found"),
    [
        ("PHONE", "+19155550161", None, ("phones", "number")),
        ("IMEI", "490154203237518", None, ("devices", "imei")),
        ("IMSI", "310150123456789", None, ("devices", "imsi")),
        ("EMAIL", "syn@mail.example", None, ("online", "value")),
        ("IP", "192.0.2.7", None, ("online", "value")),
        ("HANDLE", "syn_17", "SYNCHAT", ("online", "value")),
        ("PLATE", "SYN1234", "US-TX", ("vehicles", "plate")),
        ("VIN", "1HGCM82633A004352", None, ("vehicles", "vin")),
        ("TAIL", "N999ZZ", None, ("aircraft", "tail")),
        ("ACCOUNT", "SYN-1", "SYN BANK", ("accounts", "number")),
        ("ADDRESS", "100 Invented Street, El Paso", None, ("locations", "address")),
    ],
)
def test_a_target_identifier_becomes_its_mention(
    id_type: str, value: str, issuer: str | None, found: tuple[str, str]
) -> None:
    sent = example("SOD.TARGET_ID") | {"id_type": id_type, "value": value, "issuer": issuer}
    made = report(sent)
    (mention,) = getattr(made, found[0])
    assert getattr(mention, found[1]) == value
    assert mention.role == "TARGET"
    assert any(r.source == "p1" and r.target == mention.local_id for r in made.relations)
    assert made.facts.active_from == datetime(2026, 1, 12, 5, tzinfo=UTC)
    assert made.facts.status == "TARGET"


def test_the_issuer_of_a_plate_is_a_jurisdiction() -> None:
    assert pointers(example("SOD.TARGET_ID", 1) | {"issuer": "New Mexico"}) == ["/issuer"]


def test_an_intercept_is_for_holders_of_the_authority_alone() -> None:
    assert "LCOMM" in audience_of(report(example("SOD.INTERCEPT_SUMMARY"))).authorities


def test_an_intercept_ties_its_participants_to_the_line() -> None:
    made = report(example("SOD.INTERCEPT_SUMMARY"))
    assert links(made) >= {
        ("p1", "RELATED_TO", TARGET), ("p2", "RELATED_TO", TARGET), (TARGET, "CALLED", "ph2"),
        ("p2", "USES", "ph2"),
    }  # fmt: skip
    assert [(c.source, c.target, c.seconds) for c in made.facts.calls] == [(TARGET, "ph2", 94)]


def test_a_tip_keeps_its_sources_and_its_place() -> None:
    made = report(example("SOD.TIP"))
    assert made.facts.source_reports == ("SOD-IN-26-00088", "SOD-TL-26-00731")
    assert made.locations[0].local_id == made.facts.place
    assert made.facts.agencies == ("EPIC",)


def test_a_nexus_ties_every_subject_to_the_listed_organisation() -> None:
    sent = changed(example("SOD.CNTOC_NEXUS"), "/linked", [])
    made = report(sent)
    assert links(made) == {("p1", "PAID", "o1")}
    assert [(x.list, x.entry_id, x.status, x.mention) for x in made.facts.listings] == [
        ("SDNTK", "SDNTK-SYN-0042", "ACTIVE", "o1")
    ]
    assert problems(sent) == []
