"""What the weights say about people whom reports confuse."""

from dataclasses import replace

import pytest

from services.fusion.core.compare import COMPARATORS, compare
from services.fusion.core.keys import keys_of
from services.fusion.core.profile import Profile
from services.fusion.core.reference import resolve_all
from shared.contracts.entities import Kind, Organization, Vehicle, Vessel
from tests.fusion.core.people import MODEL, organization, person, profile

HOME = {"address": "123 main st|4|el paso|TX|79901|US", "phone": "+19155550142"}


def same(a: Profile, b: Profile) -> bool:
    found = compare(a, b, MODEL)
    return found.weight >= MODEL.threshold and not found.contradicted


def meet(a: Profile, b: Profile) -> bool:
    return not set(keys_of(a, MODEL)).isdisjoint(keys_of(b, MODEL))


SAME = [
    (person("Juan García López", dob="1988-01-03"), person("GARCIA LOPEZ, JUAN", dob="1988-01-03")),
    (person("Juan García López", dob="1988-01-03"), person("Juan Garcia", dob="1988-01-03")),
    (person("Juan García López", dob="1988-01-03"), person("Juan García López", dob="1988-03-01")),
    (person("Guillermo Trejo Salas", dob="1979-06-11"), person("Memo Trejo", dob="1979-06-11")),
    (person("Володимир Зеленко", dob="1978-01-25"), person("Volodymyr Zelenko", dob="1978-01-25")),
    (person("Mohammed Al-Rashid", dob="1990-05-05"), person("Muhamad Alrashid", dob="1990-05-05")),
    (person("Abdul Rahman Yusuf", dob="1990-05-05"), person("Abdulrahman Yousef", dob="1990-05-05")),
    (person("Nguyen Van Thanh", dob="1985-11-30"), person("Thanh Van Nguyen", dob="1985-11-30")),
    (
        person("J. R. Quillfeather"),
        person("John Robert Quillfeather", dob="1970-02-02", aka=("J R Quillfeather",)),
    ),
    (person("William Quillfeather", tied=HOME), person("Bill Quillfeather", tied=HOME)),
    (
        person("John Smith", tied={"phone": "+19155550142"}),
        person("John Smith", tied={"phone": "+19155550142"}),
    ),
    (person("John Smith", dob="1970-02-02"), person("Jon Smith", dob="1970-02-02")),
    (
        person(None, ids=({"type": "SSN", "value": "536-22-1234"},)),
        person("Ana Soto", ids=({"type": "SSN", "value": "536221234"},)),
    ),
    (
        organization("Transportes Quilla del Norte S.A. de C.V."),
        organization("TRANSPORTES QUILLA DEL NORTE SA DE CV"),
    ),
    (organization("Siemensia Aktiengesellschaft"), organization("Siemensia AG")),
    (organization("ООО Зарядвент"), organization("Zaryadvent LLC")),
    (
        profile(Vehicle(local_id="v", plate="SYN1234", jurisdiction="US-TX", make="Ford")),
        profile(Vehicle(local_id="v", plate="syn 1234", jurisdiction="US-TX", colour="blue")),
    ),
    (
        profile(Vessel(local_id="v", name="MV Hellenic Spirit", imo="9319466")),
        profile(Vessel(local_id="v", name="Hellenic Spirit II", imo="IMO 9319466")),
    ),
]

DIFFERENT = [
    (person("John Smith"), person("John Smith", origin="r2")),
    (person("John Smith", dob="1970-02-02"), person("John Smith", dob="1985-11-30")),
    (person("John Smith", tied=HOME), person("Maria Smith", tied=HOME)),
    (person("Erik Quillfeather", tied=HOME), person("Maria Quillfeather", tied=HOME)),
    (
        person("Erik Quillfeather", dob="1999-04-17", tied=HOME),
        person("Olaf Quillfeather", dob="1999-04-17", tied=HOME),
    ),
    (
        person("José Quillfeather", dob="1960-04-17", tied=HOME),
        person("José Quillfeather", dob="1991-09-02", tied=HOME),
    ),
    (
        person("Robert Quillfeather Sr.", dob=None, tied=HOME),
        person("Robert Quillfeather Jr.", dob=None, tied=HOME),
    ),
    (
        person("Ana Soto", tied={"phone": "+19155550142"}),
        person("Bruno Quillfeather", tied={"phone": "+19155550142"}),
    ),
    (
        person("Ana Soto Vega", ids=({"type": "SSN", "value": "536221234"},)),
        person("Ana Soto Vega", ids=({"type": "SSN", "value": "219099999"},)),
    ),
    (organization("Bowne Services of Atlanta, Inc."), organization("Bowne Services of Boston, Inc.")),
    (organization("Harrowgate Partners V LP"), organization("Harrowgate Partners VI LP")),
    (
        profile(Vehicle(local_id="v", plate="SYN1234", jurisdiction="US-TX")),
        profile(Vehicle(local_id="v", plate="SYN1234", jurisdiction="US-CA")),
    ),
    (
        profile(Vessel(local_id="v", name="Victory", imo="9319466")),
        profile(Vessel(local_id="v", name="Victory", imo="9074729")),
    ),
]


@pytest.mark.parametrize(("a", "b"), SAME, ids=lambda p: p.label)
def test_one_entity_is_recognised(a: Profile, b: Profile) -> None:
    assert same(a, b), compare(a, b, MODEL)
    assert meet(a, b)


@pytest.mark.parametrize(("a", "b"), DIFFERENT, ids=lambda p: p.label)
def test_two_entities_stay_two(a: Profile, b: Profile) -> None:
    assert not same(a, b), compare(a, b, MODEL)


