"""The packaged model's comparisons, levels and key rules: the table that a domain expert reviews.

m and u are estimates from public record-linkage sets and from what the identifiers are; ``interlock
train`` estimates them again from a deployment's own pairs.
"""

from typing import Final

from services.fusion.core.model import Comparing, KindModel, Level
from shared.contracts.entities import Kind

_SAME_NAME: Final = {
    "same": Level("same", 0.76, 1.0, rarity=100),
    "form": Level("form of the same name", 0.05, 0.55, rarity=100),
    "spelling": Level("spelling variant", 0.06, 0.35, rarity=100),
    "typo": Level("one letter differs", 0.095, 0.62, rarity=95),
    "close": Level("nearly the same", 0.012, 1.0, rarity=90),
    "joined": Level("written together or apart", 0.05, 0.30, rarity=90),
    "initial": Level("initial agrees", 0.12, 0.03),
    "start": Level("begins alike", 0.02, 0.006),
    "alike": Level("similar, yet different", 0.010, 0.012),
    "different": Level("different", 0.03, 0.95),
    "given": Level("given name differs", 0.015, 0.95),
    "family": Level("family name differs", 0.03, 0.95),
    "missing": Level("only one has it", 0.43, 0.50),
    "particle": Level("particle on one side", 0.9, 1.0),
    "swapped": Level("given and family name swapped", 0.02, 0.06),
    "suffix": Level("suffix agrees", 0.9, 0.05),
    "no suffix": Level("suffix on one side", 0.10, 0.30),
    "generation": Level("father and son by suffix", 0.001, 0.10, overrule=3000),
    "dependent": Level("the words of a name are not independent", 1.0, 1.0),
    "renamed": Level("names change, and are many", 1.0, 1.0),
}
_BIRTH: Final = {
    "same": Level("same day", 0.80, 1.0, rarity=100),
    "swapped": Level("day and month swapped", 0.01, 0.00004),
    "typo": Level("one digit differs", 0.06, 0.0012),
    "transposed": Level("two digits swapped", 0.01, 0.0003),
    "year differs": Level("same day and month, year differs", 0.01, 0.0008),
    "month apart": Level("within a month", 0.01, 0.0020),
    "same month": Level("same year and month", 0.01, 0.0009),
    "same year": Level("same year", 0.01, 0.013),
    "year apart": Level("within a year", 0.01, 0.015),
    "partial": Level("same, as far as both are known", 0.80, 1.0, rarity=100),
    "nearly": Level("nearly the same, as far as both are known", 0.10, 0.05),
    "year only": Level("digits of the year differ, day unknown", 0.06, 0.12),
    "different": Level("different", 0.015, 0.35),
    "contradicts": Level("different in year, month and day", 0.0025, 0.60, overrule=400),
    "generation": Level("born a generation apart", 0.01, 0.40, overrule=2200),
}


def _identifier(  # noqa: PLR0913  # the columns of the table
    feature: str, bits: float, *, differ: float = 0.0, kin: int = 0, holders: str = "one",
    comparator: str = "identifier", exclusive: bool = False, stable: bool = True,
) -> Comparing:  # fmt: skip  # one column of the table each
    """An identifier: agreement is worth ``bits``; different values cost ``differ`` bits."""
    levels = {
        "same": Level("same", 0.9, 0.9 * 2.0**-bits),
        "invalid": Level("same, though its check digit is wrong", 0.9, 0.9 * 2.0 ** (-bits * 0.6)),
        "issuer": Level("same, one issuer unknown", 0.9, 0.9 * 2.0 ** (-bits * 0.75)),
        "close": Level("one character differs", 0.05, 0.05 * 2.0 ** (-bits * 0.6)),
        "alike": Level("similar", 0.05, 0.05 * 2.0 ** (-bits * 0.3)),
        "different": Level("different", 2.0**-differ, 1.0, overrule=2400 if exclusive else None),
    }
    return Comparing(
        feature, comparator, levels, kin=kin, holders=holders, exclusive=exclusive, stable=stable
    )


