"""Which open submissions do others meet, and in what class? For the answer and the matcher, many at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction import space
from services.leads.deconfliction.keyring import Key, KeyRing
from services.leads.deconfliction.match import (
    PADDING,
    MatchClass,
    Target,
    Token,
    events_conflict,
    tokens,
)
from services.leads.deconfliction.registry_store import CELL, Holder, Stored, StoredToken
from services.leads.deconfliction.submissions import (
    EventSubmission,
    LeadSubmission,
    Submission,
    TargetSubmission,
)

KINDS: Final[Mapping[str, type[Submission]]] = {
    "EVENT": EventSubmission,
    "LEAD": LeadSubmission,
    "TARGET": TargetSubmission,
}
POSSIBLE_EACH: Final = 50
"""Of the holders of one POSSIBLE token, this many are looked at."""
Fact = tuple[MatchClass, str, str]
"""What two submissions share: the class, kind and value of a token."""


@dataclass(frozen=True, slots=True)
class Asker:
    """A submission whose meetings are sought."""

    number: str
    agency: str
    submitted: Submission


@dataclass(frozen=True, slots=True)
class Meeting:
    """Another submission that this one meets. ``cls`` None: two events, by place and time.

    ``evidence`` says on what: the shared tokens in words and, of events, both windows and points.
    """

    other: Stored
    cls: MatchClass | None
    evidence: frozenset[str]
    facts: frozenset[Fact]

    @property
    def by_event(self) -> bool:
        """Whether two planned operations collide."""
        return self.cls is None

    @property
    def rank(self) -> int:
        """Larger is surer; a collision of events is the surest."""
        return 9 if self.cls is None else int(self.cls)


def opened(ring: KeyRing, stored: Stored) -> Submission:
    """What was submitted."""
    return KINDS[stored.kind].stored(ring.open(stored.agency, stored.sealed))


def hashed(key: Key, token: Token) -> bytes:
    """The hash of a token under one key."""
    return key.digest(f"{int(token.cls)}:{token.kind}", token.value)


def stored_tokens(ring: KeyRing, submitted: Submission) -> list[StoredToken]:
    """Every token of a submission under every live key; an event also in its home cell."""
    found: list[StoredToken] = []
    for key in ring.keys:
        found += [StoredToken(hashed(key, t), key.number, int(t.cls), t.qualified) for t in submitted.tokens]
        if isinstance(submitted, EventSubmission):
            cells = [space.home(submitted.lat, submitted.lon)]
            found += [StoredToken(h, key.number, CELL, False) for h in _cells(key, submitted, cells)]
    return found


def _cells(key: Key, event: EventSubmission, cells: Iterable[space.Cell]) -> list[bytes]:
    """The hashes of these cells at every time bucket of the padded window."""
    numbers = list(space.buckets(event.starts_at - PADDING, event.ends_at + PADDING))
    return [key.digest("cell", f"{band}:{column}:{b}") for band, column in cells for b in numbers]


def probes(ring: KeyRing, submitted: Submission) -> tuple[dict[bytes, Token], list[bytes]]:
    """What to look for under the current key: tokens by hash, and cells around an event."""
    by_hash = {hashed(ring.current, t): t for t in submitted.tokens}
    if not isinstance(submitted, EventSubmission):
        return by_hash, []
    return by_hash, _cells(ring.current, submitted, space.around(submitted.lat, submitted.lon))


def meetings(
    conn: Connection, ring: KeyRing, askers: Sequence[Asker], *, possible: bool
) -> dict[str, list[Meeting]]:
    """Every open submission that each asker meets, surest first, by the asker's number.

    ``possible``: the POSSIBLE class too.
    """
    sought = [(asker, *probes(ring, asker.submitted)) for asker in askers]
    by_token = [(h, t.cls > MatchClass.POSSIBLE) for _, by_hash, _ in sought for h, t in by_hash.items()]
    found = store.holders(
        conn, {h for h, sure in by_token if sure} | {c for _, _, cells in sought for c in cells}
    )
    if possible:
        found += store.holders(conn, {h for h, sure in by_token if not sure}, each=POSSIBLE_EACH + 1)
    held: dict[bytes, list[Holder]] = {}
    for holder in found:
        held.setdefault(holder.hash, []).append(holder)
    common = {a.number: _common(a.number, by_hash, cells, held) for a, by_hash, cells in sought}
    # The askers are read as well, so that one who meets nobody costs the same statements.
    others = store.read(conn, {n for number, shared in common.items() for n in (number, *shared)})
    plans = _Plans(ring)
    return {
        asker.number: sorted(
            (
                m
                for n, hashes in common[asker.number].items()
                if (other := others.get(n)) is not None and other.state == "OPEN"
                and not _no_collision(other, asker)
                and (m := _meeting(plans, asker, other, [by_hash[h] for h in hashes if h in by_hash]))
            ),
            key=lambda m: (-m.rank, m.other.number),
        )
        for asker, by_hash, _ in sought
    }  # fmt: skip


def _common(
    number: str, by_hash: Mapping[bytes, Token], cells: Iterable[bytes], held: Mapping[bytes, list[Holder]]
) -> dict[str, set[bytes]]:
    """What each other holder shares with a submission."""
    shared: dict[str, set[bytes]] = {}
    for h in (*by_hash, *cells):
        for holder in held.get(h, ()):
            both_say_more = holder.cls != CELL and holder.qualified and by_hash[h].qualified
            if holder.number != number and not both_say_more:
                shared.setdefault(holder.number, set()).add(h)
    return shared


class _Plans:
    """The operations of others, each opened once."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._opened: dict[str, EventSubmission] = {}

    def of(self, stored: Stored) -> EventSubmission:
        """What was submitted as an operation."""
        found = self._opened.get(stored.number)
        if found is None:
            submitted = opened(self._ring, stored)
            assert isinstance(submitted, EventSubmission)
            found = self._opened[stored.number] = submitted
        return found


