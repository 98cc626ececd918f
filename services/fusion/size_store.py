"""How many entities there are, for the metrics."""

from collections.abc import Mapping

from prometheus_client import Gauge
from sqlalchemy import Connection, distinct, func, select

from services.fusion.tables import assign
from shared.telemetry import ENTITIES, MERGES


def sizes(conn: Connection) -> Mapping[Gauge, float]:
    """The gauges of fusion with their values now."""
    entity = func.coalesce(assign.c.entity, assign.c.leader)
    profiles, entities = conn.execute(
        select(func.count(), func.count(distinct(entity))).select_from(assign)
    ).one()
    return {ENTITIES: entities, MERGES: profiles - entities}