@pytest.mark.parametrize(("a", "b"), SAME + DIFFERENT, ids=lambda p: p.label)
def test_the_rows_sum_to_the_weight_in_either_order(a: Profile, b: Profile) -> None:
    one, other = compare(a, b, MODEL), compare(b, a, MODEL)
    assert sum(r.weight for r in one.rows) == one.weight
    assert (one.weight, one.contradicted) == (other.weight, other.contradicted)


def test_father_and_son_are_not_joined_by_a_mention_that_fits_both() -> None:
    father = person("José Quillfeather", dob="1960-04-17", tied=HOME)
    son = person("José Quillfeather", dob="1991-09-02", tied=HOME)
    either = person("José Quillfeather", tied=HOME)
    entity = resolve_all([father, son, either], (), MODEL).entity
    assert entity[father.id] != entity[son.id]


def test_a_wrong_check_digit_matches_weakly() -> None:
    right, wrong = "1M8GDM9AXKP042788", "1M8GDM9AXKP042789"
    good = compare(*(profile(Vehicle(local_id="v", vin=right)) for _ in "ab"), MODEL)
    bad = compare(*(profile(Vehicle(local_id="v", vin=wrong)) for _ in "ab"), MODEL)
    assert bad.weight < good.weight
    assert "check digit" in bad.rows[0].level


def test_a_thousand_lone_namesakes_stay_a_thousand() -> None:
    crowd = [person("John Smith", origin=f"r{i}") for i in range(1000)]
    assert len(set(resolve_all(crowd, (), MODEL).entity.values())) == 1000


def test_every_comparison_tells_the_user_what_it_does() -> None:
    assert all(c.__doc__ and len(c.__doc__) > 20 for c in COMPARATORS.values())


def test_kinds_are_never_mixed() -> None:
    with pytest.raises(ValueError, match="never compared"):
        compare(person("Ana Soto"), organization("Ana Soto"), MODEL)


def test_given_and_family_name_tell_some_of_it_twice() -> None:
    a, b = person("Juan Soto"), person("Juan Soto", sex="M")
    apart, together = (compare(a, b, replace(MODEL, together=bits)) for bits in (0, 300))
    assert apart.weight - together.weight == 300
    assert [row.weight for row in together.rows if "not independent" in row.level] == [-300]


def test_firms_of_one_office_are_not_one_firm() -> None:
    office = {"address": "12 harbour road|200|brillport|TX|79901|US", "phone": "+19155550142"}
    one, other = (
        profile(Organization(local_id="o", name=name), origin=name, tied=office)
        for name in ("Tarnwick Shipping Ltd", "Ostrander Metals Ltd")
    )
    assert not same(one, other)
    assert any(row.feature == "kin" for row in compare(one, other, MODEL).rows)
    again = profile(Organization(local_id="o", name="Tarnwick Shipping Limited"), tied=office)
    assert same(one, again)


def test_a_place_in_a_name_is_not_told_twice() -> None:
    def firm(name: str, city: str) -> Profile:
        place = {"address": f"||{city}|||US"}
        return profile(Organization(local_id="o", name=name), origin=name, tied=place)

    at_home = compare(
        firm("Tarnwick Brillport", "brillport"), firm("Ostrander Brillport", "brillport"), MODEL
    )
    abroad = compare(firm("Tarnwick Brillport", "selmouth"), firm("Ostrander Brillport", "selmouth"), MODEL)
    assert at_home.weight < abroad.weight - 800


def test_a_word_that_lists_leave_out_costs_less_than_another() -> None:
    plain = organization("Zelvora Inc", country="US")
    frame = compare(plain, organization("Zelvora Holdings Inc", country="US"), MODEL).weight
    word = compare(plain, organization("Zelvora Aviation Inc", country="US"), MODEL).weight
    assert frame > word


def test_a_model_file_from_before_a_level_still_compares() -> None:
    kind = MODEL.kinds[Kind.ORGANIZATION]
    old = tuple(
        replace(c, levels={k: v for k, v in c.levels.items() if k != "frame"}) for c in kind.comparisons
    )
    model = replace(MODEL, kinds={**MODEL.kinds, Kind.ORGANIZATION: replace(kind, comparisons=old)})
    a, b = organization("Zelvora Inc"), organization("Zelvora Holdings Inc")
    assert compare(a, b, model).weight < compare(a, b, MODEL).weight


def test_each_rare_word_of_a_firms_name_finds_it() -> None:
    assert meet(organization("Koninklijke Zelvora NV"), organization("Zelvora"))
    assert not meet(organization("Koninklijke Zelvora NV"), organization("Torrevant"))


def test_a_name_alone_is_found_though_one_of_its_words_was_split() -> None:
    assert meet(person("Teodor Quilla feather"), person("Teodor Samuel Quillafeather"))


def test_one_number_given_as_two_papers_counts_once_and_is_found() -> None:
    passport = person("Omar Quillan", tied={"passport": "SY:A1234567"})
    identity = person("Umar Quilan", tied={"national_id": "-:A1234567"})
    assert meet(passport, identity)
    assert [row[:3] for row in compare(passport, identity, MODEL).told if row[0] == "number"] == [
        ("number", "passport A1234567", "national_id A1234567")
    ]
    both = person("Omar Quillan", tied={"passport": "SY:A1234567", "other": "-:A1234567"})
    assert not [row for row in compare(both, passport, MODEL).told if row[0] == "number"]


def test_a_short_number_of_two_papers_tells_nothing() -> None:
    a = person("Omar Quillan", tied={"passport": "SY:12345"})
    b = person("Umar Quilan", tied={"national_id": "-:12345"})
    assert not [row for row in compare(a, b, MODEL).told if row[0] == "number"]
