"""Names of persons and organisations, as people of many countries write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise import names, organisations
from shared.normalise.nicknames import groups


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("Dr. Juan Carlos García López Jr.", "juan carlos garcia lopez, , jr"),
        ("GARCÍA LÓPEZ, Juan", "garcia lopez, juan"),
        ("O'Brien, Pat, III", "obrien, pat, iii"),
        ("SergeiLavrinov", "sergei lavrinov"),
        ("Володимир Зеленко", "volodimir zelenko"),
        ("Sheikh Mohammed bin Salim Al-Saud", "mohammed bin salim al saud"),
        ("McDonald", "mcdonald"),
        ("1gor Brillm0or", "igor brillmoor"),
        ("Subject 77", "subject 77"),
        ("Ana (la Güera) Soto", "ana soto"),
        ("J.-C. Junkerling", "j c junkerling"),
        ("Nguyễn Văn Thiện", "nguyen van thien"),
    ],
)
def test_a_full_name_is_read(written: str, text: str) -> None:
    assert str(names.person(written)) == text


def test_parts_tell_the_order_and_the_full_name_adds_what_they_lack() -> None:
    name = names.person("Joseph Arthur Bennetter", "Joseph", "Bennetter")
    assert name == names.PersonName(("joseph", "arthur"), ("bennetter",), "", ordered=True)


def test_titles_alone_name_nobody_but_a_surname_that_is_a_rank_does() -> None:
    assert names.person("Sir 1st Baronet") is None
    assert str(names.person("Major")) == "major"


def test_sr_is_a_suffix_after_the_name_and_a_title_before_it() -> None:
    assert names.person("Robert Syn Sr.") == names.PersonName(("robert", "syn"), (), "sr", ordered=False)
    assert names.person("Sr. Roberto Syn") == names.PersonName(("roberto", "syn"), (), "", ordered=False)


@given(
    st.text(max_size=80),
    st.one_of(st.none(), st.text(max_size=40)),
    st.one_of(st.none(), st.text(max_size=40)),
)
def test_a_persons_name_reads_back_from_its_text(full: str, given_: str | None, family: str | None) -> None:
    name = names.person(full, given_, family)
    assert name is None or names.parse(str(name)) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [("bill", "william"), ("pepe", "jose"), ("nacho", "ignacio"), ("sasha", "aleksandr"),
     ("mohamed", "muhammad"),
     ("vova", "vladimir"), ("chuy", "jesus"), ("yousef", "yusuf"), ("memo", "guillermo")],
)  # fmt: skip
def test_forms_of_one_name_share_a_group(one: str, other: str) -> None:
    assert groups()[one] & groups()[other]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Deutschland Aktiengesellschaft", "DEUTSCHLAND AG"),
        ("OOO Zaryad", "Zaryad, LLC"),
        ("Open Joint Stock Company Gazovik", "OAO Gazovik"),
        ("OJSC Tactical Widgets Corporation", "Tactical Widgets Corp."),
        ("Quillfeather & Co. L.L.C.", "Quillfeather and Co LLC"),
        ("Transportes Quilla S.A. de C.V.", "TRANSPORTES QUILLA SA DE CV"),
        ("A.B.C. Freight Company", "ABC Freight Co."),
        ("1st Harbour Bank", "First Harbour Bank"),
        ("Brigade Forty-Four", "Brigade 44"),
        ("The Quill Centre", "Quill Center"),
        ("U.S. Department of Quills", "United States Department of Quills"),
        ("Harrow Fund III", "Harrow Fund 3"),
        ("QUILLA MARINE CORP /DE/", "Quilla Marine Corporation"),
        ("QUILLA PAPER CO /NEW/", "Quilla Paper Company"),
        ("QUILLANTOR INC/CA", "Quillantor Inc."),
        ("Bank of Quilla /CAN/", "Bank of Quilla"),
        ("Compagnie de St-Quilla", "Compagnie de Saint Quilla"),
    ],
)
def test_spellings_of_one_organisation_have_one_form(one: str, other: str) -> None:
    assert organisations.organisation(one) == organisations.organisation(other)


def test_different_names_stay_different() -> None:
    assert organisations.organisation("Harrow Fund III") != organisations.organisation("Harrow Fund IV")
    assert str(organisations.organisation("AP/MA")) == "ap ma", "no mark of a registry"
    assert str(organisations.organisation("Dell Quarries Inc")) == "dell quarries, inc"
    assert organisations.vessel("MV Hellenic Spirit") == organisations.vessel("M/V HELLENIC SPIRIT")


@given(st.text(max_size=80))
def test_an_organisations_name_reads_back_from_its_text(text: str) -> None:
    name = organisations.organisation(text)
    assert name is None or organisations.parse(str(name)) == name
