"""Whatever bytes arrive, the answer is a record or a problem: nothing else ever leaves the intake."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import example as given_example
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.feeds import FEEDS
from services.ingest.intake import Admitted, Intake
from services.ingest.receipts import Sealer
from shared.contracts.report import Report
from shared.log import Log, open_log
from shared.problems import Problem
from shared.settings import Settings
from tests.ingest.harness import AGENCY, example

NOW = datetime(2026, 3, 5, tzinfo=UTC)
SCHEMAS = [schema for feed in FEEDS.values() for schema in feed.types]


@cache
def intake(feed: str) -> Intake:
    home = Path(mkdtemp(prefix="interlock-fuzz-"))
    log: Log = open_log(f"sqlite:///{home}/log.db")
    log.close()
    return Intake(FEEDS[feed], log, Sealer(b"k" * 32), Settings(home=home))


def outcome(feed: str, raw: bytes) -> Admitted | Problem:
    try:
        return intake(feed).admit(raw, AGENCY, NOW, {})
    except Problem as problem:
        return problem


def hold(found: Admitted | Problem) -> None:
    if isinstance(found, Admitted):
        assert found.record.value is not None
        assert Report.from_json(found.record.value).report_id == found.report_id
    else:
        assert 400 <= found.status_code < 500
        assert json.dumps(found.document("/v1/reports"))


@given(st.sampled_from(["SOD", "OFC", "EPIC", "BCSC"]), st.binary(max_size=200))
def test_any_bytes(feed: str, raw: bytes) -> None:
    hold(outcome(feed, raw))


@given(st.sampled_from(SCHEMAS), st.data())
def test_any_damage_to_a_report(schema: str, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(example(schema)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        length = data.draw(st.integers(0, 12))
        raw[at : at + length] = data.draw(st.binary(max_size=12))
    hold(outcome(schema.partition(".")[0], bytes(raw)))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(SCHEMAS), st.data(), values)
@given_example(SCHEMAS[0], None, 1e308)
def test_any_value_in_any_field(schema: str, data: st.DataObject | None, value: Any) -> None:
    payload = example(schema)
    path = data.draw(st.sampled_from(paths(payload))) if data else ("version",)
    raw = json.dumps(replaced(payload, path, value)).encode("utf-8", "surrogatepass")
    hold(outcome(schema.partition(".")[0], raw))


Path_ = tuple[str | int, ...]


def paths(part: Any, base: Path_ = ()) -> list[Path_]:
    """Every place in a payload."""
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [p for key, inner in items for p in [(*base, key), *paths(inner, (*base, key))]]


def replaced(part: Any, path: Path_, value: Any) -> Any:
    """A copy of ``part`` with another value at ``path``."""
    if not path:
        return value
    copy = dict(part) if isinstance(part, Mapping) else list(part)
    copy[path[0]] = replaced(part[path[0]], path[1:], value)
    return copy
