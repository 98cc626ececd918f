"""FinCEN batches: the real ones import whole, odd ones too, and hostile ones are turned away."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.feeds import FEEDS
from services.ingest.formats import bsa_xml
from services.ingest.formats.bsa_text import amount, partial_day, phone
from services.ingest.formats.bsa_xml import BadBatch, BatchDefaults, Unreadable, acknowledged_ids, read
from shared.contracts.report import Report

DATA = Path(__file__).parents[1] / "data" / "fincen-bsa"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DEFAULTS = BatchDefaults("DCZZZ0009", NOW)


def batch(*activities: str, form: str = "CTRX", prefix: str = "") -> bytes:
    body = "".join(f"<Activity SeqNum='{n}'>{a}</Activity>" for n, a in enumerate(activities, 1))
    xml = f"<EFilingBatchXML>{body}<FormTypeCode>{form}</FormTypeCode></EFilingBatchXML>"
    return (prefix + xml).encode()


def party(kind: str, name: str = "SYN PARTY", more: str = "") -> str:
    legal = f"<PartyNameTypeCode>L</PartyNameTypeCode><RawPartyFullName>{name}</RawPartyFullName>"
    named = f"<PartyName>{legal}</PartyName>"
    return (
        f"<Party><ActivityPartyTypeCode>{kind}</ActivityPartyTypeCode>{named if name else ''}{more}</Party>"
    )


def identification(kind: str) -> str:
    number = "<PartyIdentificationNumberText>1</PartyIdentificationNumberText>"
    code = f"<PartyIdentificationTypeCode>{kind}</PartyIdentificationTypeCode>"
    return f"<PartyIdentification>{number}{code}</PartyIdentification>"


def payload(xml: bytes, defaults: BatchDefaults = DEFAULTS) -> dict[str, Any]:
    ((position, found),) = read(xml, defaults)
    assert position == 1
    assert isinstance(found, dict), found
    return found


def imported(xml: bytes, defaults: BatchDefaults = DEFAULTS, at: datetime = NOW) -> Report:
    """The canonical report of a batch of one activity, through OFC's own checks."""
    feed = FEEDS["OFC"]
    made = feed.to_report(feed.parse(orjson.dumps(payload(xml, defaults)), at), at)
    assert Report.from_json(made.to_json()) == made
    return made


def test_the_real_ctr_batch_imports_with_every_party() -> None:
    made = imported((DATA / "ctr_batch.xml").read_bytes())
    assert [o.name for o in made.organizations] == [
        "Transmitter Legal Name", "Filing Institution Legal Name", "Contact Office Legal Name",
        "Transaction Location Legal Name",
    ]  # fmt: skip
    assert [p.full_name for p in made.persons] == ["Transmitter Contact Name", "John Johnson Doe Jr."]
    assert len(made.details["parties"]) == 6
    doe = made.persons[1]
    assert (doe.family_names, doe.dob, doe.sex, doe.aka) == ("Doe", "1975-01-20", "F", ("JJ",))
    assert [(i.type, i.value, i.issuer) for i in doe.ids] == [("DL", "44589774512", "US-TX")]
    assert [a.number for a in made.accounts] == ["1115478569", "3365998541", "4857985691"]
    held = {(r.source, r.target) for r in made.relations if r.type == "HOLDS"}
    assert held == {("p2", "a1"), ("p2", "a2"), ("p2", "a3")}
    assert [(t.kind, t.amount, t.party, t.account, t.branch_state) for t in made.facts.transactions] == [
        ("CASH_IN", Decimal("20000.00"), "p2", "a1", "VA")
    ]
    assert made.details["total_in_usd"] == "47000.00"


def test_the_real_sar_batch_imports_with_every_party() -> None:
    made = imported((DATA / "sar_batch.xml").read_bytes())
    assert [p["role"] for p in made.details["parties"]] == [
        "TRANSMITTER", "CONTACT", "FILER", "CONTACT", "BRANCH", "SUBJECT",
    ]  # fmt: skip
    subject = made.persons[1]
    assert (subject.full_name, subject.role, subject.aka) == ("Janice Mann", "SUBJECT", ("Janda", "Jan"))
    assert subject.dob is None, "born on the day of the activity: the date is wrong"
    assert {(o.kind, o.value) for o in made.online} == {("EMAIL", "jan@gmail.com"), ("URL", "janda.org")}
    assert made.details["activities"] == [{"type": "1", "subtype": "106"}]
    assert made.details["prior_bsa_id"] == "00000000000001"
    assert made.facts.status == "SAR111"


