"""Identifiers in their one canonical form, with their check digits verified.

A wrong check digit never refuses a value: it is kept and flagged, and then matches weakly.
"""

import ipaddress
import re
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import resources
from typing import Final, NamedTuple

import phonenumbers
from stdnum import bic, iban, imei, imo, iso6346, lei, luhn, meid
from stdnum.exceptions import ValidationError
from stdnum.mx import curp, rfc
from stdnum.us import ein, rtn, ssn

from shared.normalise.checks import valid_hex, valid_mmsi, valid_tail, valid_vin, valid_wallet
from shared.normalise.text import compact, fold

DEFAULT_REGION: Final = "US"


class Canonical(NamedTuple):
    """An identifier's canonical form; ``valid``: its check digit or shape is right."""

    type: str
    value: str
    valid: bool

    @property
    def text(self) -> str:
        """``type:value``, as search and features write it."""
        return f"{self.type}:{self.value}"


TYPES: Final = {
    "MOBILE": "phone", "TELEPHONE": "phone", "TEL": "phone",
    "E_MAIL": "email", "MAIL": "email", "USERNAME": "handle", "IP_ADDRESS": "ip", "WEBSITE": "domain",
    "DRIVERS_LICENSE": "dl", "DRIVER_LICENSE": "dl", "DRIVING_LICENCE": "dl", "LICENSE": "dl",
    "SOCIAL_SECURITY": "ssn", "ITIN": "tin", "FEIN": "ein", "ALIEN_NUMBER": "a_number",
    "NATIONALID": "national_id", "ID": "national_id", "ID_NUMBER": "national_id", "IDNUMBER": "national_id",
    "ID_CARD": "national_id", "IDENTITY_CARD": "national_id", "NATIONAL_ID_NUMBER": "national_id",
    "NATIONAL_IDENTIFICATION_NUMBER": "national_id", "PASSPORT_NO": "passport", "PASSPORT_NUMBER": "passport",
    "PASSPORTNUMBER": "passport", "INN": "tin", "INN_CODE": "tin", "INNCODE": "tin", "TAX_ID": "tin",
    "TAX_NUMBER": "tin", "TAXNUMBER": "tin", "TAX_ID_NO": "tin", "VAT": "tin", "VAT_CODE": "tin",
    "OGRN": "registration_no", "OGRN_CODE": "registration_no", "OGRNCODE": "registration_no",
    "REGISTRATION_NUMBER": "registration_no", "REGISTRATIONNUMBER": "registration_no",
    "REGISTRATION_ID": "registration_no", "COMPANY_NUMBER": "registration_no", "REG_NO": "registration_no",
    "COMPANY_REGISTRATION_NUMBER": "registration_no", "BUSINESS_REGISTRATION_NUMBER": "registration_no",
    "IMO_NUMBER": "imo", "IMONUMBER": "imo", "MMSI_NUMBER": "mmsi", "LEI_CODE": "lei", "LEICODE": "lei",
    "SWIFT_BIC": "bic", "SWIFTBIC": "bic", "BIC_SWIFT": "bic", "CRYPTO": "wallet", "BTC": "wallet",
    "ROUTING": "aba", "RTN": "aba", "SWIFT": "bic", "ICAO_HEX": "icao", "HEX": "icao",
    "REGISTRATION": "plate",
    "HULL": "hull_id", "HIN": "hull_id", "OFFICIAL_NUMBER": "official_no", "CALLSIGN": "call_sign",
    "SERIAL": "firearm", "ISO6346": "container", "IBAN": "iban", "HANDLE": "handle", "PASSPORT": "passport",
    "DL": "dl", "PLATE": "plate", "LICENSE_PLATE": "plate", "ACCOUNT": "account", "FIREARM": "firearm",
}  # fmt: skip
"""Other names of identifier types; every other type is its own name in lower case."""

_UNSCOPED: Final = frozenset({
    "phone", "imei", "imsi", "iccid", "meid", "mac", "email", "ip", "domain", "url", "wallet", "hash", "vin",
    "tail", "icao", "iban", "bic", "aba", "container", "ssn", "ein", "tin", "curp", "rfc", "lei", "a_number",
    "sentri", "imo", "mmsi", "hull_id",
})  # fmt: skip
"""Types whose value says all; every other type is qualified by country, jurisdiction, bank or platform."""


