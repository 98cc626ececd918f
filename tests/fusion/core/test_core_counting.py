"""What is common in a list weighs less in it, however often one entity is listed."""

from services.fusion.core.compare import compare
from services.fusion.core.counting import counted
from services.fusion.core.model import Model
from services.fusion.core.normalise import make_profile
from services.fusion.core.profile import Profile
from services.fusion.core.records import read_row
from shared.contracts.entities import Kind
from tests.fusion.core.people import MODEL

SOUNDS = "bdfgklmnprst"
Row = dict[str, object]


def rows(made: list[Row], kind: Kind = Kind.PERSON) -> list[Profile]:
    return [
        make_profile(kind, "*", "", read_row(row, kind)[0], (str(n), False, MODEL))
        for n, row in enumerate(made)
    ]


def weight(model: Model, a: Row, b: Row) -> int:
    one, other = rows([a, b])
    return compare(one, other, model).weight


def word(n: int) -> str:
    """An invented word of its own sound."""
    return "".join(SOUNDS[n // 12**k % 12] + "aeo"[k] for k in range(3))


def person(n: int, family: str) -> Row:
    return {"names": [f"{word(n)} {family}"], "birth_dates": [f"{1930 + n % 61}-03-04"]}


def test_a_family_name_that_half_the_list_bears_weighs_little() -> None:
    model = counted(rows([person(n, "Ostrovang" if n % 2 else word(n + 7)) for n in range(1_500)]), MODEL)
    a: Row = {"names": ["Jorunn Ostrovang"]}
    b: Row = {"names": ["J. Ostrovang"]}
    assert weight(model, a, b) < weight(MODEL, a, b) - 500


def test_one_entity_listed_often_makes_no_name_common() -> None:
    often: list[Row] = [
        {"names": ["Jorunn Ostrovang"], "birth_dates": ["1961-02-03"], "addresses": [f"{n} Quay Road"]}
        for n in range(500)
    ]
    assert counted(rows(often), MODEL).tables["family"] == MODEL.tables["family"]


def test_a_word_and_a_country_of_many_companies_weigh_little() -> None:
    firms: list[Row] = [{"names": [f"Vostrana {word(n)}"], "countries": ["PA"]} for n in range(900)]
    model = counted(rows(firms, Kind.ORGANIZATION), MODEL)
    assert model.tables["word"].of("vostrana") < MODEL.tables["word"].of("vostrana") - 500
    assert model.tables["country"].of("PA") < MODEL.tables["country"].of("PA")


def test_no_value_is_rarer_than_the_model_says() -> None:
    model = counted(rows([person(n, "Smith") for n in range(40)]), MODEL)
    for name, table in MODEL.tables.items():
        assert all(model.tables[name].of(value) <= bits for value, bits in table.bits.items())
