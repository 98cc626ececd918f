"""Messages that were once written parse for ever: golden files of every contract and version.

A file under ``golden/`` is never changed or removed. A new field is added to the contract with a default,
and a new file here that carries it. ``canonical/`` holds what the feeds make of their examples today: run
with ``INTERLOCK_WRITE_CANONICAL=1`` to accept a deliberate change, and read the difference.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from services.ingest.feeds import FEEDS
from services.ingest.feeds.base import ReportType
from shared.contracts.entities import Mention
from shared.contracts.judgement import Judgement
from shared.contracts.model import Contract
from shared.contracts.report import Report
from shared.contracts.resolution import Resolution

HERE = Path(__file__).parent
CONTRACTS: dict[str, type[Contract]] = {
    "report-1": Report,
    "resolution-1": Resolution,
    "judgement-1": Judgement,
}
FILES = sorted((HERE / "golden").glob("*/*.json"))
CASES = [
    (kind, number)
    for feed in FEEDS.values()
    for kind in feed.types.values()
    for number in range(len(kind.examples))
]  # fmt: skip
RECEIVED = datetime(2026, 6, 1, 12, tzinfo=UTC)


def models_in(value: Any) -> Iterator[BaseModel]:
    """Every model within a value, itself included."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from models_in(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from models_in(item)


each_file = pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
each_contract = pytest.mark.parametrize("name", CONTRACTS)


@each_file
def test_a_golden_message_parses(path: Path) -> None:
    assert CONTRACTS[path.parent.name].from_json(path.read_bytes())


@each_file
def test_a_golden_message_says_the_same_when_written_again(path: Path) -> None:
    model = CONTRACTS[path.parent.name]
    message = model.from_json(path.read_bytes())
    assert model.from_json(message.to_json()) == message
    assert json.loads(message.to_json()) == json.loads(path.read_text())


@each_file
def test_a_message_with_an_unknown_field_is_refused(path: Path) -> None:
    with pytest.raises(ValidationError):
        CONTRACTS[path.parent.name].from_json(json.dumps(json.loads(path.read_text()) | {"new_field": 1}))


@each_contract
def test_every_field_of_a_contract_stands_in_a_golden_message(name: str) -> None:
    model = CONTRACTS[name]
    messages = [model.from_json(p.read_bytes()) for p in FILES if p.parent.name == name]
    reports = [Report.from_json(p.read_bytes()) for p in FILES if p.parent.name == "report-1"]
    said: dict[type[BaseModel], set[str]] = {}
    for found in models_in((*messages, *reports)):
        fields = type(found).model_fields
        told = {n for n, f in fields.items() if f.is_required() or getattr(found, n) != f.default}
        said.setdefault(type(found), set()).update(told)
    for found_type, told in said.items():
        missing = set(found_type.model_fields) - told - ({"details"} if found_type is Report else set())
        assert not missing, f"{found_type.__name__}: {sorted(missing)} in no golden message"


def test_every_kind_of_mention_stands_in_a_golden_message() -> None:
    everything = Report.from_json((HERE / "golden/report-1/everything.json").read_bytes())
    assert {type(m) for m in everything.mentions()} == set(Mention.__subclasses__())


@pytest.mark.parametrize(("kind", "number"), CASES, ids=lambda v: getattr(v, "schema", v))
def test_the_feeds_make_of_their_examples_what_they_made_before(kind: ReportType, number: int) -> None:
    feed = FEEDS[kind.schema.partition(".")[0]]
    made = feed.to_report(feed.parse(json.dumps(kind.examples[number]).encode(), RECEIVED), RECEIVED)
    path = HERE / "canonical" / f"{kind.schema.partition('/')[0]}-{number + 1}.json"
    if os.environ.get("INTERLOCK_WRITE_CANONICAL"):
        path.write_text(json.dumps(json.loads(made.to_json()), indent=1, ensure_ascii=False) + "\n")
    assert json.loads(made.to_json()) == json.loads(path.read_text())
    assert Report.from_json(path.read_bytes()) == made


def test_no_canonical_file_is_left_over() -> None:
    expected = {f"{kind.schema.partition('/')[0]}-{number + 1}.json" for kind, number in CASES}
    assert {p.name for p in (HERE / "canonical").glob("*.json")} == expected
