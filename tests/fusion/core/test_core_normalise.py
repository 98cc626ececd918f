"""What a report's mentions become."""

import pytest

from services.fusion.core.compare import compare
from services.fusion.core.keys import keys_of
from services.fusion.core.normalise import normalise
from services.fusion.core.profile import Normalised, Profile, profile_from_content
from shared.contracts.handling import OPEN, audience
from tests.fusion.core.people import MODEL, report

PERSON = {"local_id": "p1", "role": "COURIER", "full_name": "Juan García Quilla", "dob": "1988-01-03"}


def of(found: Normalised, local_id: str) -> Profile:
    profile = next(m.profile for m in found.mentions if m.local_id == local_id)
    assert profile is not None
    return profile


def test_a_person_carries_what_the_report_ties_to_him() -> None:
    found = normalise(
        report(
            persons=[PERSON],
            phones=[{"local_id": "t1", "number": "(915) 555-0142"}],
            vehicles=[{"local_id": "v1", "plate": "SYN-1234", "jurisdiction": "US-TX", "make": "Ford"}],
            accounts=[{"local_id": "a1", "number": "000123", "aba": "021000021"}],
            documents=[{"local_id": "d1", "type": "PASSPORT", "number": "G1234567", "issuer": "MX"}],
            locations=[{"local_id": "l1", "address": "123 Main St Apt 4", "city": "El Paso", "state": "TX"}],
            relations=[
                {"from": "p1", "to": "t1", "type": "USES"},
                {"from": "p1", "to": "v1", "type": "DRIVES"},
                {"from": "p1", "to": "a1", "type": "HOLDS"},
                {"from": "p1", "to": "d1", "type": "IDENTIFIED_BY"},
                {"from": "p1", "to": "l1", "type": "LOCATED_AT"},
            ],
        ),
        OPEN,
        MODEL,
    )
    features = of(found, "p1").features
    assert features["phone"] == ("+19155550142",)
    assert features["plate"] == ("US-TX:SYN1234",)
    assert features["account"] == ("021000021:000123",)
    assert features["passport"] == ("MX:G1234567",)
    assert features["address"] == ("123 main st|4|el paso|TX||",)
    assert "make" not in features
    assert len(found.links) == 5


def test_a_call_ties_nobody_to_the_other_number() -> None:
    found = normalise(
        report(
            persons=[PERSON],
            phones=[{"local_id": "t1", "number": "+19155550142"}],
            relations=[{"from": "p1", "to": "t1", "type": "CALLED"}],
        ),
        OPEN,
        MODEL,
    )
    assert "phone" not in of(found, "p1").features


def test_identical_mentions_share_a_profile_within_an_audience_only() -> None:
    one = report(persons=[PERSON], relations=[])
    other = report("SYN-2", persons=[PERSON]).model_copy(
        update={"report_id": "00000000-0000-5000-8000-000000000002"}
    )
    closed = audience("TXZZZ0001", ())
    first, second = of(normalise(one, OPEN, MODEL), "p1"), of(normalise(other, OPEN, MODEL), "p1")
    assert first.id == second.id
    assert of(normalise(other, closed, MODEL), "p1").id != first.id


def test_a_lone_common_name_is_never_silently_one_person() -> None:
    both = normalise(
        report(
            persons=[
                {"local_id": "p1", "full_name": "John Smith"},
                {"local_id": "p2", "full_name": "John Smith"},
            ]
        ),
        OPEN,
        MODEL,
    )
    assert of(both, "p1").id != of(both, "p2").id
    assert of(both, "p1").content == of(both, "p2").content


def test_a_person_noted_without_a_crime_is_never_matched() -> None:
    noted = PERSON | {"ncii": True, "ids": [{"type": "SSN", "value": "536221234"}]}
    found = normalise(report(persons=[noted, noted | {"local_id": "p2"}]), OPEN, MODEL)
    one, other = of(found, "p1"), of(found, "p2")
    assert one.id != other.id
    assert keys_of(one, MODEL) == ()
    assert compare(one, other, MODEL).weight == 0


def test_items_and_nameless_guns_are_not_resolved() -> None:
    found = normalise(
        report(
            drugs=[{"local_id": "d1", "code": "9041", "quantity": "1", "unit": "KG"}],
            currency=[{"local_id": "c1", "code": "USD", "amount": "20"}],
            firearms=[
                {"local_id": "f1", "type": "PISTOL", "serial": "OBLITERATED"},
                {"local_id": "f2", "type": "PISTOL", "make": "Glock", "serial": "abc-123"},
            ],
        ),
        OPEN,
        MODEL,
    )
    assert [m.local_id for m in found.mentions if m.profile is None] == ["d1", "c1", "f1"]
    assert of(found, "f2").features == {"firearm": ("GLOCK:ABC123",)}


@pytest.mark.parametrize(
    ("lists", "features"),
    [
        ({"devices": [{"local_id": "x", "imei": "490154203237518", "imsi": "310150123456789"}]},
         {"imei": ("490154203237518",)}),
        ({"online": [{"local_id": "x", "kind": "HANDLE", "value": "@Gato", "platform": "Telegram"}]},
         {"handle": ("telegram:gato",)}),
        ({"containers": [{"local_id": "x", "number": "CSQU 305438-3"}]}, {"container": ("CSQU3054383",)}),
        ({"accounts": [{"local_id": "x", "iban": "GB82 WEST 1234 5698 7654 32"}]},
         {"iban": ("GB82WEST12345698765432",)}),
        ({"aircraft": [{"local_id": "x", "tail": "N123AB", "type": "C172"}]},
         {"tail": ("N123AB",), "type": ("c172",)}),
        ({"locations": [{"local_id": "x", "port_code": "2402"}]}, {"port": ("2402",)}),
        ({"locations": [{"local_id": "x", "highway": "I-10", "mile": 12.04}]}, {"mile": ("i-10:12.0",)}),
        ({"locations": [{"local_id": "x", "country": "MX"}]}, {"area": ("|||||MX",)}),
        ({"vessels": [{"local_id": "x", "name": "M/V Quill", "imo": "9319466"}]},
         {"name": ("quill",), "imo": ("9319466",)}),
    ],
)  # fmt: skip
def test_each_kind_has_its_canonical_features(
    lists: dict[str, object], features: dict[str, tuple[str, ...]]
) -> None:
    profile = of(normalise(report(**lists), OPEN, MODEL), "x")
    assert profile.features == features
    assert keys_of(profile, MODEL)


def test_a_profile_is_rebuilt_from_its_stored_row() -> None:
    profile = of(normalise(report(persons=[PERSON]), OPEN, MODEL), "p1")
    rebuilt = profile_from_content(profile.id, profile.kind, profile.audience, profile.label, profile.content)
    assert rebuilt == profile
    assert keys_of(rebuilt, MODEL) == keys_of(profile, MODEL)
