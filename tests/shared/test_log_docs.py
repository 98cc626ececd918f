"""Every setting of a log's URL is in the documentation, with the default it has."""

import dataclasses
from pathlib import Path

import pytest

from shared.log_kafka_options import KafkaOptions, names
from shared.log_sqlite import SqliteOptions

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "log.md").read_text()


@pytest.mark.parametrize("setting", names())
def test_each_setting_of_kafka_is_documented(setting: str) -> None:
    assert f"`{setting}`" in PAGE


@pytest.mark.parametrize("options", [SqliteOptions, KafkaOptions])
def test_each_number_is_documented_with_its_default(options: type) -> None:
    for field in dataclasses.fields(options):
        if isinstance(field.default, int | float) and field.default:
            assert f"| `{field.name}` | {field.default:.0f} |" in PAGE
