"""Settings come from the environment, once, and say what is wrong with them."""

from dataclasses import fields
from pathlib import Path

import pytest

from shared.errors import Misconfigured
from shared.settings import Settings, settings_table, variable_of


def test_everything_derives_from_the_home(tmp_path: Path) -> None:
    settings = Settings.from_env({"INTERLOCK_HOME": str(tmp_path)})
    assert settings.log_url == f"sqlite:///{tmp_path}/log.db?partitions=4"
    assert settings.fusion_database == f"sqlite:///{tmp_path}/fusion.db"
    assert settings.leads_database == f"sqlite:///{tmp_path}/leads.db"
    assert settings.key_file == tmp_path / "keys" / "signing.pem"


def test_without_an_environment_the_home_is_the_users() -> None:
    settings = Settings.from_env({})
    assert settings.home == Path.home() / ".local" / "share" / "interlock"
    assert settings.host == "127.0.0.1"


def test_what_is_given_wins() -> None:
    settings = Settings.from_env(
        {
            "INTERLOCK_LOG": "kafka://broker:9092",
            "INTERLOCK_MAX_BODY": "2_000",
            "INTERLOCK_LOG_LEVEL": "debug",
            "INTERLOCK_MODEL": "/models/m.json",
            "INTERLOCK_MAX_LINE": " ",
        }
    )
    assert settings.log_url == "kafka://broker:9092"
    assert settings.max_body == 2000
    assert settings.max_line == 1 << 20
    assert settings.log_level == "DEBUG"
    assert settings.model_file == Path("/models/m.json")


def test_ports_follow_the_base_unless_one_is_given() -> None:
    settings = Settings(port_base=9000)
    assert [settings.port_of(s) for s in ("SOD", "OFC", "EPIC", "BCSC", "leads", "fusion")] == [
        9001, 9002, 9003, 9004, 9100, 9200,
    ]  # fmt: skip
    assert settings.url_of("leads") == "http://127.0.0.1:9100"
    assert settings.listen_port("SOD") == 9001
    assert Settings(port=7000).listen_port("SOD") == 7000
    with pytest.raises(Misconfigured, match="no service 'NOPE'"):
        settings.port_of("NOPE")


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"INTERLOCK_MAX_BODY": "big"}, "INTERLOCK_MAX_BODY"),
        ({"INTERLOCK_MAX_DEPTH": "0"}, "INTERLOCK_MAX_DEPTH"),
        ({"INTERLOCK_LOG_LEVEL": "loud"}, "INTERLOCK_LOG_LEVEL"),
        ({"INTERLOCK_PORT_BASE": "70000"}, "INTERLOCK_PORT_BASE"),
        ({"INTERLOCK_SECRET": "short"}, "INTERLOCK_SECRET"),
        ({"INTERLOCK_RATE_PER_AGENCY": "-1"}, "INTERLOCK_RATE_PER_AGENCY"),
        ({"INTERLOCK_TLS_CLIENT_CA": "/ca.pem"}, "INTERLOCK_TLS_CERTIFICATE"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], names: str) -> None:
    with pytest.raises(Misconfigured, match=names):
        Settings.from_env(environ)


def test_secrets_do_not_show() -> None:
    settings = Settings(secret="s" * 40, log_url="kafka://user:hunter2@broker:9092")
    assert "hunter2" not in repr(settings)
    assert "sss" not in repr(settings)


def test_every_setting_is_explained() -> None:
    rows = settings_table()
    assert len(rows) == len(fields(Settings))
    assert all(doc.endswith((".", "limit.")) for _, _, doc in rows)
    assert variable_of("log_url") == "INTERLOCK_LOG"


def test_the_operators_page_lists_every_setting() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    assert [variable for variable, _, _ in settings_table() if f"`{variable}`" not in page] == []
