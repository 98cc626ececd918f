"""The statements of ``train``: the open profiles of a sample of components, and no others."""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, func, inspect, select

from services.fusion import tables
from services.fusion.core.profile import Profile, profile_from_content
from shared.contracts.entities import Kind
from shared.contracts.handling import OPEN
from shared.database import fetch

_CHUNK: Final = 20_000
_COLUMNS: Final = ("id", "kind", "audience", "label", "content", "count")


def is_there(conn: Connection) -> bool:
    """Whether this is a resolver's database."""
    return inspect(conn).has_table(tables.profile.name)


def count_open(conn: Connection, kinds: Sequence[Kind]) -> int:
    """How many live profiles everybody may see."""
    p = tables.profile
    wanted = p.c.kind.in_([k.value for k in kinds]), p.c.audience == OPEN.key(), p.c.count > 0
    return int(conn.execute(select(func.count()).select_from(p).where(*wanted)).scalar_one())


def places(conn: Connection) -> Iterator[tuple[str, str]]:
    """Every profile with the component that it is in, in order of id."""
    a = tables.assign
    query = select(a.c.profile, a.c.leader).order_by(a.c.profile).limit(_CHUNK)
    after = ""
    while True:
        found = conn.execute(query.where(a.c.profile > after) if after else query).all()
        if not found:
            return
        yield from ((profile, leader) for profile, leader in found)
        after = found[-1][0]


def open_profiles(conn: Connection, ids: Sequence[str], kinds: Sequence[Kind]) -> Iterator[Profile]:
    """Those of these profiles that are of such a kind, live, and for everybody's eyes."""
    wanted = {k.value for k in kinds}
    for i, kind, audience, label, content, count in fetch(conn, tables.profile, _COLUMNS, "id", ids):
        if kind in wanted and audience == OPEN.key() and count > 0:
            yield profile_from_content(i, Kind(kind), audience, label, bytes(content))
