"""Identifiers: one canonical form each, check digits verified, nothing refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.identifiers import canonical, parse_text, type_name, valid

GOOD = [
    ("PHONE", "(915) 555-0142", "phone:+19155550142"),
    ("MOBILE", "+52 55 5555 0100", "phone:+525555550100"),
    ("VIN", "1m8gdm9axkp042788", "vin:1M8GDM9AXKP042788"),
    ("IMEI", "49-015420-323751-8", "imei:490154203237518"),
    ("IMEI", "49015420323751", "imei:490154203237518"),
    ("IMSI", "310150123456789", "imsi:310150123456789"),
    ("ICCID", "8991101200003204514", "iccid:8991101200003204514"),
    ("MAC", "00:1a:2B:3c:4d:5e", "mac:001A2B3C4D5E"),
    ("IBAN", "GB82 WEST 1234 5698 7654 32", "iban:GB82WEST12345698765432"),
    ("SWIFT", "DEUTDEFF", "bic:DEUTDEFF"),
    ("ABA", "021000021", "aba:021000021"),
    ("CURP", "BOXW310820HNERXN09", "curp:BOXW310820HNERXN09"),
    ("RFC", "GODE 561231 GR8", "rfc:GODE561231GR8"),
    ("LEI", "213800KUD8LAJWSQ9D15", "lei:213800KUD8LAJWSQ9D15"),
    ("IMO", "IMO 9319466", "imo:9319466"),
    ("MMSI", "366123456", "mmsi:366123456"),
    ("CONTAINER", "CSQU 305438-3", "container:CSQU3054383"),
    ("EMAIL", "Jo.Syn+x@Googlemail.com", "email:josyn@gmail.com"),
    ("IP", "2001:DB8:0:0::1", "ip:2001:db8::1"),
    ("DOMAIN", "https://www.Example.org/a", "domain:example.org"),
    ("URL", "http://www.Example.org/A/", "url:example.org/A"),
    ("WALLET", "0xDE0B295669a9FD93d5F28D9Ec85E40f4cb697BAe",
     "wallet:0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae"),
    ("TAIL", "n-123ab", "tail:N123AB"),
    ("A_NUMBER", "A 012-345-678", "a_number:012345678"),
    ("SSN", "536-22-1234", "ssn:536221234"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "text"), GOOD)
def test_a_good_identifier_has_one_form_and_is_valid(kind: str, value: str, text: str) -> None:
    found = canonical(kind, value)
    assert (found.text, found.valid) == (text, True)
    assert valid(found.type, found.value)
    assert canonical(found.type, found.value) == found


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("PHONE", "12"),
        ("VIN", "1M8GDM9AXKP042789"),
        ("IMEI", "490154203237519"),
        ("IBAN", "GB82WEST12345698765433"),
        ("CURP", "BOXW310820HNERXN01"),
        ("IMO", "9319467"),
        ("CONTAINER", "CSQU3054384"),
        ("ABA", "021000022"),
        ("WALLET", "1NEDqZPvTWRaoho48qXuLLsrYomMXPABfE"),
        ("EMAIL", "nobody"),
        ("MAC", "00:00:00:00:00:00"),
    ],
)
def test_a_wrong_check_digit_is_kept_and_flagged(kind: str, value: str) -> None:
    found = canonical(kind, value)
    assert found.value
    assert not found.valid
    assert not valid(found.type, found.value)


@pytest.mark.parametrize(
    ("kind", "value", "issuer", "text"),
    [
        ("PLATE", "syn-1234", "US-TX", "plate:US-TX:SYN1234"),
        ("PLATE", "syn 1234", None, "plate:-:SYN1234"),
        ("PASSPORT", "g 1234567", "MX", "passport:MX:G1234567"),
        ("DRIVERS_LICENSE", "0123 4567", "US-TX", "dl:US-TX:01234567"),
        ("ACCOUNT", "000-123", "First Bank", "account:FIRST-BANK:000123"),
        ("HANDLE", "@El_Gato", "Telegram", "handle:telegram:el_gato"),
    ],
)
def test_what_is_unique_only_within_its_issuer_says_whose(
    kind: str, value: str, issuer: str | None, text: str
) -> None:
    assert canonical(kind, value, issuer=issuer).text == text
    assert parse_text(text) == canonical(kind, value, issuer=issuer)


def test_a_typed_search_is_read_like_a_report() -> None:
    assert parse_text("phone:915 555 0142") == canonical("PHONE", "+19155550142")
    assert parse_text("plate:US-TX:syn 1234") == canonical("PLATE", "SYN1234", issuer="US-TX")
    assert parse_text("no type") is None
    assert parse_text("phone:") is None


@given(st.sampled_from([k for k, _, _ in GOOD]), st.text(min_size=1, max_size=60))
def test_any_text_is_accepted_and_its_form_is_stable(kind: str, value: str) -> None:
    found = canonical(kind, value)
    assert canonical(found.type, found.value).type == found.type


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Passport No.", "passport"),
        ("Travel Document Number", "passport"), ("National ID No.", "national_id"),
        ("Cédula de ciudadanía", "national_id"), ("idNumber", "national_id"), ("Tax ID No.", "tin"),
        ("ИНН", "tin"), ("innCode", "tin"), ("VAT No.", "tin"), ("Company No.", "registration_no"),
        ("Registration Number", "registration_no"), ("D-U-N-S Number", "registration_no"),
        ("Legal Entity Identifier", "lei"), ("SWIFT/BIC", "bic"), ("IMO number", "imo"),
        ("Vessel Registration Identification", "imo"), ("Other Vessel Call Sign", "call_sign"),
        ("Driver's Licence", "dl"), ("REGISTRATION", "plate"), ("badge", "badge"), ("№", "other"),
    ],
)  # fmt: skip
def test_a_type_is_known_however_it_is_written(written: str, name: str) -> None:
    assert type_name(written) == name