@pytest.mark.parametrize("name", ["ctr_batch.xml", "sar_batch.xml"])
def test_a_filing_is_marked_for_the_bsa_authority(name: str) -> None:
    handling = imported((DATA / name).read_bytes()).handling
    assert (handling.cui, handling.orcon, handling.caveats) == ("CUI//SP-FSEC", True, ("BSA",))


@pytest.mark.parametrize("name", ["ctr_batch.xml", "sar_batch.xml"])
def test_sending_a_batch_again_within_the_year_changes_nothing(name: str) -> None:
    xml = (DATA / name).read_bytes()
    later = BatchDefaults("DCZZZ0009", NOW + timedelta(days=200))
    assert payload(xml) == payload(xml, later)
    spaced = xml.replace(b"<Party ", b"<Party   ").replace(b"</PartyName>", b"</PartyName>\n")
    assert payload(spaced)["source_report_no"] == payload(xml)["source_report_no"]


def test_two_agencies_that_import_one_batch_make_two_reports() -> None:
    xml = (DATA / "ctr_batch.xml").read_bytes()
    assert payload(xml)["bsa_id"] != payload(xml, BatchDefaults("NYZZZ0001", NOW))["bsa_id"]


def test_without_an_acknowledgement_the_bsa_id_is_provisional_and_says_so() -> None:
    made = imported((DATA / "ctr_batch.xml").read_bytes())
    assert made.details["bsa_id"].startswith("00")
    assert made.details["bsa_id_provisional"] is True
    assert made.facts.numbers == ()


def test_an_acknowledgement_gives_the_bsa_ids_and_a_newer_version() -> None:
    ids = acknowledged_ids((DATA / "ctr_acknowledgement.xml").read_bytes())
    assert ids == ("31000000000001", "31000000000002", "31000000000003")
    xml = (DATA / "ctr_batch.xml").read_bytes()
    first, second = imported(xml), imported(xml, BatchDefaults("DCZZZ0009", NOW, bsa_ids=ids[:1]))
    assert (first.report_id, first.version) == (second.report_id, 1)
    assert second.version == 2
    assert [(n.kind, n.value) for n in second.facts.numbers] == [("BSA_ID", ids[0])]


def test_an_acknowledgement_of_another_batch_is_refused() -> None:
    ids = acknowledged_ids((DATA / "ctr_acknowledgement.xml").read_bytes())
    with pytest.raises(BadBatch, match="3 activities, the batch 1"):
        list(read((DATA / "ctr_batch.xml").read_bytes(), BatchDefaults("DCZZZ0009", NOW, bsa_ids=ids)))


@pytest.mark.parametrize(
    ("form", "name"),
    [("CTRX", "CTR112"), ("SARX", "SAR111"), ("8300X", "F8300"), ("FBARX", "FBAR114"), ("CMIRX", "CMIR105")],
)
def test_the_form_stands_where_it_will(form: str, name: str) -> None:
    xml = batch(party("30"), form=form)
    assert payload(xml)["form"] == name
    head = f"<FormTypeCode>{form}</FormTypeCode>"
    first = xml.replace(head.encode(), b"").replace(b"<Activity", head.encode() + b"<Activity")
    assert payload(first)["form"] == name


def test_namespaces_are_understood() -> None:
    xml = (DATA / "ctr_batch.xml").read_bytes()
    prefixed = xml.replace(b"<", b"<fc2:").replace(b"<fc2:/", b"</fc2:")
    assert payload(prefixed) == payload(xml)


def test_one_bad_activity_does_not_sink_the_rest() -> None:
    found = dict(read(batch(party("30", "SYN A"), "", party("30", "SYN C")), DEFAULTS))
    assert isinstance(found[2], Unreadable)
    assert found[2].problems[0]["message"]
    assert [isinstance(found[n], dict) for n in (1, 3)] == [True, True]


