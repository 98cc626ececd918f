"""The doctor: each trouble is found, and comes with a remedy in plain words."""

import os
import socket
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

import services
from services.command import checks
from services.command.checks import Finding
from services.command.reach import Reach
from shared.contracts.topics import DEAD_LETTERS, FUSION_GROUP, REPORTS, TOPICS
from shared.database import migrate, open_database
from shared.log import NewRecord, open_log
from shared.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def found(findings: object, what: str) -> Finding:
    assert not isinstance(findings, Finding)
    return next(f for f in findings if f.what == what)  # type: ignore[attr-defined]


def no_sleep(_: float) -> None:
    return


def test_a_missing_data_directory_is_a_trouble(tmp_path: Path) -> None:
    finding = found(checks.storage(Settings(home=tmp_path / "none")), "data directory")
    assert not finding.well
    assert "interlock up" in str(finding.remedy)


def test_a_full_disk_is_a_trouble(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    assert "Make room" in str(found(checks.storage(settings), "disk space").remedy)


def test_a_key_that_others_can_read_is_a_trouble(settings: Settings) -> None:
    settings.key_file.parent.mkdir()
    settings.key_file.write_text("key")
    settings.key_file.chmod(0o644)
    assert checks.key(settings).remedy == f"chmod 600 {settings.key_file}"
    settings.key_file.chmod(0o600)
    assert checks.key(settings).well


@pytest.mark.parametrize(("most", "well"), [(3, True), (1_413, False)])
def test_a_component_too_large_to_settle_quickly_is_a_trouble(
    settings: Settings, most: int, *, well: bool
) -> None:
    text = f"# TYPE interlock_largest_component gauge\ninterlock_largest_component {most}.0\n"
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=text)))
    (finding,) = checks.crowd(client, Reach(settings))
    assert finding.well is well
    assert f"{most:,} profiles" in finding.found
    assert well or "interlock train" in str(finding.remedy)


def test_looking_for_a_log_does_not_make_one(settings: Settings) -> None:
    assert not found(checks.log(settings, no_sleep), "log").well
    assert list(settings.home.iterdir()) == []


def test_a_consumer_that_stands_still_is_a_trouble_and_one_that_is_done_is_not(settings: Settings) -> None:
    with closing(open_log(settings.log_url)) as log:
        log.ensure(TOPICS)
        log.append(REPORTS.name, [NewRecord("a", b"{}")])
        stands = found(checks.log(settings, no_sleep), "fusion keeps up")
        assert "none was processed" in stands.found
        consumer = log.consumer(FUSION_GROUP, [REPORTS.name])
        while not consumer.poll(10, 0.1):
            pass
        consumer.commit()
        consumer.close()
        assert found(checks.log(settings, no_sleep), "fusion keeps up").well


def test_open_dead_letters_are_a_trouble(settings: Settings) -> None:
    with closing(open_log(settings.log_url)) as log:
        log.ensure(TOPICS)
        assert found(checks.log(settings, no_sleep), "dead letters").well
        log.append(DEAD_LETTERS.name, [NewRecord("a", b"{}", {"error": "x", "step": "parse"})])
    finding = found(checks.log(settings, no_sleep), "dead letters")
    assert finding.found == "1 open"
    assert "dead-letters list" in str(finding.remedy)


def test_a_service_that_does_not_answer_says_how_to_start_it(settings: Settings) -> None:
    transport = httpx.MockTransport(lambda _: (_ for _ in ()).throw(httpx.ConnectError("refused")))
    (finding,) = checks.reachable(httpx.Client(transport=transport), Reach(settings), "EPIC")
    assert "interlock up" in str(finding.remedy)


def test_somebody_else_on_the_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(home=tmp_path, port_base=taken.getsockname()[1] - 100)
        transport = httpx.MockTransport(lambda _: (_ for _ in ()).throw(httpx.ReadTimeout("late")))
        (finding,) = checks.reachable(httpx.Client(transport=transport), Reach(settings), "leads")
    assert f"process {os.getpid()}" in str(finding.remedy)


def test_a_clock_that_is_off_is_a_trouble(settings: Settings) -> None:
    late = httpx.MockTransport(
        lambda _: httpx.Response(200, headers={"Date": "Mon, 01 Jan 2024 00:00:00 GMT"})
    )
    finding = found(checks.reachable(httpx.Client(transport=late), Reach(settings), "SOD"), "clock")
    assert "time service" in str(finding.remedy)


def test_a_database_of_an_older_schema_is_a_trouble_and_looking_makes_none(settings: Settings) -> None:
    for name, (url, migrations) in checks.databases(settings).items():
        assert "is missing" in checks.database(name, url, migrations).found
    assert list(settings.home.iterdir()) == []
    for name, (url, migrations) in checks.databases(settings).items():
        opened = open_database(url)
        opened.ping()
        assert "schema missing" in checks.database(name, url, migrations).found
        migrate(opened, Path(services.__path__[0]) / migrations)
        opened.close()
        assert checks.database(name, url, migrations).well
