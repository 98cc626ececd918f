"""T1's statements: reports, profiles and their counts, postings, judgements, versions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from services.fusion import tables
from services.fusion.cache import Profiles
from services.fusion.core.profile import Profile
from services.fusion.intake import Decision, Moment, Standing
from services.fusion.values import Held, pack_ids, pack_keys, unpack_ids, unpack_keys
from shared.contracts.entities import Kind
from shared.database import Database, accumulate, delete_values, fetch, insert_missing, insert_new, upsert

_POSTING = ("key", "audience", "profile")
_STANDING = ("version", "digest", "live", "position", "at_ms", "profiles")


def next_version(conn: Connection) -> int:
    """Draw the next number of the resolver's sequence; never the same twice, even after a rollback."""
    if conn.dialect.name == "postgresql":
        return int(conn.execute(text("SELECT nextval('fusion_version')")).scalar_one())
    conn.execute(text("INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter)"))
    return int(conn.execute(text("UPDATE counter SET n = n + 1 RETURNING n")).scalar_one())


def last_version(db: Database) -> int:
    """The number drawn last by anybody, 0 for none; in a transaction of its own."""
    with db.snapshot() as conn:
        if not db.is_sqlite:
            drawn = conn.execute(
                text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM fusion_version")
            )
            return int(drawn.scalar_one())
        return int(conn.execute(text("SELECT coalesce(max(n), 0) FROM counter")).scalar_one())


def insert_reports(conn: Connection, standings: Mapping[str, Standing]) -> set[str]:
    """Insert the reports that are not known yet; the ids of those inserted."""
    return insert_new(conn, tables.report, [_report_row(i, s) for i, s in standings.items()], key="id")


def lock_reports(conn: Connection, ids: Iterable[str]) -> dict[str, Standing]:
    """What is stored of these reports, locked until the end of the transaction."""
    rows = fetch(conn, tables.report, ["id", *_STANDING], "id", ids, lock=True)
    return {
        r[0]: Standing(r[1], bytes(r[2]), bool(r[3]), Moment(r[4], r[5]), tuple(unpack_ids(bytes(r[6]))))
        for r in rows
    }


def update_reports(conn: Connection, standings: Mapping[str, Standing]) -> None:
    """Replace what is stored of known reports."""
    upsert(conn, tables.report, [_report_row(i, s) for i, s in standings.items()])


def _report_row(report_id: str, standing: Standing) -> dict[str, Any]:
    return {
        "id": report_id,
        "version": standing.version,
        "digest": standing.digest,
        "live": standing.live,
        "position": standing.moment.position,
        "at_ms": standing.moment.at_ms,
        "profiles": pack_ids(standing.profiles),
    }


def known_profiles(conn: Connection, ids: Iterable[str]) -> set[str]:
    """Which of these profiles are stored, live or dead."""
    return {r[0] for r in fetch(conn, tables.profile, ("id",), "id", ids)}


def count_profiles(
    conn: Connection,
    cache: Profiles,
    changes: Mapping[str, int],
    profiles: Mapping[str, Profile],
    known: Collection[str],
) -> dict[str, tuple[int, int]]:
    """Add to the profiles' counts, making rows for the new ones; counts before and after, by id.

    Most profiles are ``known`` already: their content is neither worked out nor sent. That may be out of
    date either way.
    """
    held = cache.hold(p for i, p in profiles.items() if i not in known)
    rows = [_profile_row(i, n, held.get(i)) for i, n in changes.items()]
    counts = accumulate(conn, tables.profile, rows, key="id", column="count")
    back = [i for i, (before, after) in counts.items() if before <= 0 < after and i in known]
    if back:  # dead, or reaped since ``known`` was read: then the row that was made is empty
        rows = [_profile_row(i, counts[i][1], h) for i, h in cache.hold(profiles[i] for i in back).items()]
        upsert(conn, tables.profile, rows)
    return counts


def _profile_row(profile_id: str, count: int, held: Held | None) -> dict[str, Any]:
    """A profile's row; without its content where only the count of a stored one changes."""
    profile = None if held is None else held.profile
    return {
        "id": profile_id,
        "count": count,
        "kind": profile.kind.value if profile else "",
        "audience": profile.audience if profile else "",
        "label": profile.label if profile else "",
        "content": profile.content if profile else b"",
        "keys": pack_keys(held.keys) if held else b"",
    }


def load_profiles(conn: Connection, cache: Profiles, ids: Iterable[str]) -> dict[str, Held]:
    """These profiles, from the cache or the table; a profile that is not stored is missing."""
    found: dict[str, Held] = {}
    missing = []
    for profile_id in ids:
        held = cache.get(profile_id)
        if held is None:
            missing.append(profile_id)
        else:
            found[profile_id] = held
    columns = ["id", "kind", "audience", "label", "content", "keys"]
    for i, kind, audience, label, content, keys in fetch(conn, tables.profile, columns, "id", missing):
        found[i] = cache.restore(i, Kind(kind), audience, label, bytes(content), unpack_keys(bytes(keys)))
    return found


def add_postings(conn: Connection, held: Collection[Held]) -> None:
    """Make profiles findable by their keys."""
    insert_missing(conn, tables.posting, _POSTING, _postings(held))


def drop_postings(conn: Connection, held: Collection[Held]) -> None:
    """The opposite of ``add_postings``."""
    delete_values(conn, tables.posting, _POSTING, _postings(held))


def _postings(held: Collection[Held]) -> list[tuple[int, str, str]]:
    return [(key, h.profile.audience, h.profile.id) for h in held for key in h.keys]


def add_singles(conn: Connection, ids: Collection[str], version: int) -> set[str]:
    """Give every profile that has no component one of its own; the ids of those that had none."""
    rows = [
        {"profile": i, "leader": i, "entity": i, "size": 1, "split": False, "version": version} for i in ids
    ]
    return insert_new(conn, tables.assign, rows, key="profile")


def put_judgements(conn: Connection, decisions: Sequence[Decision]) -> set[str]:
    """Store decisions unless a later one on the same judgement is stored; the profiles concerned."""
    columns = ["id", "position", "at_ms", "a", "b"]
    before = {
        r[0]: (Moment(r[1], r[2]), r[3], r[4])
        for r in fetch(conn, tables.judgement, columns, "id", {d.judgement_id for d in decisions}, lock=True)
    }
    touched: set[str | None] = set()
    newest: dict[str, Decision] = {}
    for d in decisions:
        known = before.get(d.judgement_id)
        if known is None or known[0].precedes(d.moment):
            touched.update((d.a, d.b, *(known or ())[1:]))
            before[d.judgement_id] = (d.moment, d.a, d.b)
            newest[d.judgement_id] = d
    upsert(conn, tables.judgement, [_judgement_row(d) for d in newest.values()])
    return {p for p in touched if p is not None}


def _judgement_row(decision: Decision) -> dict[str, Any]:
    return {
        "id": decision.judgement_id,
        "position": decision.moment.position,
        "at_ms": decision.moment.at_ms,
        "a": decision.a,
        "b": decision.b,
        "same": decision.same,
    }


__all__ = [
    "Profile", "add_postings", "add_singles", "count_profiles", "drop_postings", "insert_reports",
    "known_profiles", "last_version", "load_profiles", "lock_reports", "next_version", "put_judgements",
    "update_reports",
]  # fmt: skip
