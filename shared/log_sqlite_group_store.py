"""Consumer groups in the SQLite log: members, who of them owns which slot, and how far the group is.

A member renews its life every second or so; whoever notices that another's has run out shares its slots
anew. A slot that a living member owns is not taken away but promised to its successor: the owner hands it
over once everything it polled there is committed. Every change of owner counts the slot's epoch up, and a
commit names the epoch it polled under: one from a former owner is refused.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import Misconfigured, Transient

PATIENCE: Final = 10
"""Lives that an owner is given to hand a promised slot over, before it is taken."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a group and what it wants to read; ``life_ms``: for how long it counts as alive."""

    id: str
    group: str
    topics: tuple[str, ...]
    life_ms: int


@dataclass(frozen=True, slots=True)
class Lease:
    """A slot that a member owns; ``leaving``: it is promised to another."""

    slot: int
    topic: str
    partition: int
    epoch: int
    committed: int
    leaving: bool


def share(wants: Mapping[str, frozenset[int]], owners: Mapping[int, str]) -> dict[int, str]:
    """Who should own which slot: as even as the wishes allow, and moving as little as that takes."""
    target: dict[int, str] = {}
    load = dict.fromkeys(sorted(wants), 0)
    slots = sorted(frozenset().union(*wants.values()))
    for slot in slots:
        owner = owners.get(slot)
        if owner in load and slot in wants[owner]:
            target[slot] = owner
            load[owner] += 1
    for slot in slots:
        if slot not in target:
            target[slot] = min((m for m in load if slot in wants[m]), key=lambda m: (load[m], m))
            load[target[slot]] += 1
    while move := _uneven(wants, target, load):
        slot, member = move
        load[target[slot]] -= 1
        load[member] += 1
        target[slot] = member
    return target


def _uneven(
    wants: Mapping[str, frozenset[int]], target: Mapping[int, str], load: Mapping[str, int]
) -> tuple[int, str] | None:
    """A slot and the member that should rather have it; None once shares are even."""
    for member in sorted(load, key=lambda m: (load[m], m)):
        for slot in sorted(wants[member], reverse=True):
            if load[target[slot]] > load[member] + 1:
                return slot, member
    return None


def beat(connection: sqlite3.Connection, member: Member, now_ms: int) -> None:
    """Stay (or become) a member, and share the group's slots anew if anything changed."""
    connection.execute(
        "INSERT INTO member VALUES (?, ?, ?, ?)"
        " ON CONFLICT(id) DO UPDATE SET expires_ms = excluded.expires_ms",
        (member.id, member.group, json.dumps(member.topics), now_ms + member.life_ms),
    )
    rebalance(connection, member.group, now_ms, member.life_ms)


def leave(connection: sqlite3.Connection, member: Member, now_ms: int) -> None:
    """Stop being a member; the others take over at once."""
    connection.execute("DELETE FROM member WHERE id = ?", (member.id,))
    rebalance(connection, member.group, now_ms, member.life_ms)


def rebalance(connection: sqlite3.Connection, group: str, now_ms: int, life_ms: int) -> None:
    """Drop the members whose life ran out, and bring the leases to what ``share`` says."""
    # A life that ends later than one can last was counted by a clock that has been set back since.
    connection.execute(
        "DELETE FROM member WHERE grp = ? AND (expires_ms < ? OR expires_ms > ?)",
        (group, now_ms, now_ms + 10 * life_ms),
    )
    by_topic: dict[str, set[int]] = {}
    for slot, topic in connection.execute("SELECT id, topic FROM slot"):
        by_topic.setdefault(topic, set()).add(slot)
    wants = {
        member: frozenset[int]().union(*(by_topic.get(topic, ()) for topic in json.loads(topics)))
        for member, topics in connection.execute("SELECT id, topics FROM member WHERE grp = ?", (group,))
    }
    leases = {
        slot: (owner, successor, since)
        for slot, owner, successor, since in connection.execute(
            "SELECT slot, member, successor, since_ms FROM lease WHERE grp = ?", (group,)
        )
    }
    heirs = {
        slot: successor if successor in wants else owner for slot, (owner, successor, _) in leases.items()
    }
    target = share(wants, heirs)
    for slot in sorted(leases.keys() | target.keys()):
        owner, successor, since = leases.get(slot, (None, None, 0))
        heir = target.get(slot)
        held = owner in wants and slot in wants[owner]
        overdue = successor is not None and now_ms - since > PATIENCE * life_ms
        if held and heir != owner and not overdue:
            if successor != heir:
                _promise(connection, (group, slot), heir, now_ms)
        elif heir != owner:
            _give(connection, (group, slot), heir)
        elif successor is not None:
            _promise(connection, (group, slot), None, now_ms)


