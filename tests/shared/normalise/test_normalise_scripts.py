"""Names of several scripts and romanisations, countries and legal forms in one canonical form."""

import pytest

from shared.normalise import names, organisations
from shared.normalise.countries import country
from shared.normalise.eastern import code, join_syllables, split_native
from shared.normalise.text import fold


@pytest.mark.parametrize(
    ("written", "latin"),
    [
        ("محمد الحمداني", "muhammad al hamdani"),
        ("شركة النور", "sharikat al nur"),
        ("יוסף בן דוד", "yosef ben david"),
        ("Γκουντούλης", "gountoulis"),
        ("Иванов", "ivanov"),
    ],
)
def test_scripts_without_vowels_or_with_pairs_are_read_as_said(written: str, latin: str) -> None:
    assert fold(written) == latin


@pytest.mark.parametrize("written", ["Abd al-Karim", "Abdelkarim", "Abdul Karim", "عبد الكريم"])
def test_a_servants_name_is_one_however_joined(written: str) -> None:
    assert str(names.person(f"{written} Haddadi")) == "abdul karim haddadi"


def test_servants_of_god_stay_whole() -> None:
    assert str(names.person("Abdullah Abdallah")) == "abdullah abdallah"


@pytest.mark.parametrize(
    ("one", "other"),
    [("zhiwei", "chihwei"), ("guohua", "kuohua"), ("jeonghun", "chonghun"), ("zedong", "tsetung")],
)
def test_romanisations_of_one_syllable_are_levelled(one: str, other: str) -> None:
    assert code(one) == code(other) != ""


def test_other_syllables_are_other_names() -> None:
    assert code("yongchol") != code("yongchun")
    assert code("schmidt") == ""


def test_native_names_are_parted_and_short_syllables_joined() -> None:
    assert split_native("王志强") == "王 志强"
    assert split_native("欧阳文轩") == "欧阳 文轩"
    assert join_syllables("Kim Seong-min") == "Kim Seongmin"
    assert join_syllables("Jean-François") == "Jean-François"


@pytest.mark.parametrize("written", ["RU", "ru", "Russia", "Russian Federation", "Россия", "USSR"])
def test_countries_are_known_by_name_and_code(written: str) -> None:
    assert country(written) == "RU"


def test_an_unknown_country_stays_comparable() -> None:
    assert country("Freedonia") == "freedonia"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Severny Mayak OOO", "Obshchestvo s ogranichennoy otvetstvennostyu Severny Mayak"),
        ("Bintang Kejora Sdn Bhd", "Bintang Kejora Sendirian Berhad"),
        ("Yildiztepe A.Ş.", "Yildiztepe Anonim Şirketi"),
        ("Mekhar PJS", "Mekhar Private Joint Stock Company"),
        ("SiemerAG", "Siemer Aktiengesellschaft"),
    ],
)
def test_legal_forms_of_many_countries_are_one_form(one: str, other: str) -> None:
    assert organisations.organisation(one) == organisations.organisation(other)


def test_a_ship_is_known_without_what_it_was() -> None:
    assert str(organisations.vessel("ex M/V Sea Juniper")) == "sea juniper"