@pytest.mark.parametrize(
    "odd",
    [
        "<IndividualBirthDateText>19750231</IndividualBirthDateText>",
        "<IndividualBirthDateText>1975</IndividualBirthDateText>",
        "<IndividualBirthDateText/>",
        "<IndividualEntityCashInAmountText>about 9,000</IndividualEntityCashInAmountText>",
        "<IndividualEntityCashInAmountText></IndividualEntityCashInAmountText>",
        "<IndividualEntityCashInAmountText>-5</IndividualEntityCashInAmountText>",
        "<IndividualEntityCashInAmountText>99999999999999999999</IndividualEntityCashInAmountText>",
        "<PhoneNumber><PhoneNumberText>n/a</PhoneNumberText></PhoneNumber>",
        "<PhoneNumber><PhoneNumberText>12</PhoneNumberText></PhoneNumber>",
        "<PhoneNumber/>",
        "<Address/>",
        "<Address><RawCountryCodeText>United States</RawCountryCodeText></Address>",
        "<Address><RawStateCodeText>Virginia</RawStateCodeText><RawZIPCode>?</RawZIPCode></Address>",
        identification("77"),
        identification("x"),
        identification(""),
        "<UnheardOfIndicator>Y</UnheardOfIndicator>",
        "<MaleGenderIndicator>maybe</MaleGenderIndicator>",
        "<Account/>",
        "<Account><AccountNumberText>" + "9" * 400 + "</AccountNumberText></Account>",
        "<PartyName><PartyNameTypeCode>AKA</PartyNameTypeCode></PartyName>",
        "<PartyName><RawPartyFullName>" + "X" * 900 + "</RawPartyFullName></PartyName>",
        "<ElectronicAddress><ElectronicAddressText>nowhere</ElectronicAddressText></ElectronicAddress>",
    ],
    ids=lambda o: o[1:40],
)
def test_an_odd_value_refuses_nothing(odd: str) -> None:
    made = imported(batch(party("50", "SYN ODD", odd) + party("30", "SYN BANK")))
    assert any(p.full_name == "SYN ODD" for p in made.persons)


def test_a_party_without_a_name_is_counted_but_is_no_person() -> None:
    unknown = party("33", "", "<IndividualBirthDateText>19800101</IndividualBirthDateText>")
    made = imported(batch(unknown + party("30", "SYN BANK"), form="SARX"))
    assert [p["name"] for p in made.details["parties"]] == ["UNKNOWN", "SYN BANK"]
    assert made.persons == ()


def test_a_child_is_imported_as_a_third_party_and_marked() -> None:
    day = "<SuspiciousActivityFromDateText>20250601</SuspiciousActivityFromDateText>"
    dated = f"<SuspiciousActivity>{day}</SuspiciousActivity>"
    child = party("33", "SYN CHILD", "<IndividualBirthDateText>20170101</IndividualBirthDateText>")
    (person,) = imported(batch(child + dated, form="SARX")).persons
    assert (person.role, person.juvenile, person.dob) == ("THIRD_PARTY", True, "2017-01-01")


def test_staff_of_a_filer_can_be_nobodys_lead() -> None:
    made = imported(batch(party("37", "SYN CLERK") + party("30", "SYN BANK")))
    assert [(p.full_name, p.ncii) for p in made.persons] == [("SYN CLERK", True)]


def test_who_conducts_for_another_acts_for_him() -> None:
    made = imported(batch(party("17", "SYN RUNNER") + party("23", "SYN OWNER")))
    assert ("p1", "ACTS_FOR", "p2") in {(r.source, r.type.value, r.target) for r in made.relations}


def test_a_form_8300_is_one_cash_payment() -> None:
    money = (
        "<CurrencyTransactionActivity><TotalCashInReceiveAmountText>12,500.50</TotalCashInReceiveAmountText>"
        "<TransactionDateText>20250203</TransactionDateText></CurrencyTransactionActivity>"
    )
    made = imported(batch(party("16", "SYN BUYER") + party("4", "SYN DEALER") + money, form="8300X"))
    assert [(t.kind, t.amount, t.party) for t in made.facts.transactions] == [
        ("CASH_IN", Decimal("12500.50"), "p1")
    ]
    assert made.event_start == datetime(2025, 2, 3, tzinfo=UTC)


def test_an_fbars_accounts_belong_to_its_filer() -> None:
    account = (
        "<Account><AccountNumberText>SYN-77</AccountNumberText>"
        + party("41", "SYN FOREIGN BANK")
        + "</Account>"
    )
    made = imported(batch(party("15", "SYN FILER") + account, form="FBARX"))
    assert [(a.number, a.institution) for a in made.accounts] == [("SYN-77", "SYN FOREIGN BANK")]
    assert ("p1", "HOLDS", "a1") in {(r.source, r.type.value, r.target) for r in made.relations}


def test_a_sars_account_knows_its_institution() -> None:
    held = (
        "<PartyAccountAssociation>" + party("41", "SYN OTHER BANK",
        "<Account><AccountNumberText>SYN-88</AccountNumberText></Account>") + "</PartyAccountAssociation>"
    )  # fmt: skip
    made = imported(batch(party("33", "SYN SUBJECT", held), form="SARX"))
    assert [(a.number, a.institution) for a in made.accounts] == [("SYN-88", "SYN OTHER BANK")]