def _give(connection: sqlite3.Connection, lease: tuple[str, int], member: str | None) -> None:
    connection.execute(
        "INSERT INTO lease(grp, slot, member, epoch) VALUES (?, ?, ?, 1) ON CONFLICT(grp, slot)"
        " DO UPDATE SET member = excluded.member, epoch = epoch + 1, successor = NULL",
        (*lease, member),
    )


def _promise(connection: sqlite3.Connection, lease: tuple[str, int], member: str | None, now_ms: int) -> None:
    connection.execute(
        "UPDATE lease SET successor = ?, since_ms = ? WHERE grp = ? AND slot = ?", (member, now_ms, *lease)
    )


def leases_of(connection: sqlite3.Connection, member: Member) -> list[Lease]:
    """What the member owns now, in order of slot."""
    rows = connection.execute(
        "SELECT l.slot, s.topic, s.partition, l.epoch, COALESCE(p.next, 0), l.successor IS NOT NULL"
        " FROM lease l JOIN slot s ON s.id = l.slot LEFT JOIN progress p ON p.grp = l.grp AND p.slot = l.slot"
        " WHERE l.grp = ? AND l.member = ? ORDER BY l.slot",
        (member.group, member.id),
    )
    return [
        Lease(slot, topic, partition, epoch, done, leaving=bool(leaving))
        for slot, topic, partition, epoch, done, leaving in rows
    ]


def commit(
    connection: sqlite3.Connection, member: Member, done: Sequence[tuple[int, int, int]], now_ms: int
) -> None:
    """Remember for each (slot, epoch, next offset) that all before it is done.

    Raises ``Transient``, and remembers nothing, where one of the slots has another owner by now.
    """
    for slot, epoch, following in done:
        row = connection.execute(
            "SELECT member, epoch FROM lease WHERE grp = ? AND slot = ?", (member.group, slot)
        ).fetchone()
        if row != (member.id, epoch):
            raise Transient(
                f"group {member.group} was shared anew: another member has what this one polled",
                retry_after=0.0,
            )
        connection.execute(
            "INSERT INTO progress VALUES (?, ?, ?)"
            " ON CONFLICT(grp, slot) DO UPDATE SET next = max(next, excluded.next)",
            (member.group, slot, following),
        )
    connection.execute("UPDATE member SET expires_ms = ? WHERE id = ?", (now_ms + member.life_ms, member.id))


def hand_over(connection: sqlite3.Connection, member: Member, slots: Iterable[int]) -> None:
    """Give up those of the slots that are promised to another."""
    for slot in slots:
        connection.execute(
            "UPDATE lease SET member = successor, epoch = epoch + 1, successor = NULL"
            " WHERE grp = ? AND slot = ? AND member = ? AND successor IS NOT NULL",
            (member.group, slot, member.id),
        )


def forget(connection: sqlite3.Connection, group: str, now_ms: int) -> None:
    """Forget how far a group is; raises ``Misconfigured`` where it has a living member."""
    alive = connection.execute(
        "SELECT count(*) FROM member WHERE grp = ? AND expires_ms >= ?", (group, now_ms)
    ).fetchone()
    if alive[0]:
        raise Misconfigured(f"group {group} has {alive[0]} members: stop them first")
    connection.execute("DELETE FROM progress WHERE grp = ?", (group,))
