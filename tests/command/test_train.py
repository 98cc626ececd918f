"""``interlock train``: the diff, the file, and how to switch."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.__main__ import _running
from services.command import entry
from services.fusion.core.model import load
from services.fusion.training import Shift, Trained, train_from


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Trained:
    """What training gives, without the training."""
    before = load()
    after = before.sized(1_000)
    found = Trained(after, before, (), 300, 400, 50.0, Shift(9, 8, 1, 0, (("a" * 32, "b" * 32),), ()))
    monkeypatch.setattr(f"{train_from.__module__}.train_from", lambda *_: found)
    return found


def test_it_writes_the_model_and_says_how_to_use_it(trained: Trained, tmp_path: Path) -> None:
    file = tmp_path / "new.json"
    done = CliRunner().invoke(entry.commands(_running), ["train", "--out", str(file)])
    assert done.exit_code == 0, done.output
    assert load(file).version == trained.model.version
    for said in (trained.model.version, "INTERLOCK_MODEL", "--rebuild", "go back", "interlock why"):
        assert said in done.output, said


def test_programs_get_json(trained: Trained, tmp_path: Path) -> None:
    done = CliRunner().invoke(entry.commands(_running), ["train", "--json", "--out", str(tmp_path / "m")])
    found = json.loads(done.stdout)
    assert found["model"] == {"before": trained.before.version, "after": trained.model.version}
    assert found["entities"]["merged"] == 1
    assert found["needed"]["PERSON"] == {"before": 16.0, "after": 15.0}


def test_with_nothing_to_learn_from_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["interlock", "train", "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        entry.run(entry.commands(_running))
    assert ended.value.code == 1
    assert not list(tmp_path.glob("*.json"))
