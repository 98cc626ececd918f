"""``interlock resolve``: what it says, and how it ends."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.__main__ import _running
from services.command import entry

LIST = "id,name,born,hat\n1,Odalys Zapatero,1961-03-09,7\n2,Odalys Zapatero,1961-03-09,8\n"


def ends_with(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["interlock", *words])
    with pytest.raises(SystemExit) as ended:
        entry.run(entry.commands(_running))
    return int(ended.value.code or 0)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text(LIST)
    return file


def call(*words: str) -> Any:
    return CliRunner().invoke(entry.commands(_running), ["resolve", *words])


def test_it_says_what_was_mapped_and_what_came_of_it(people: Path, tmp_path: Path) -> None:
    done = call(str(people), "--as", "person", "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert "born → birth_dates" in done.output
    assert "passed over: hat" in done.output
    assert "entities.csv" in done.output


def test_programs_get_json(people: Path, tmp_path: Path) -> None:
    options = ["--map", "hat=aka, born=", "--json", "--threshold", "20"]
    done = call(str(people), "--as", "person", "--out", str(tmp_path), *options)
    found = json.loads(done.stdout)
    assert (found["rows"], found["threshold"], found["ignored"]) == (2, 20.0, ["born"])
    assert found["columns"] == {"id": "id", "name": "names", "hat": "aka"}
    assert all(Path(path).exists() for path in found["files"])


def test_refused_rows_end_in_one(people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people.write_text(LIST + "1,Again,,\n")
    assert ends_with(monkeypatch, "resolve", str(people), "--as", "person", "--out", str(tmp_path)) == 1
    assert (tmp_path / "entities.csv").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--as", "martian"],
        ["--as", "person", "--map", "born"],
        ["--as", "person", "--map", "x=names"],
        ["--as", "person", "--threshold", "-3"],
        [],
    ],
)
def test_asked_wrongly_ends_in_two(
    wrong: list[str], people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ends_with(monkeypatch, "resolve", str(people), "--out", str(tmp_path), *wrong) == 2


def test_the_example_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "resolving.md").read_text()
    (rows,) = re.findall(r"(?ms)^```csv\n(.*?)^```", page)
    (command,) = re.findall(r"(?ms)^```sh\ninterlock resolve (.*?)\n```", page)
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text(rows)
    done = call(*shlex.split(command))
    assert done.exit_code == 0, done.output
    first, second, third = (line.split(",")[1] for line in Path("found/entities.csv").read_text().split()[1:])
    assert first == second != third
