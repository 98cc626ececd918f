"""A backup holds the whole state, and a restore brings exactly that back."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.command import entry
from services.command.console import Failed
from services.command.supervise import Supervisor
from shared.contracts.topics import REPORTS, TOPICS
from shared.errors import Misconfigured
from shared.log import NewRecord, Position, open_log
from shared.settings import Settings


def interlock(*arguments: str) -> None:
    result = CliRunner().invoke(entry.commands(), arguments)
    if result.exception:
        raise result.exception


def fill(home: Path) -> None:
    log = open_log(Settings(home=home).log_url)
    log.ensure(TOPICS)
    log.append(REPORTS.name, [NewRecord("a", b"report")])
    log.close()
    (home / "keys").mkdir()
    (home / "keys" / "signing.pem").write_text("key")
    (home / "logs").mkdir()
    (home / "logs" / "leads.log").write_text("noise")


def test_a_restore_brings_back_what_the_backup_held(tmp_path: Path) -> None:
    fill(tmp_path / "home")
    interlock("backup", str(tmp_path / "b.tar.gz"), "--data", str(tmp_path / "home"))
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o077 == 0
    interlock("restore", str(tmp_path / "b.tar.gz"), "--data", str(tmp_path / "new"))
    log = open_log(Settings(home=tmp_path / "new").log_url)
    records = [r for p in log.ends(REPORTS.name) for r in log.read(Position(REPORTS.name, p, 0), 10)]
    log.close()
    assert [(r.key, r.value) for r in records] == [("a", b"report")]
    assert (tmp_path / "new" / "keys" / "signing.pem").read_text() == "key"
    assert not (tmp_path / "new" / "logs" / "leads.log").exists()


def test_nothing_is_backed_up_while_it_runs(tmp_path: Path) -> None:
    fill(tmp_path / "home")
    running = Supervisor(tmp_path / "home", [], {}, say=lambda _: None)
    with pytest.raises(Misconfigured, match="already runs"):
        interlock("backup", str(tmp_path / "b.tar.gz"), "--data", str(tmp_path / "home"))
    running.stop()


def test_a_restore_overwrites_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "home")
    interlock("backup", str(tmp_path / "b.tar.gz"), "--data", str(tmp_path / "home"))
    with pytest.raises(Failed, match="not empty"):
        interlock("restore", str(tmp_path / "b.tar.gz"), "--data", str(tmp_path / "home"))


def test_servers_are_backed_up_by_their_own_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_LOG", "kafka://broker:9092")
    with pytest.raises(Misconfigured, match="INTERLOCK_LOG names a server"):
        interlock("backup", str(tmp_path / "b.tar.gz"), "--data", str(tmp_path))
