"""The statements of delivery: each agency's channels, and what is on its way through them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection, bindparam, delete, exists, select, update

from services.leads.deconfliction.tables import channel, delivery, notice
from shared.database import upsert

NAMESPACE: Final = UUID("9c2f6d0c-6b9e-5b87-8a35-0f0f8a1b6c21")


_IS_DUE: Final = select(exists().where(delivery.c.next_ms <= bindparam("now")))


def add(conn: Connection, notices: Sequence[Mapping[str, Any]]) -> None:
    """Send these notices through every channel of the agencies that receive them."""
    agencies = sorted({n["agency"] for n in notices})
    channels = conn.execute(select(channel).where(channel.c.agency.in_(agencies))).all()
    rows = [
        {
            "delivery_id": str(uuid5(NAMESPACE, f"{n['notice_id']}\n{c.channel_id}")),
            "notice_id": n["notice_id"], "agency": c.agency, "channel": c.channel, "address": c.sealed,
            "attempts": 0, "next_ms": n["created_ms"],
        }
        for n in notices for c in channels if c.agency == n["agency"]
    ]  # fmt: skip
    upsert(conn, delivery, rows, update=())


def due(conn: Connection, now_ms: int, limit: int) -> list[Any]:
    """Deliveries to be tried now, with their notices; put off for a minute, so nobody else tries them."""
    statement = select(delivery, notice.c.sealed).join(notice, notice.c.notice_id == delivery.c.notice_id)
    statement = statement.where(delivery.c.next_ms <= now_ms).order_by(delivery.c.next_ms).limit(limit)
    rows = list(conn.execute(statement.with_for_update(of=delivery, skip_locked=True)))
    held = [r.delivery_id for r in rows]
    conn.execute(update(delivery).where(delivery.c.delivery_id.in_(held)).values(next_ms=now_ms + 60_000))
    return rows


def is_due(conn: Connection, now_ms: int) -> bool:
    """Whether a delivery is to be tried now."""
    return bool(conn.execute(_IS_DUE, {"now": now_ms}).scalar())


def settle(conn: Connection, delivery_id: str, values: Mapping[str, Any]) -> None:
    """Store what became of an attempt."""
    conn.execute(update(delivery).where(delivery.c.delivery_id == delivery_id).values(dict(values)))


def channels(conn: Connection, agency: str) -> list[Any]:
    """An agency's channels."""
    return list(
        conn.execute(select(channel).where(channel.c.agency == agency).order_by(channel.c.channel_id))
    )


def put_channel(conn: Connection, row: Mapping[str, Any]) -> None:
    """Enter a channel."""
    upsert(conn, channel, [row])


def drop_channel(conn: Connection, agency: str, channel_id: str) -> bool:
    """Remove a channel; whether there was one."""
    gone = conn.execute(delete(channel).where(channel.c.agency == agency, channel.c.channel_id == channel_id))
    return gone.rowcount > 0
