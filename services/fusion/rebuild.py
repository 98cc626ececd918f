"""Make the picture again: under a new model (``rebuild``), or only its messages (``republish``).

The picture is a function of the evidence, and ``reports.v1`` and ``judgements.v1`` keep all of it. A
rebuild empties the resolver's tables and lets the workers read the topics from the start. A republication
keeps the tables and sends every report and every component again, for a reader that has lost its own.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Connection

from services.fusion import component_store, progress_store, store, tables
from services.fusion.components import recompute
from services.fusion.fuse import Fuser
from services.fusion.intake import Arrival, Standing, arrive
from services.fusion.publish import component_messages, component_states, possible_messages, report_message
from services.fusion.values import Place
from shared.contracts.topics import FUSION_GROUP, REPORTS, RESOLUTIONS
from shared.database import Busy, Database, publish
from shared.errors import Misconfigured, Poison
from shared.log import Log, NewRecord, Position, Record

MODEL: Final = "model"
REPUBLICATION: Final = "republication"
_CHUNK: Final = 500


def check_model(db: Database, version: str) -> None:
    """Remember under which model the picture is made; raises ``Misconfigured`` where it was another."""
    with db.transaction() as conn:
        before = progress_store.get(conn, MODEL)
        if before is None:
            progress_store.put(conn, MODEL, version.encode())
    if before is not None and before.decode() != version:
        raise Misconfigured(
            f"INTERLOCK_MODEL: the picture was made under model {before.decode()}, this is {version}; "
            "stop every fusion worker and run `python -m services.fusion --rebuild`"
        )


def rebuild(db: Database, log: Log) -> None:
    """Forget the picture, for workers to make it anew; raises ``Misconfigured`` while any of them runs."""
    log.forget(FUSION_GROUP)
    with db.transaction() as conn:
        progress_store.empty(conn)


def republish(fuser: Fuser, log: Log, tell: Callable[[int], None] = lambda _: None) -> int:
    """Send the whole current picture again, full; the number of messages.

    Takes up where an earlier run was interrupted. Workers may go on meanwhile: what they change is newer.
    ``tell`` is given the number of messages so far, now and then.
    """
    sent = 0
    with fuser.db.snapshot() as conn:
        raw = progress_store.get(conn, REPUBLICATION)
    state: dict[str, Any] = orjson.loads(raw) if raw else {"reports": {}, "after": None}
    for step in (_reports, _components):
        for messages in step(fuser, log, state):
            sent += messages
            fuser.relay(log)
            tell(sent)
    with fuser.db.transaction() as conn:
        progress_store.put(conn, REPUBLICATION, None)
    fuser.leave()
    return sent


def _reports(fuser: Fuser, log: Log, state: dict[str, Any]) -> Iterator[int]:
    """Publish the reports of the topic, chunk by chunk."""
    for partition, end in sorted(log.ends(REPORTS.name).items()):
        at = int(state["reports"].get(str(partition), 0))
        while at < end:
            records = log.read(Position(REPORTS.name, partition, at), _CHUNK)
            if not records:
                break
            at = records[-1].position.offset + 1
            state["reports"][str(partition)] = at
            arrivals = list(_arrivals(fuser, records))
            with fuser.db.transaction() as conn:
                messages = _report_messages(conn, fuser, arrivals)
                _publish(conn, fuser, messages, state)
            yield len(messages)


def _arrivals(fuser: Fuser, records: Sequence[Record]) -> Iterator[Arrival]:
    for record in records:
        try:
            yield arrive(record, fuser.resolver)
        except Poison:  # its dead letter was written when it was fused
            continue


def _report_messages(conn: Connection, fuser: Fuser, arrivals: Sequence[Arrival]) -> list[NewRecord]:
    """A message for every arrival that is what stands; the lock keeps it so until the version is drawn."""
    standing = store.lock_reports(conn, {a.report_id for a in arrivals})
    version = store.next_version(conn)
    current = {a.report_id: a for a in arrivals if _stands(a, standing.get(a.report_id))}
    return [
        report_message(a, standing[a.report_id].version, (), fuser.stamp.of(str(UUID(a.report_id)), version))
        for a in current.values()
    ]


def _stands(arrival: Arrival, standing: Standing | None) -> bool:
    if standing is None:
        return False
    return standing.digest == arrival.digest and arrival.version in (None, standing.version)


def _components(fuser: Fuser, _log: Log, state: dict[str, Any]) -> Iterator[int]:
    """Publish every component with the version that it has, chunk by chunk."""
    attempt = 0
    while True:
        try:
            with fuser.db.transaction() as conn:
                heads = list(progress_store.next_leaders(conn, state["after"], _CHUNK))
                if not heads:
                    return
                leaders = [h.profile for h in heads]
                fuser.lock(conn, leaders)
                now = component_store.places(conn, leaders).values()
                messages = list(_component_messages(conn, fuser, [h for h in now if h.size]))
                state["after"] = leaders[-1]
                _publish(conn, fuser, messages, state)
        except Busy:
            attempt += 1
            fuser.back_off(attempt)
        else:
            attempt = 0
            yield len(messages)


def _component_messages(conn: Connection, fuser: Fuser, heads: Sequence[Place]) -> Iterator[NewRecord]:
    others = component_store.members(conn, {h.profile for h in heads if h.size > 1})
    held = store.load_profiles(conn, fuser.cache, {h.profile for h in heads}.union(p.profile for p in others))
    judged = component_store.judgements(conn, held)
    sizes = {h.profile: h.size for h in heads}
    version_of = {h.profile: h.version for h in heads}
    found = recompute(sizes, held, fuser.all_pairs(conn, held), judged, fuser.threshold)
    states = [
        part
        for c in found
        for part in component_states(c, version_of.get(c.leader, 0), fuser.threshold)
        if c.leader in version_of
    ]
    if heads:
        body = fuser.stamp.of(str(UUID(heads[0].profile)), store.next_version(conn))
        yield from component_messages(body, {}, states)
        yield from possible_messages(body, {}, fuser.possible(conn, held), sorted(held))


def _publish(conn: Connection, fuser: Fuser, messages: Sequence[NewRecord], state: dict[str, Any]) -> None:
    publish(conn, tables.outbox, RESOLUTIONS.name, messages, owner=fuser.owner)
    progress_store.put(conn, REPUBLICATION, orjson.dumps(state))