DTD = "<!DOCTYPE EFilingBatchXML [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]>"
EXTERNAL = "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"


@pytest.mark.parametrize(
    ("xml", "why"),
    [
        (batch(party("30", "&b;"), prefix=DTD), "DTD"),
        (batch(party("30", "&e;"), prefix=EXTERNAL), "DTD"),
        (batch(party("30"), prefix="<!DOCTYPE EFilingBatchXML SYSTEM 'http://127.0.0.1/x.dtd'>"), "DTD"),
        (batch(party("30"))[:-20], "not well-formed"),
        (b"", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b"{}", "not well-formed"),
        (b"<html/>", "root element is html"),
        (batch(party("30"), form="DOEPX"), "FormTypeCode is DOEPX"),
        (batch(party("30"), form=""), "FormTypeCode is missing"),
        (batch("<a>" * 60 + "</a>" * 60), "deeper than"),
        (b"<?xml version='1.0' encoding='utf-99'?><EFilingBatchXML/>", "not well-formed"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_an_unsound_document_is_refused_whole_and_in_words(xml: bytes, why: str) -> None:
    with pytest.raises(BadBatch, match=why):
        list(read(xml, DEFAULTS))


def test_a_document_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bsa_xml, "MAX_BYTES", 100)
    with pytest.raises(BadBatch, match="split the batch"):
        list(read(batch(party("30")), DEFAULTS))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    with pytest.raises(BadBatch):
        list(read(noise, DEFAULTS))


@pytest.mark.parametrize(
    "make", [lambda n: party("50", f"SYN {n}"), lambda n: f"<UnknownElement>{n}</UnknownElement>"]
)
def test_a_large_activity_is_read_in_reasonable_time(make: Callable[[int], str]) -> None:
    parties = "".join(make(n) for n in range(2_000))
    assert len(payload(batch(parties + party("30")))["parties"]) in {1, 2_001}


def test_the_importer_says_what_the_batch_does_not() -> None:
    query = {
        "case_no": ["OF26-0418"],
        "release_to": ["OFC", "EPIC"],
        "phone": ["+12025550160"],
        "basis": ["TIP_UNVETTED"],
    }
    made = imported(batch(party("30")), BatchDefaults.from_query("DCZZZ0009", NOW, query))
    assert (made.case_no, made.handling.release_to) == ("OF26-0418", ("OFC", "EPIC"))
    assert made.originator.phone == "+12025550160"
    assert made.predicate is not None
    assert made.predicate.basis == "TIP_UNVETTED"


def test_the_acknowledged_ids_may_be_given_with_the_import() -> None:
    query = {"bsa_id": ["31000000000001", "31000000000002"]}
    defaults = BatchDefaults.from_query("DCZZZ0009", NOW, query)
    found = [p for _, p in read(batch(party("30", "SYN A"), party("30", "SYN B")), defaults)]
    assert [p["bsa_id"] for p in found if isinstance(p, dict)] == query["bsa_id"]
    with pytest.raises(BadBatch, match="14 digits"):
        BatchDefaults.from_query("DCZZZ0009", NOW, {"bsa_id": ["31"]})


def test_an_unknown_setting_of_an_import_is_named() -> None:
    with pytest.raises(BadBatch, match="colour is no setting"):
        BatchDefaults.from_query("DCZZZ0009", NOW, {"colour": ["red"]})


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("(915) 555-0142", "+19155550142"), ("1-915-555-0142", "+19155550142"), ("0155501", "0155501"),
     ("x", None)],
)  # fmt: skip
def test_phones_are_e164_where_that_is_plain(written: str, read_as: str | None) -> None:
    assert phone(written) == read_as


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("20250203", "2025-02-03"), ("20250200", "2025-02"), ("20250000", "2025"), ("20251300", None),
     ("0", None)],
)  # fmt: skip
def test_dates_may_be_partial(written: str, read_as: str | None) -> None:
    assert partial_day(written) == read_as


@pytest.mark.parametrize(
    ("written", "read_as"), [("1,000", "1000.00"), ("$5.5", "5.50"), ("0", None), ("1e9", None), (None, None)]
)
def test_amounts_are_positive_money(written: str | None, read_as: str | None) -> None:
    assert amount(written) == (None if read_as is None else Decimal(read_as))
