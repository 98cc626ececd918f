from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import Connection

from shared.database import open_database
from shared.errors import Transient
from shared.sizes import SHARE, SHORTEST, Sizes


def test_counting_that_takes_long_is_done_seldom(tmp_path: Path) -> None:
    now = [0.0]
    gauge = Gauge("size", "", registry=CollectorRegistry())

    def slow(_: Connection) -> Mapping[Gauge, float]:
        now[0] += 3.0
        return {gauge: 7}

    db = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    assert Sizes(db, slow, lambda: now[0]).refresh() == SHARE * 3.0
    assert gauge.collect()[0].samples[0].value == 7
    assert Sizes(db, lambda _: {}, lambda: now[0]).refresh() == SHORTEST
    db.close()


def test_a_database_that_is_away_is_asked_again_later(tmp_path: Path) -> None:
    def away(_: Connection) -> Mapping[Gauge, float]:
        raise Transient("away")

    db = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    assert Sizes(db, away, lambda: 0.0).refresh() == SHORTEST
    db.close()
