"""How many entities there are, for the metrics."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import Connection, distinct, func, select

from services.fusion.tables import assign

ENTITIES: Final = Gauge("interlock_entities", "Entities of the whole picture")
MERGES: Final = Gauge("interlock_merges", "Profiles found to be another's entity: profiles minus entities")


def sizes(conn: Connection) -> Mapping[Gauge, float]:
    """The gauges of fusion with their values now."""
    entity = func.coalesce(assign.c.entity, assign.c.leader)
    profiles, entities = conn.execute(
        select(func.count(), func.count(distinct(entity))).select_from(assign)
    ).one()
    return {ENTITIES: entities, MERGES: profiles - entities}