_NAMES: Final = _UNSCOPED | frozenset(TYPES.values()) | {
    "sentri", "bcc", "visa", "badge", "port", "mile", "county", "area", "address", "point", "other", "none",
}  # fmt: skip
"""Types that are written as they are named here."""


@cache
def _holds() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What a type is whose own name is none, by the words in it; the first that holds."""
    text = resources.files("shared.normalise").joinpath("data/identifier_words.csv").read_text("utf-8")
    rows = (line.split(",") for line in text.splitlines() if line and not line.startswith("#"))
    return tuple((name, tuple(f" {w} " for w in words)) for name, *words in rows)


@lru_cache(maxsize=4_096)
def type_name(kind: str) -> str:
    """The canonical name of an identifier type: lower case, synonyms united; by its words where it is
    written freely (``Tax ID No.``, ``Cédula``)."""
    key = re.sub(r"[^A-Z0-9]+", "_", kind.upper()).strip("_")
    name = TYPES.get(key, key.lower())
    if name in _NAMES:
        return name
    plain = fold(_CAMEL.sub(" ", kind))
    short = re.sub(r" (?:no|number|num|nr|code|n|field)$", "", plain)
    joined = short.replace(" ", "_")
    found = TYPES.get(joined.upper(), joined)
    if found in _NAMES:
        return found
    padded = f" {plain} "
    return next((to for to, words in _holds() if any(w in padded for w in words)), name or "other")


_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def is_scoped(name: str) -> bool:
    """Whether values of this canonical type are qualified by their issuer."""
    return name not in _UNSCOPED


def parse_text(text: str) -> Canonical | None:
    """Read ``type:value`` as a person types it (``plate:US-TX:syn 1234``); None without a type."""
    kind, colon, value = text.partition(":")
    if not colon or not value.strip():
        return None
    name = type_name(kind)
    if name not in _UNSCOPED and ":" in value:
        scope, _, number = value.rpartition(":")
        return canonical(name, number, issuer=scope.strip() or None)
    return canonical(name, value)


@lru_cache(maxsize=16_384)
def canonical(type: str, value: str, *, country: str | None = None, issuer: str | None = None) -> Canonical:  # noqa: A002  # the word of the contracts
    """The canonical form of ``value``.

    ``country`` is ISO 3166 and helps to read a phone number; ``issuer`` qualifies what is unique only
    within its issuer (country, state, bank or platform) and is part of the value: ``US-TX:SYN1234``,
    with ``-`` where it is not known.
    """
    name = type_name(type)
    reader = _READERS.get(name)
    if name == "phone":
        return Canonical(name, *_phone(value, country or DEFAULT_REGION))
    text, valid = reader(value) if reader else (compact(value), True)
    if not text:
        text, valid = fold(value) or value.strip().casefold(), False
    if name in _UNSCOPED:
        return Canonical(name, text, valid)
    return Canonical(name, f"{_scope(name, issuer or country)}:{text}", valid)


@lru_cache(maxsize=16_384)
def valid(type: str, value: str) -> bool:  # noqa: A002  # the word of the contracts
    """Whether a canonical ``value`` has a right check digit or shape."""
    if type == "phone":
        return value.startswith("+")
    reader = _READERS.get(type)
    return reader is None or reader(value if type in _UNSCOPED else value.rpartition(":")[2])[1]


def _scope(name: str, issuer: str | None) -> str:
    if not issuer:
        return "-"
    if name in {"account", "handle"}:
        return fold(issuer).replace(" ", "-").upper() if name == "account" else fold(issuer).replace(" ", "")
    scope = issuer.strip().upper().replace(" ", "")
    return scope[:2] if name in {"passport", "visa"} else scope


def _phone(value: str, region: str) -> tuple[str, bool]:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return re.sub(r"\D", "", value) or fold(value), False
    if not phonenumbers.is_possible_number(number):
        return re.sub(r"\D", "", value), False
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), True


def _checked(validate: Callable[[str], str]) -> Callable[[str], tuple[str, bool]]:
    """A reader from a python-stdnum ``validate`` function."""

    def read(value: str) -> tuple[str, bool]:
        plain = compact(value)
        try:
            return compact(validate(plain)), True
        except ValidationError:
            return plain, False

    return read


def _imei(value: str) -> tuple[str, bool]:
    """14 digits name the device: the 15th is a check digit, and IMEISV replaces it by a version."""
    digits = compact(value)
    if len(digits) == 16 and digits.isdigit():
        return digits[:14] + luhn.calc_check_digit(digits[:14]), True
    if len(digits) == 14 and digits.isdigit():
        return digits + luhn.calc_check_digit(digits), True
    return _checked(imei.validate)(digits)


def _meid(value: str) -> tuple[str, bool]:
    plain = compact(value)
    try:
        return meid.compact(meid.validate(plain), strip_check_digit=True).upper(), True
    except ValidationError:
        return plain, False


def _iccid(value: str) -> tuple[str, bool]:
    digits = compact(value).rstrip("F")
    return digits, digits.startswith("89") and len(digits) in {19, 20} and luhn.is_valid(digits)


def _imsi(value: str) -> tuple[str, bool]:
    digits = compact(value)
    return digits, digits.isdigit() and len(digits) in {14, 15}


def _imo(value: str) -> tuple[str, bool]:
    digits = compact(value).removeprefix("IMO")
    return digits, imo.is_valid(digits)


def _mac(value: str) -> tuple[str, bool]:
    plain = compact(value)
    return plain, valid_hex(plain, 12)


def _email(value: str) -> tuple[str, bool]:
    text = value.strip().casefold().removeprefix("mailto:")
    local, at, domain = text.rpartition("@")
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.partition("+")[0].replace(".", ""), "gmail.com"
    return f"{local}{at}{domain}", bool(local) and "." in domain


def _ip(value: str) -> tuple[str, bool]:
    try:
        return ipaddress.ip_address(value.strip().strip("[]")).compressed, True
    except ValueError:
        return value.strip().casefold(), False


def _domain(value: str) -> tuple[str, bool]:
    text = re.sub(r"^[a-z]+://", "", value.strip().casefold()).partition("/")[0].rstrip(".")
    text = text.removeprefix("www.")
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return text, False
    return text, "." in text


def _url(value: str) -> tuple[str, bool]:
    text = re.sub(r"^https?://(www\.)?", "", value.strip(), flags=re.IGNORECASE).rstrip("/")
    host, slash, path = text.partition("/")
    return host.casefold() + slash + path, "." in host


def _handle(value: str) -> tuple[str, bool]:
    text = value.strip().lstrip("@").casefold()
    return text, bool(text)


def _wallet(value: str) -> tuple[str, bool]:
    text = value.strip()
    if text.lower().startswith(("0x", "bc1")):
        text = text.lower()
    return text, valid_wallet(text)


def _hash(value: str) -> tuple[str, bool]:
    plain = compact(value).lower()
    return plain, len(plain) in {32, 40, 64, 96, 128} and valid_hex(plain.upper(), len(plain))


def _vin(value: str) -> tuple[str, bool]:
    plain = compact(value).replace("I", "1").replace("O", "0").replace("Q", "0")
    return plain, valid_vin(plain)


def _tail(value: str) -> tuple[str, bool]:
    plain = compact(value)
    return plain, valid_tail(plain)


def _icao(value: str) -> tuple[str, bool]:
    plain = compact(value)
    return plain, valid_hex(plain, 6)


def _mmsi(value: str) -> tuple[str, bool]:
    plain = compact(value)
    return plain, valid_mmsi(plain)


def _a_number(value: str) -> tuple[str, bool]:
    digits = compact(value).removeprefix("A")
    return digits.zfill(9), digits.isdigit() and 7 <= len(digits) <= 9


def _firearm(value: str) -> tuple[str, bool]:
    plain = compact(value)
    return plain, len(plain) >= 4


_READERS: Final[dict[str, Callable[[str], tuple[str, bool]]]] = {
    "imei": _imei, "imsi": _imsi, "iccid": _iccid, "meid": _meid, "mac": _mac,
    "email": _email, "ip": _ip, "domain": _domain, "url": _url, "handle": _handle, "wallet": _wallet,
    "hash": _hash, "vin": _vin, "tail": _tail, "icao": _icao, "imo": _imo, "mmsi": _mmsi,
    "iban": _checked(iban.validate), "bic": _checked(bic.validate), "aba": _checked(rtn.validate),
    "container": _checked(iso6346.validate), "lei": _checked(lei.validate),
    "curp": _checked(curp.validate), "rfc": _checked(rfc.validate),
    "ssn": _checked(ssn.validate), "ein": _checked(ein.validate),
    "a_number": _a_number, "firearm": _firearm,
}  # fmt: skip
"""How each type with a shape of its own is read: value → (canonical text, valid)."""
