"""A list resolved by itself: what can be read, what is refused, and that the answer is the reference's."""

import csv
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from services.fusion import backload, rows
from services.fusion.backload import Order, Outcome, resolve
from services.fusion.columns import BadRow, columns_of, fields_of
from services.fusion.core.model import load
from services.fusion.core.normalise import make_profile
from services.fusion.core.records import read_row
from services.fusion.core.reference import pairs_of, resolve_all
from shared.contracts.entities import Kind
from shared.errors import Misconfigured

GIVEN = ("Odalys", "Ferrán", "Brígida", "Thaddeus", "Marisela", "Quentin", "Ileana", "Ambrose")
FAMILY = ("Zapatero", "Wolfenden", "Quiñonez", "Ashdown", "Ybarra", "Okonkwo", "Lindqvist", "Varela")


def people(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Invented persons, each up to three times, with a typing error now and then."""
    chance = random.Random(seed)
    made = []
    for n in range(count):
        name = [chance.choice(GIVEN), chance.choice(FAMILY)]
        born = f"{chance.randrange(1940, 2000)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        for copy in range(chance.randrange(1, 4)):
            family = name[1][:-1] if copy and chance.random() < 0.3 else name[1]
            made.append({"id": f"r{n}-{copy}", "given": name[0], "family": family, "birth_dates": [born]})
    chance.shuffle(made)
    return made


def write(path: Path, made: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in made), "utf-8")
    return path


def run(file: Path, tmp_path: Path, kind: str = "person", **more: Any) -> Outcome:
    return resolve(Order(file, kind, tmp_path / "out", **more))


def table(tmp_path: Path, name: str) -> list[dict[str, str]]:
    with (tmp_path / "out" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def entities(tmp_path: Path) -> dict[str, str]:
    return {r["id"]: r["entity"] for r in table(tmp_path, "entities.csv")}


def same(tmp_path: Path, *ids: str) -> bool:
    found = entities(tmp_path)
    return len({found[i] for i in ids}) == 1


def test_the_answer_is_the_references_whatever_the_order_and_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = people(120)
    model = load().sized(len(made))
    held = {
        r["id"]: make_profile(
            Kind.PERSON, "*", "", read_row(r, Kind.PERSON)[0], (r["id"], False, model)
        )
        for r in made
    }  # fmt: skip
    entity = resolve_all(held.values(), (), model).entity
    expected = {i: entity[p.id] for i, p in held.items()}
    assert len(set(expected.values())) < len(expected)
    for size, seed in ((2_000, 1), (7, 2)):
        monkeypatch.setattr(backload, "_BATCH", size)
        random.Random(seed).shuffle(made)
        run(write(tmp_path / "people.jsonl", made), tmp_path)
        assert entities(tmp_path) == expected


def test_pairs_connect_exactly_the_entities_and_their_evidence_adds_up(tmp_path: Path) -> None:
    made = people(80)
    made += [{**made[0], "id": "again"}, {**made[0], "id": "and again"}]
    found = run(write(tmp_path / "people.jsonl", made), tmp_path)
    home = {r["id"]: r["id"] for r in made}
    strongest: dict[str, float] = {}
    for pair in table(tmp_path, "pairs.csv"):
        old, new = home[pair["a"]], home[pair["b"]]
        home = {i: new if h == old else h for i, h in home.items()}
        weights = [float(part.rpartition(" ")[2]) for part in pair["evidence"].split("; ")]
        assert sum(weights) == pytest.approx(float(pair["weight"]))
        for i in (pair["a"], pair["b"]):
            strongest[i] = max(strongest.get(i, 0.0), float(pair["weight"]))
    got = entities(tmp_path)
    assert {(a, b) for a in got for b in got if got[a] == got[b]} == {
        (a, b) for a in home for b in home if home[a] == home[b]
    }
    for row in table(tmp_path, "entities.csv"):
        if row["id"] in ("again", "and again"):
            assert row["weight"]
        assert row["weight"] == "" or float(row["weight"]) >= strongest.get(row["id"], 0.0)
        assert (row["weight"] == "") == (list(got.values()).count(row["entity"]) == 1)
    assert sum(size * n for size, n in found.written.sizes.items()) == found.rows == len(made)


CSV = """unique_id,Full Name,DOB,Passport No,shoe size,nationality
1,Odalys Zapatero,1961-03-09,MX0001111,38,MX
2,"Zapatero, Odalys",1961-03-09,MX0001111,39,MX
3,Thaddeus Wolfenden,1975,,44,GB;US
"""


def test_a_csv_is_understood_by_its_usual_names(tmp_path: Path) -> None:
    file = tmp_path / "list.csv.gz"
    file.write_bytes(gzip.compress(CSV.encode("utf-8-sig")))
    found = run(file, tmp_path)
    assert found.columns.used == {
        "unique_id": "id", "Full Name": "names", "DOB": "birth_dates",
        "Passport No": "identifiers:PASSPORT", "nationality": "countries",
    }  # fmt: skip
    assert found.columns.ignored == ("shoe size",)
    assert same(tmp_path, "1", "2")
    assert not same(tmp_path, "1", "3")
    report = (tmp_path / "out" / "report.md").read_text()
    assert "- Full Name → names" in report
    assert "passed over: shoe size" in report
    assert f"`{found.model.version}`" in report
    assert not (tmp_path / "out" / "refused.csv").exists()


def test_columns_of_other_names_are_mapped_and_parts_of_one_field_are_joined() -> None:
    columns = columns_of(("n", "no", "street_name", "dob"), {"n": "names", "no": "street", "dob": ""})
    assert columns.ignored == ("dob",)
    row = {"n": "A B; C D", "no": "12", "street_name": "Rua Sol", "dob": "x"}
    assert fields_of(row, columns) == {"names": ["A B", "C D"], "street": "12 Rua Sol"}


@pytest.mark.parametrize(
    ("names", "given", "says"),
    [
        (("name",), {"nome": "names"}, "no column nome"),
        (("name",), {"name": "label"}, "the fields are"),
        (("name",), {"name": "names:X"}, "only identifiers"),
        (("x", "y"), {}, "--map column=field"),
    ],
)
def test_a_wrong_mapping_is_named(names: tuple[str, ...], given: dict[str, str], says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        columns_of(names, given)


def test_identifiers_are_read_from_objects_and_texts() -> None:
    columns = columns_of(("identifiers", "imo"), {})
    row = {
        "identifiers": [{"type": "Passport", "value": "X1", "country": "MX"}, "SSN:078-05-1120"],
        "imo": 9074729,
    }
    assert [(i["type"], i["value"]) for i in fields_of(row, columns)["identifiers"]] == [
        ("passport", "X1"), ("ssn", "078-05-1120"), ("imo", "9074729"),
    ]  # fmt: skip
    for bad in ({"identifiers": [{"type": "SSN"}]}, {"identifiers": [True]}):
        with pytest.raises(BadRow, match="identifiers"):
            fields_of(bad, columns)


def test_bad_rows_are_listed_with_their_lines_and_the_others_are_resolved(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(
        b"id,name,type\n1,Odalys Zapatero,\n2,too,many,cells\n1,Ileana Varela,\n,No Id,\n"
        b"5,Jos\xe9,\n6,Ferran Ybarra,martian\n7,,\n8,Ferran Ybarra,company\n"
    )
    found = run(file, tmp_path)
    assert (found.rows, found.refused, found.incomparable) == (3, 5, 1)
    refused = {int(r["line"]): r["reason"] for r in table(tmp_path, "refused.csv")}
    assert refused[3] == "4 cells, 3 columns"
    assert refused[4] == "the id '1' was on line 2 already"
    assert refused[5] == "the id is missing"
    assert refused[6] == "not UTF-8"
    assert "martian" in refused[7]
    assert list(entities(tmp_path)) == ["1", "7", "8"]


def test_an_id_of_an_earlier_batch_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backload, "_BATCH", 1)
    made = [{"id": "a", "names": "Odalys Zapatero"}, {"id": "b", "names": "Ileana Varela"}, {"id": "a"}]
    assert run(write(tmp_path / "x.jsonl", made), tmp_path).refused == 1
    assert table(tmp_path, "refused.csv")[0]["reason"] == "the id 'a' was on line 1 already"


def test_bad_json_lines_have_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "x.ndjson"
    file.write_bytes(
        b'{"id":1,"name":"Odalys Zapatero"}\n{"id":\n[1]\n\n{"id":"\xff"}\n{"id":6,"name":{"x":1}}\n'
    )
    assert run(file, tmp_path).refused == 4
    assert [r["line"] for r in table(tmp_path, "refused.csv")] == ["2", "3", "5", "6"]


def test_rows_without_ids_are_numbered(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("name\nOdalys Zapatero\nIleana Varela\n")
    run(file, tmp_path)
    assert list(entities(tmp_path)) == ["1", "2"]


def test_vessels_are_one_by_their_numbers(tmp_path: Path) -> None:
    file = tmp_path / "ships.csv"
    file.write_text(
        "id,name,imo,flag\na,MV Borealis Star,9074729,PA\nb,BOREALIS STAR,IMO 9074729,LR\nc,Blue Heron,,PA\n"
    )
    run(file, tmp_path, "vessel")
    assert same(tmp_path, "a", "b")
    assert not same(tmp_path, "a", "c")


def test_parquet_is_read_like_the_rest(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    made = people(20)
    parquet.write_table(arrow.Table.from_pylist(made), tmp_path / "x.parquet")
    run(tmp_path / "x.parquet", tmp_path)
    by_parquet = entities(tmp_path)
    run(write(tmp_path / "x.jsonl", made), tmp_path)
    assert entities(tmp_path) == by_parquet


def test_without_its_library_parquet_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(rows.importlib, "import_module", missing)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(Misconfigured, match=r"pip install 'interlock\[parquet\]'"):
        run(tmp_path / "x.parquet", tmp_path)


@pytest.mark.parametrize("name", ["x.xlsx", "missing.csv", "empty.csv", "twice.csv", "bad.csv.gz"])
def test_what_is_no_list_is_refused_as_a_whole(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"PK")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "twice.csv").write_text("name,name\n1,2\n")
    (tmp_path / "bad.csv.gz").write_bytes(b"name\nx\n")
    with pytest.raises(Misconfigured, match=name):
        run(tmp_path / name, tmp_path)


def test_a_higher_threshold_joins_less_and_leaves_pairs_for_a_person(tmp_path: Path) -> None:
    file = write(tmp_path / "people.jsonl", people(60))
    low = run(file, tmp_path)
    high = run(file, tmp_path, threshold=6_000)
    assert high.written.entities > low.written.entities
    assert high.written.possible > low.written.possible
    assert {r["case"] for r in table(tmp_path, "possible.csv")} <= {"POSSIBLE", "AMBIGUOUS"}


def test_possible_pairs_are_those_of_the_reference(tmp_path: Path) -> None:
    """Many people of few names: keys cross their cap while the list is read."""
    made = people(300) + [{"id": f"n{n}", "given": GIVEN[n % 8], "family": FAMILY[n % 7]} for n in range(90)]
    model = run(write(tmp_path / "people.jsonl", made), tmp_path).model
    found = entities(tmp_path)
    row_of: dict[str, str] = {}
    profiles = []
    for row in made:
        features, label = read_row(row, Kind.PERSON)
        profile = make_profile(Kind.PERSON, "*", label, features, (row["id"], False, model))
        row_of.setdefault(profile.id, row["id"])
        profiles.append(profile)
    expected = {
        frozenset((row_of[p.a], row_of[p.b]))
        for p in pairs_of(profiles, model)
        if not p.contradicted and p.weight < model.threshold and found[row_of[p.a]] != found[row_of[p.b]]
    }
    told = [frozenset((r["a"], r["b"])) for r in table(tmp_path, "possible.csv") if r["case"] == "POSSIBLE"]
    assert len(told) == len(set(told)) > 0
    assert set(told) == expected


def test_training_leaves_the_model_and_is_repeatable(tmp_path: Path) -> None:
    file = write(tmp_path / "people.jsonl", people(200))
    one, two = (run(file, tmp_path, training=True, seed=3) for _ in range(2))
    assert one.model.version == two.model.version
    assert one.model.version != load().sized(one.rows).version
    assert load(tmp_path / "out" / "model.json").version == one.model.version


def test_a_list_too_small_to_learn_from_is_resolved_with_the_weights_there_are(tmp_path: Path) -> None:
    file = write(tmp_path / "people.jsonl", people(5))
    plain, trained = run(file, tmp_path), run(file, tmp_path, training=True)
    assert trained.model.version == plain.model.version
    assert trained.written.sizes == plain.written.sizes
    assert "too little is alike" in (tmp_path / "out" / "report.md").read_text()


def test_the_database_goes_unless_it_is_kept(tmp_path: Path) -> None:
    file = write(tmp_path / "people.jsonl", people(5))
    run(file, tmp_path)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "entities.csv", "pairs.csv", "possible.csv", "report.md",
    ]  # fmt: skip
    run(file, tmp_path, keep=True)
    first = entities(tmp_path)
    run(file, tmp_path, keep=True)
    assert (tmp_path / "out" / "resolver.db").exists()
    assert entities(tmp_path) == first