_PERSON_IDENTIFIERS: Final = (
    _identifier("ssn", 24, differ=6, exclusive=True, comparator="number"),
    _identifier("curp", 26, differ=6, exclusive=True, comparator="number"),
    _identifier("rfc", 22, differ=4, comparator="number"),
    _identifier("tin", 22, differ=3, comparator="number"),
    _identifier("national_id", 22, differ=3, comparator="number"),
    _identifier("passport", 24, differ=0.3, stable=False),
    _identifier("visa", 24, stable=False),
    _identifier("dl", 22, differ=1, stable=False),
    _identifier("sentri", 22, differ=1),
    _identifier("a_number", 24, differ=4, comparator="number"),
    _identifier("bcc", 22, stable=False),
    _identifier("other", 14, stable=False),
    _identifier("phone", 12, kin=100, holders="few", stable=False),
    _identifier("email", 16, holders="few", stable=False, comparator="email"),
    _identifier("handle", 14, holders="few", stable=False),
    _identifier("wallet", 14, holders="few", stable=False),
    _identifier("account", 13, kin=100, holders="few"),
    _identifier("iban", 13, kin=100, holders="few"),
    _identifier("plate", 11, kin=100, holders="few", stable=False),
    _identifier("vin", 11, kin=100, holders="few", stable=False),
    _identifier("imei", 13, holders="few", stable=False),
    _identifier("imsi", 13, holders="few", stable=False),
    _identifier("iccid", 13, holders="few", stable=False),
    _identifier("meid", 13, holders="few", stable=False),
    _identifier("ip", 6, kin=100, stable=False, holders="many"),
)

_ADDRESS: Final = Comparing("address", "address", {
    "unit": Level("same address to the unit", 0.5, 0.0003),
    "street": Level("same house", 0.5, 0.0005),
    "near": Level("nearly the same address", 0.2, 0.0005),
    "road": Level("same street, another number", 0.1, 0.0008),
    "postcode": Level("same postcode", 0.6, 0.006),
    "city": Level("same place", 0.7, 1.0, rarity=60),
    "elsewhere": Level("another street of the same place", 0.3, 1.0, rarity=45),
    "town": Level("nearly the same place", 0.1, 1.0, rarity=60),
    "state": Level("same state only", 0.25, 0.30),
    "different": Level("different", 0.17, 0.95),
}, table="place", kin=100, stable=False)  # fmt: skip

_CROSSED: Final = Comparing("number", "crossed", {
    "same": Level("same number, given as another paper's", 0.9, 0.9, rarity=100),
}, most=1400)  # fmt: skip
"""It weighs by the number's length."""

_PERSON: Final = KindModel(
    comparisons=(
        Comparing("name", "person_name", _SAME_NAME, most=2050),
        Comparing("dob", "birth_date", _BIRTH, kin=64, exclusive=True),
        Comparing("sex", "equal", {
            "same": Level("same", 0.95, 0.85), "different": Level("different", 0.05, 0.5),
        }, exclusive=True),
        Comparing("country", "overlap", {
            "same": Level("same", 0.9, 1.0, rarity=40), "different": Level("different", 0.15, 0.6),
        }, table="country", kin=100),
        Comparing("birth_place", "words", {
            "same": Level("same", 0.7, 1.0, rarity=60), "close": Level("nearly the same", 0.1, 0.4,
                rarity=50),
            "different": Level("different", 0.19, 0.9),
        }, table="place", home=True),
        Comparing("occupation", "words", {
            "same": Level("same", 0.6, 1.0, rarity=50), "close": Level("nearly the same", 0.1, 0.4,
                rarity=40),
            "different": Level("different", 0.40, 0.95),
        }, table="occupation", stable=False),
        _ADDRESS,
        *_PERSON_IDENTIFIERS,
        _CROSSED,
    ),
    rules=(
        "b4 t | a1 y po m o dd a3 pi", "po pi | a1 b1 y m t o dd a3 b4", "a3 b4 | y md po t o pi",
        "d | t o po a3 b4 pi", "b o | a1 y po m t dd a3 pi", "a3 t | y md po o b4 pi",
        "p q | y t po o md", "p i | y md t po", "j | y md t po", "d p |",
    ),
    identifiers=tuple(c.feature for c in _PERSON_IDENTIFIERS if c.feature != "ip"),
)  # fmt: skip