def _no_collision(other: Stored, asker: Asker) -> bool:
    """Two leads are no two operations, nor are a lead and what its own agency does."""
    leads = isinstance(asker.submitted, LeadSubmission) + (other.kind == "LEAD")
    return leads == 2 or (leads == 1 and other.agency == asker.agency)


def _meeting(plans: _Plans, asker: Asker, other: Stored, common: Sequence[Token]) -> Meeting | None:
    submitted = asker.submitted
    evidence = frozenset(f"{t.kind}:{t.value}" for t in common)
    facts = frozenset((t.cls, t.kind, t.value) for t in common)
    if isinstance(submitted, EventSubmission) and other.kind == "EVENT":
        theirs = plans.of(other)
        if not events_conflict(submitted.event(asker.agency), theirs.event(other.agency)):
            return None
        both = {f"{e.starts_at}/{e.ends_at}@{e.lat},{e.lon}" for e in (submitted, theirs)}
        return Meeting(other, None, evidence | both, facts)
    if not common:
        return None
    return Meeting(other, max(t.cls for t in common), evidence, facts)


def own_identifier(submitted: Submission, facts: frozenset[Fact]) -> str | None:
    """The first of a submission's own values that makes one of these facts, as its agency wrote it."""
    target = submitted.target()
    parts = [
        *((f"{i.type} {i.value}", Target(identifiers=(i,))) for i in target.identifiers),
        *((n.full_name, Target(names=(n,))) for n in target.names),
        *((a, Target(addresses=(a,))) for a in target.addresses),
    ]
    for text, part in parts:
        if any((t.cls, t.kind, t.value) in facts for t in tokens(part)):
            return text
    return None


def starts_at(submitted: Submission) -> datetime | None:
    """When an operation starts; None for a target."""
    return submitted.starts_at if isinstance(submitted, EventSubmission) else None


def threatens_life(submitted: Submission) -> bool:
    """Whether the submitter said so."""
    return isinstance(submitted, EventSubmission) and submitted.threat_to_life
