"""The code lists: complete, each code with its meaning, and in step with the contracts."""

import csv
from importlib.resources import files
from typing import get_args

import pytest

from services.ingest.feeds import codes
from services.ingest.feeds.codes import Codes, terms
from services.ingest.feeds.draft import Draft
from services.ingest.feeds.ofc_financial import ROLES
from services.ingest.feeds.parts import ID_TYPE, identify
from shared.contracts.entities import RelationType, Role
from shared.contracts.handling import Caveat
from shared.contracts.report import ENTITY_LISTS, Activity, Basis, LegalBasisKind

LISTS = {name: c for module in (codes, terms) for name, c in vars(module).items() if isinstance(c, Codes)}
EVERY = [*LISTS.values(), *terms.CONTRACT]


@pytest.mark.parametrize(
    ("listed", "count"),
    [
        (codes.OFFENCE, 587), (codes.DRUG, 450), (codes.CONVEYANCE, 69), (codes.CURRENCY, 180),
        (codes.CUI_BASIC, 84), (codes.CUI_SPECIFIED, 57), (codes.CUI_LIMIT, 10), (codes.STATE, 62),
    ],
)  # fmt: skip
def test_niem_lists_are_complete(listed: Codes, count: int) -> None:
    assert len(listed) == count


@pytest.mark.parametrize("code", ["9041", "9200", "9801", "1105"])
def test_the_drugs_that_matter_most_are_listed(code: str) -> None:
    assert code in codes.DRUG


@pytest.mark.parametrize("listed", EVERY, ids=lambda c: c.title)
def test_every_code_has_a_one_line_meaning(listed: Codes) -> None:
    assert listed.meanings
    for code, meaning in listed.meanings.items():
        assert code.strip() == code
        assert meaning
        assert "\n" not in meaning
        assert len(meaning) <= codes.LINE_LENGTH


def test_every_row_of_our_own_table_belongs_to_a_list() -> None:
    text = files(codes).joinpath("terms.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    used = {c._terms for c in EVERY}
    assert {row["list"] for row in rows} <= used
    keys = [(row["list"], row["code"]) for row in rows]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "declared",
    [
        get_args(Basis), get_args(Activity), get_args(LegalBasisKind), get_args(Caveat),
        tuple(Role), tuple(RelationType),
    ],
    ids=lambda d: d[0],
)  # fmt: skip
def test_the_contracts_enums_are_explained(declared: tuple[str, ...]) -> None:
    assert any(set(listed) == {str(d) for d in declared} for listed in terms.CONTRACT)


def test_every_part_in_a_filing_has_a_role() -> None:
    assert set(ROLES) == set(terms.PARTY)


@pytest.mark.parametrize("kind", list(ID_TYPE))
def test_every_identifier_has_its_mention(kind: str) -> None:
    draft = Draft(dict.fromkeys((*ENTITY_LISTS, "relations"), ()))
    local_id = identify(draft, kind, "SYN-1", issuer=None)
    assert draft.find(local_id) is not None
    assert set(terms.TARGET_ID_TYPE) <= set(ID_TYPE)


def test_the_licence_of_the_lists_ships_with_them() -> None:
    assert "NIEM" in files(codes).joinpath("LICENSE.md").read_text(encoding="utf-8")
