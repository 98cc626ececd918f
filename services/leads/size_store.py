"""How many leads there are and how much waits to be evaluated, for the metrics."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import Connection, distinct, func, select

from services.leads.due_store import backlog
from services.leads.lead_tables import lead

LEADS: Final = Gauge("interlock_leads", "Leads, whoever may see them")
DUE: Final = Gauge("interlock_due", "Components that wait to be evaluated")


def sizes(conn: Connection) -> Mapping[Gauge, float]:
    """The gauges of the leads service with their values now."""
    leads = conn.execute(select(func.count(distinct(lead.c.lead_id)))).scalar_one()
    return {LEADS: leads, DUE: backlog(conn)}
