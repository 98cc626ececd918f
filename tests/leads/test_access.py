"""The visibility table, line by line, and its agreement with audiences."""

from datetime import UTC, datetime
from itertools import product

import pytest

from services.leads.access import Visibility, audience_id, masked, sight_of, until, visible
from shared.contracts.handling import Audience, Clearance, audience_of
from shared.contracts.report import Report
from tests.leads.picture_world import NOW, report

OWNER, OTHER = "TXZZZ0001", "CAZZZ0002"
TIP = {
    "basis": "TIP_UNVETTED", "activity": "NARCOTICS", "offence": "35A", "facts": "x" * 40,
    "determined_by": "Sgt Doe", "determined_at": "2026-02-01",
}  # fmt: skip
FULL, POINTER, NONE = Visibility.FULL, Visibility.POINTER, Visibility.NONE


def viewer(agency: str = OTHER, **has: object) -> Clearance:
    return Clearance(
        agency,
        frozenset(has.get("centres", ())),  # type: ignore[call-overload]
        frozenset(has.get("authorities", ())),  # type: ignore[call-overload]
        vetted=bool(has.get("vetted")),
    )


@pytest.mark.parametrize(
    ("handling", "given", "who", "expected"),
    [
        ({}, {}, viewer(), FULL),
        ({"share": "RED"}, {}, viewer(OWNER), FULL),
        ({"share": "RED"}, {}, viewer(), NONE),
        ({"share": "YELLOW"}, {}, viewer(), POINTER),
        ({"share": "YELLOW"}, {}, viewer(OWNER), FULL),
        ({"caveats": ["BSA"]}, {}, viewer(), NONE),
        ({"caveats": ["BSA"]}, {}, viewer(authorities=["BSA"]), FULL),
        ({"caveats": ["BSA", "TAX"]}, {}, viewer(authorities=["BSA"]), NONE),
        ({"caveats": ["BSA"]}, {}, viewer(OWNER), FULL),
        ({"release_to": [OTHER]}, {}, viewer(), FULL),
        ({"release_to": ["EPIC"]}, {}, viewer(), NONE),
        ({"release_to": ["EPIC"]}, {}, viewer(centres=["EPIC"]), FULL),
        ({"orcon": True}, {}, viewer(), POINTER),
        ({"orcon": True, "release_to": ["EPIC"]}, {}, viewer(), NONE),
        ({"share": "YELLOW", "caveats": ["BSA"]}, {}, viewer(), NONE),
        ({}, {"predicate": TIP}, viewer(), NONE),
        ({}, {"predicate": TIP}, viewer(vetted=True), FULL),
        ({"share": "YELLOW"}, {"predicate": TIP}, viewer(vetted=True), POINTER),
    ],
)
def test_the_first_line_that_applies_decides(
    handling: dict[str, object], given: dict[str, object], who: Clearance, expected: Visibility
) -> None:
    assert visible(who, report("A", OWNER, handling=handling, **given), NOW) is expected


def test_an_approval_lifts_originator_control_for_that_agency_only() -> None:
    given = report("A", OWNER, handling={"orcon": True})
    assert visible(viewer(), given, NOW, [OTHER]) is FULL
    assert visible(viewer("AZZZZ0003"), given, NOW, [OTHER]) is POINTER


def test_past_its_time_nobody_sees_a_report_not_even_its_owner() -> None:
    kept = report(
        "A",
        OWNER,
        retention={"class": "OBSERVATION", "review_by": "2026-03-01", "retain_until": "2026-03-01"},
    )
    assert visible(viewer(OWNER), kept, datetime(2026, 3, 1, 23, 59, tzinfo=UTC)) is FULL
    assert visible(viewer(OWNER), kept, datetime(2026, 3, 2, tzinfo=UTC)) is NONE
    order = {"kind": "TITLE_III", "reference": "26-cr-1", "expires": NOW.isoformat()}
    assert visible(viewer(OWNER), report("B", OWNER, legal_basis=order), NOW) is NONE
    assert until(report("B", OWNER, legal_basis=order)) == NOW


def test_a_retracted_report_is_seen_by_nobody() -> None:
    assert visible(viewer(OWNER), report("A", OWNER, action="RETRACT"), NOW) is NONE


def every_report() -> list[Report]:
    shares, caveats = ("GREEN", "YELLOW", "RED"), ((), ("BSA",), ("BSA", "INFORMANT"))
    lists, tips = ((), (OTHER,), ("EPIC", OTHER), ("SOD",)), (None, TIP)
    return [
        report(
            "A",
            OWNER,
            predicate=tip,
            handling={"share": share, "orcon": orcon, "caveats": caveat, "release_to": listed},
        )
        for share, orcon, caveat, listed, tip in product(shares, (False, True), caveats, lists, tips)
    ]


def every_viewer() -> list[Clearance]:
    return [
        viewer(agency, centres=centres, authorities=authorities, vetted=vetted)
        for agency, centres, authorities, vetted in product(
            (OWNER, OTHER, "AZZZZ0003"),
            ((), ("EPIC",), ("SOD",)),
            ((), ("BSA",), ("BSA", "INFORMANT")),
            (False, True),
        )
    ]


def test_the_table_gives_full_exactly_to_the_audience() -> None:
    """Complete: every report's terms against every viewer."""
    for given in every_report():
        audience = audience_of(given)
        again = Audience.parse(audience.key())
        for who in every_viewer():
            full = visible(who, given, NOW) is FULL
            assert full == audience.includes(who) == again.includes(who), (given.handling, who)


def test_a_sight_holds_the_audiences_that_include_the_viewer() -> None:
    keys = {audience_id(k): k for k in {audience_of(r).key() for r in every_report()}}
    for who in every_viewer():
        seen = sight_of(who, keys)
        assert 0 in seen
        assert {i for i in keys if i in seen} == {
            i for i, k in keys.items() if Audience.parse(k).includes(who)
        }


def test_a_juveniles_identity_is_withheld() -> None:
    child = {
        "local_id": "s1", "full_name": "Ana Perez Ruiz", "dob": "2012-01-02", "juvenile": True,
        "role": "WITNESS", "ids": [{"type": "CURP", "value": "X"}],
    }  # fmt: skip
    shown = masked(report("A", persons=[child], details={"note": "Ana"})).to_json().decode()
    assert "Ana" not in shown
    assert "2012" not in shown
    assert "CURP" not in shown
    assert '"role":"WITNESS"' in shown