_WORDS: Final = {
    "same": Level("same", 0.85, 1.0, rarity=100),
    "form": Level("form of the same word", 0.05, 0.4, rarity=90),
    "spelling": Level("spelling variant", 0.06, 0.30, rarity=100),
    "typo": Level("one letter differs", 0.07, 0.40, rarity=95),
    "close": Level("nearly the same", 0.02, 0.6, rarity=90),
    "joined": Level("written together or apart", 0.05, 0.1, rarity=100),
    "initial": Level("initials of the name", 0.05, 1.0, rarity=100),
    "start": Level("begins alike", 0.02, 0.06),
    "missing": Level("only one has it", 0.034, 0.70),
    "frame": Level("only one says group or holdings", 0.10, 0.50),
    "alike": Level("similar, yet different", 0.02, 0.10),
    "different": Level("different", 0.01, 0.90),
    "number": Level("different numbers", 0.004, 0.9),
    "numbered": Level("only one has a number", 0.02, 0.9),
    "whole": Level("the whole name is the same", 1.0, 1.0, rarity=100),
    "legal form": Level("same legal form", 0.8, 0.4),
    "other form": Level("different legal form", 0.055, 0.5),
    "dependent": Level("words of a long name are not independent", 1.0, 1.0),
    "renamed": Level("names change, and are many", 1.0, 1.0),
}
_ORGANIZATION_IDENTIFIERS: Final = (
    _identifier("lei", 30, differ=6, exclusive=True), _identifier("ein", 24, differ=4, comparator="number"),
    _identifier("rfc", 22, differ=4), _identifier("tin", 27, differ=3),
    _identifier("registration_no", 22, differ=5),
    _identifier("phone", 14, kin=100, stable=False), _identifier("email", 14, stable=False),
    _identifier("domain", 16), _identifier("account", 16), _identifier("iban", 16), _identifier("bic", 10),
    _identifier("imo", 14),
    _identifier("vin", 10), _identifier("plate", 10), _identifier("wallet", 14),
    _identifier("handle", 14), _identifier("other", 14),
)  # fmt: skip
_ORGANIZATION: Final = KindModel(
    comparisons=(
        Comparing("name", "organisation_name", _WORDS, table="word", most=1950, least=-1000),
        Comparing("country", "overlap", {
            "same": Level("same", 0.9, 1.0, rarity=40), "different": Level("different", 0.06, 0.8),
        }, table="country"),
        Comparing("registered", "birth_date", _BIRTH),
        _ADDRESS,
        *_ORGANIZATION_IDENTIFIERS,
        _CROSSED,
    ),
    rules=(
        "w1 | w2 w3 w4 t po c", "w2 w3 | w4 t po c", "po pi | w1 w2", "j | t po c", "s | t po", "n | t po c",
    ),
    identifiers=tuple(c.feature for c in _ORGANIZATION_IDENTIFIERS),
)  # fmt: skip

