"""A derived marking is never weaker than any of its sources."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from services.leads.marking import TLP, derive
from shared.contracts.handling import Handling


def terms(cui: str = "CUI", tlp: str = "GREEN", **given_: object) -> Handling:
    return Handling.model_validate({"cui": cui, "tlp": tlp, "share": "GREEN"} | given_)


@pytest.mark.parametrize(
    ("banners", "derived"),
    [
        (["CUI"], "CUI"),
        (["UNCLASSIFIED"], "UNCLASSIFIED"),
        (["UNCLASSIFIED", "CUI//LEI"], "CUI//LEI"),
        (["CUI//LEI", "CUI//LCOMM/LEI"], "CUI//LCOMM/LEI"),
        (["CUI//LEI", "CUI//SP-FSEC"], "CUI//SP-FSEC/LEI"),
        (["CUI//SP-FSEC", "CUI//FSEC"], "CUI//SP-FSEC"),
        (["CUI//LEI//NOFORN", "CUI//LEI"], "CUI//LEI//NOFORN"),
        (["CUI//LEI//NOFORN", "CUI//LEI//FED ONLY"], "CUI//LEI//FED ONLY"),
        (["CUI//LEI//REL TO USA, CAN", "CUI//LEI//NOFORN"], "CUI//LEI//NOFORN"),
    ],
)
def test_categories_are_united_and_the_strictest_limit_holds(banners: list[str], derived: str) -> None:
    assert derive(terms(b) for b in banners).cui == derived
    assert derive(terms(b) for b in reversed(banners)).cui == derived


@given(st.lists(st.sampled_from(TLP), min_size=1))
def test_the_strictest_tlp_holds(colours: list[str]) -> None:
    assert derive(terms(tlp=t) for t in colours).tlp == min(colours, key=TLP.index)


def test_release_lists_are_intersected_and_caveats_united() -> None:
    derived = derive(
        [
            terms(release_to=["EPIC", "TXZZZ0001"], caveats=["BSA"]),
            terms(),
            terms(release_to=["EPIC", "SOD"], caveats=["INFORMANT"]),
        ]
    )
    assert derived.release_to == ("EPIC",)
    assert derived.caveats == ("BSA", "INFORMANT")
    assert derive([terms()]).release_to is None
    assert derive([terms(release_to=["EPIC"]), terms(release_to=["SOD"])]).release_to == ()
