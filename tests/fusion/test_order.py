"""Simulated reports through the real core: order and batches change nothing, and the reference agrees."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import orjson
import pytest
from sqlalchemy import select

from services.fusion import tables
from services.fusion.core.model import load
from services.fusion.core.reference import resolve_all
from services.fusion.fuse import Fuser
from services.fusion.resolver import CoreResolver
from services.ingest.feeds import FEEDS
from services.simulator.generate import generate
from shared.contracts.handling import audience_of
from shared.contracts.report import Report
from shared.contracts.topics import REPORTS
from shared.database import migrate, open_database
from shared.log import Position, Record
from tests.fusion.conftest import MIGRATIONS

REPORTS_MADE = 500


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    """Every version of simulated reports, updates and retractions among them."""
    now = datetime(2026, 6, 1, tzinfo=UTC)
    made = generate(REPORTS_MADE, 11)
    return [FEEDS[s.feed].to_report(FEEDS[s.feed].parse(orjson.dumps(s.payload)), now) for s in made]


@pytest.fixture(scope="module")
def expected(reports: list[Report]) -> dict[str, str]:
    """What the reference makes of the versions that stand."""
    resolver = CoreResolver(load())
    newest: dict[str, Report] = {}
    for made in reports:
        known = newest.get(made.report_id)
        if known is None or known.version < made.version:
            newest[made.report_id] = made
    live = [r for r in newest.values() if r.action != "RETRACT"]
    mentions = [m for r in live for m in resolver.normalise(r, audience_of(r)).mentions]
    return resolve_all([m.profile for m in mentions if m.profile], (), load()).entity


@pytest.mark.parametrize(("batch", "seed"), [(1, None), (37, 1), (5_000, 2), (200, 3)])
def test_order_and_batches_change_nothing(
    reports: list[Report], expected: dict[str, str], tmp_path: Path, batch: int, seed: int | None
) -> None:
    records = [
        Record(Position(REPORTS.name, 0, n), r.report_id, r.to_json(), {}, n) for n, r in enumerate(reports)
    ]
    if seed is not None:
        Random(seed).shuffle(records)
    db = open_database(f"sqlite:///{tmp_path / 'fusion.db'}")
    migrate(db, MIGRATIONS)
    fuser = Fuser(db, CoreResolver(load()), "me", lambda _: None)
    for at in range(0, len(records), batch):
        assert fuser.handle(records[at : at + batch]) == []
    with db.snapshot() as conn:
        rows = {r.profile: r for r in conn.execute(select(tables.assign))}
    db.close()
    assert {p: r.entity or rows[r.leader].entity for p, r in rows.items()} == expected
    assert len(set(expected.values())) < len(expected)