_SMALL: Final = {"same": Level("same", 0.9, 0.1), "different": Level("different", 0.1, 0.9)}
_COLOUR: Final = {"same": Level("same", 0.8, 0.15), "different": Level("different", 0.2, 0.85)}
_VEHICLE: Final = KindModel(
    comparisons=(
        _identifier("vin", 28, differ=8, exclusive=True, comparator="number"),
        _identifier("plate", 22, differ=2, comparator="plate", stable=False),
        Comparing("make", "equal", {"same": Level("same", 0.9, 0.08), "different": Level("different",
        0.03, 0.9)}),
        Comparing("model", "words", {"same": Level("same", 0.8, 0.02), "close": Level("alike", 0.1, 0.02),
                                     "different": Level("different", 0.1, 0.95)}),
        Comparing("year", "year", {"same": Level("same", 0.85, 0.05), "near": Level("one year apart",
        0.1, 0.1),
                                   "different": Level("different", 0.05, 0.85)}),
        Comparing("colour", "equal", _COLOUR, stable=False),
    ),
    identifiers=("vin", "plate"),
)  # fmt: skip
_VESSEL: Final = KindModel(
    comparisons=(
        _identifier("imo", 30, differ=8, exclusive=True, comparator="number"),
        _identifier("mmsi", 22, differ=2, stable=False), _identifier("hull_id", 24, differ=4,
        comparator="number"),
        _identifier("official_no", 20, differ=1), _identifier("call_sign", 18, differ=1, stable=False),
        _identifier("other", 14, stable=False), _CROSSED,
        Comparing("name", "organisation_name", _WORDS | {
            "missing": Level("only one has it", 0.02, 0.5),
            "whole": Level("the whole name is the same", 1.0, 1.0),
        }, table="word", most=1650, least=-600, stable=False),
        Comparing("flag", "equal", {"same": Level("same", 0.8, 0.1), "different": Level("different", 0.2,
        0.9)},
                  stable=False),
    ),
    rules=("w1 | w2 w3 f", "w2 w3 | w4 f", "j | f", "s | f"),
    identifiers=("imo", "mmsi", "hull_id", "official_no", "call_sign", "other"),
)  # fmt: skip
_AIRCRAFT: Final = KindModel(
    comparisons=(
        _identifier("tail", 24, differ=2, stable=False),
        _identifier("icao", 24, differ=2, stable=False),
        Comparing("type", "equal", _SMALL),
    ),
    identifiers=("tail", "icao"),
)
_LOCATION: Final = KindModel(
    comparisons=(
        Comparing("address", "address", {
            "unit": Level("same address to the unit", 0.9, 2.0**-24), "street": Level("same house", 0.9,
                2.0**-22),
            "near": Level("nearly the same address", 0.1, 2.0**-12),
            "road": Level("same street, another number", 0.02, 0.02), "postcode": Level("same postcode",
            0.3, 0.003),
            "city": Level("same place", 0.5, 1.0, rarity=30),
            "elsewhere": Level("another street of the same place", 0.02, 0.3),
            "town": Level("nearly the same place", 0.05, 0.05), "state": Level("same state only", 0.05, 0.3),
            "different": Level("different", 0.02, 0.95),
        }, table="place", exclusive=True),
        Comparing("point", "point", {
            "same": Level("within 20 m", 0.9, 2.0**-21), "near": Level("within 150 m", 0.5, 2.0**-13),
            "different": Level("far apart", 0.01, 0.9, overrule=2400),
        }, exclusive=True),
        _identifier("port", 22, differ=6, exclusive=True), _identifier("mile", 22, differ=4),
        _identifier("county", 6, differ=4), _identifier("area", 20, differ=4),
    ),
    identifiers=("address", "point", "port", "mile", "area"),
)  # fmt: skip

_STRONG: Final = 30
"""Bits of an identifier that is the mention: two reports of one number are one thing."""


def _numbered(*features: str) -> KindModel:
    return KindModel(tuple(_identifier(f, _STRONG) for f in features), (), features)


KINDS: Final = {
    Kind.PERSON: _PERSON,
    Kind.ORGANIZATION: _ORGANIZATION,
    Kind.VEHICLE: _VEHICLE,
    Kind.VESSEL: _VESSEL,
    Kind.AIRCRAFT: _AIRCRAFT,
    Kind.LOCATION: _LOCATION,
    Kind.PHONE: _numbered("phone"),
    Kind.DEVICE: _numbered("imei", "meid", "imsi", "iccid", "mac"),
    Kind.ONLINE: _numbered("email", "ip", "handle", "domain", "url", "wallet", "hash"),
    Kind.ACCOUNT: _numbered("iban", "account", "wallet"),
    Kind.DOCUMENT: _numbered(
        "passport", "visa", "dl", "sentri", "a_number", "curp", "rfc", "national_id", "bcc", "other"
    ),
    Kind.CONTAINER: _numbered("container"),
    Kind.FIREARM: _numbered("firearm"),
}
"""Every kind that is resolved; drugs and cash are items."""
