"""How large the picture is: profiles, entities, what was merged, and the largest component."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import Connection, text

PROFILES: Final = Gauge("interlock_profiles", "Live profiles")
ENTITIES: Final = Gauge("interlock_entities", "Entities of the whole picture")
MERGES: Final = Gauge("interlock_merges", "Profiles that share an entity with an earlier one")
LARGEST: Final = Gauge("interlock_largest_component", "Profiles of the largest component")
JOURNAL: Final = Gauge("interlock_journal", "Batches begun and not finished")

_COUNT: Final = """
SELECT (SELECT count(*) FROM assign),
       (SELECT count(*) FROM assign WHERE size > 0),
       (SELECT coalesce(max(size), 0) FROM assign),
       (SELECT count(*) FROM
         (SELECT DISTINCT leader, entity FROM assign
          WHERE leader <> profile AND entity IS NOT NULL) AS apart),
       (SELECT count(*) FROM journal)
"""
"""A component holds its leader's entity, and those that its members name beside it."""


def sizes(conn: Connection) -> Mapping[Gauge, float]:
    """Count."""
    profiles, components, most, apart, journal = conn.execute(text(_COUNT)).one()
    entities = components + apart
    return {
        PROFILES: profiles,
        ENTITIES: entities,
        MERGES: profiles - entities,
        LARGEST: most,
        JOURNAL: journal,
    }
