"""OFC's report types: their own rules, and what they become."""

from typing import Any

import pytest

from shared.contracts.handling import Clearance, audience_of
from tests.ingest.feed_examples import changed, example, links, pointers, report


@pytest.mark.parametrize(
    ("schema", "pointer", "value", "blamed"),
    [
        ("OFC.FINANCIAL", "/handling/cui", "CUI//LEI", "/handling/cui"),
        ("OFC.FINANCIAL", "/handling/orcon", False, "/handling/orcon"),
        ("OFC.FINANCIAL", "/bsa_id", "3100000000041", "/bsa_id"),
        ("OFC.FINANCIAL", "/form", "W2", "/form"),
        ("OFC.FINANCIAL", "/parties", [], "/parties"),
        ("OFC.FINANCIAL", "/parties/0/entity", "a1", "/parties/0/entity"),
        ("OFC.FINANCIAL", "/parties/0/accounts/0", "a9", "/parties/0/accounts/0"),
        ("OFC.FINANCIAL", "/parties/2/role", "BYSTANDER", "/parties/2/role"),
        ("OFC.FINANCIAL", "/parties/2/dob", "1980-01-01", "/parties/2"),
        ("OFC.FINANCIAL", "/txns/0/account", "p1", "/txns/0/account"),
        ("OFC.FINANCIAL", "/txns/0/party", "p9", "/txns/0/party"),
        ("OFC.FINANCIAL", "/txns/0/kind", "BARTER", "/txns/0/kind"),
        ("OFC.FINANCIAL", "/txns/0/branch_state", "ZZ", "/txns/0/branch_state"),
        ("OFC.FINANCIAL", "/txns/0/amount", -1, "/txns/0/amount"),
        ("OFC.TARGET_PROFILE", "/subject", "v1", "/subject"),
        ("OFC.TARGET_PROFILE", "/roles", [], "/roles"),
        ("OFC.TARGET_PROFILE", "/associates/0/party", "p9", "/associates/0/party"),
        ("OFC.TARGET_PROFILE", "/communications/0", "v1", "/communications/0"),
        ("OFC.TARGET_PROFILE", "/assets/0", "ph1", "/assets/0"),
        ("OFC.TARGET_PROFILE", "/flags/0/flag", "X", "/flags/0/flag"),
        ("OFC.TARGET_PROFILE", "/flags/0/evidence", ..., "/flags/0/evidence"),
        ("OFC.TARGET_PROFILE", "/intelligence_gaps", ..., "/intelligence_gaps"),
        ("OFC.CASE_LINK", "/link_reason", "HUNCH", "/link_reason"),
        ("OFC.LIST_UPDATE", "/list", "FTO", "/list"),
        ("OFC.LIST_UPDATE", "/entries/0/id", "CPOT-SYN-0008", "/entries/1/id"),
        ("OFC.LIST_UPDATE", "/entries/0/status", "GONE", "/entries/0/status"),
    ],
)
def test_a_broken_rule_is_named_by_its_field(schema: str, pointer: str, value: Any, blamed: str) -> None:
    assert pointers(changed(example(schema), pointer, value)) == [blamed]


def test_cases_that_are_one_are_not_linked() -> None:
    sent = example("OFC.CASE_LINK")
    assert pointers(sent | {"case_b": sent["case_a"]}) == ["/case_b"]


def test_a_filing_needs_the_bsa_authority_and_the_originators_approval() -> None:
    sent = changed(example("OFC.FINANCIAL"), "/handling/caveats", [])
    audience = audience_of(report(sent), approvals=["TXZZZ0001"])
    assert not audience.includes(Clearance("TXZZZ0001"))
    assert audience.includes(Clearance("TXZZZ0001", authorities=frozenset({"BSA"})))
    assert not audience_of(report(sent)).includes(Clearance("TXZZZ0001", authorities=frozenset({"BSA"})))


def test_a_filing_ties_parties_to_accounts_and_money() -> None:
    made = report(example("OFC.FINANCIAL"))
    assert links(made) == {("p1", "USES", "ph1"), ("p1", "HOLDS", "a1"), ("_party3", "HOLDS", "a1")}
    assert [(t.kind, t.amount, t.party, t.branch_state) for t in made.facts.transactions] == [
        ("CASH_IN", 9_500, "p1", "TX"), ("CASH_IN", 9_400, "p1", "NM"), ("WIRE_OUT", 18_700, "p1", "TX"),
    ]  # fmt: skip
    assert [(n.kind, n.value) for n in made.facts.numbers] == [("BSA_ID", "31000000000417")]
    assert [(o.name, o.role.value) for o in made.organizations][1] == ("SYN TRADING LLC", "BENEFICIAL_OWNER")


def test_a_transaction_is_nobodys_where_several_could_have_made_it() -> None:
    sent = example("OFC.FINANCIAL")
    sent["parties"].append({"role": "CONDUCTOR", "name": "SYN PERSON 18"})
    assert report(sent).facts.transactions[2].party is None


def test_a_party_that_the_form_does_not_name_is_no_person() -> None:
    sent = example("OFC.FINANCIAL")
    sent["parties"].append({"role": "SUBJECT", "name": "UNKNOWN"})
    made = report(sent)
    assert len(made.persons) == 1
    assert made.details["parties"][3]["name"] == "UNKNOWN"


def test_a_provisional_number_identifies_no_event() -> None:
    assert report(example("OFC.FINANCIAL") | {"bsa_id_provisional": True}).facts.numbers == ()


def test_a_profile_is_its_subjects_network() -> None:
    made = report(example("OFC.TARGET_PROFILE"))
    assert links(made) == {
        ("p1", "WORKS_FOR", "p2"), ("p1", "OWNS", "o1"), ("p1", "USES", "ph1"), ("p1", "USES", "on1"),
        ("p1", "OWNS", "v1"), ("p1", "HOLDS", "a1"), ("p1", "OWNS", "l1"),
    }  # fmt: skip
    facts = made.facts
    assert facts.cases == ("EP13QR26EP0001", "HQ26-1107")
    assert [(f.flag, f.evidence) for f in facts.flags] == [("B", "BCS-26-000417"), ("E", "OFC-FIN-26-00205")]
    assert [(x.list, x.entry_id) for x in facts.listings] == [("RPOT", "RPOT-SYN-0113")]


def test_a_case_link_names_both_cases_and_what_they_share() -> None:
    made = report(example("OFC.CASE_LINK"))
    assert made.facts.cases == ("HQ26-1107", "EP13QR26EP0001")
    assert made.phones[0].number == "+19155550161"


def test_a_list_gives_every_entry_with_its_identifiers() -> None:
    made = report(example("OFC.LIST_UPDATE"))
    organization, person = "_entry-CPOT-SYN-0007", "_entry-CPOT-SYN-0008"
    assert [o.local_id for o in made.organizations] == [organization]
    assert [p.local_id for p in made.persons] == [person]
    assert {t for s, _, t in links(made) if s == person} == {
        "_phone-526565550190", "_passport-SYN880008", "_plate-SYN0808",
    }  # fmt: skip
    (vehicle,) = made.vehicles
    assert (vehicle.plate, vehicle.vin) == ("SYN0808", "3N1CN7AP5EL000808")
    assert [(x.mention, x.status) for x in made.facts.listings] == [
        (organization, "ACTIVE"), (person, "DISRUPTED"),
    ]  # fmt: skip
