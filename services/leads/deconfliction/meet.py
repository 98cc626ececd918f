"""Which open submissions does one submission meet, and in what class? For the answer and the matcher."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from services.leads.deconfliction import registry_store as store
from services.leads.deconfliction import space
from services.leads.deconfliction.keyring import Key, KeyRing
from services.leads.deconfliction.match import PADDING, MatchClass, Token, events_conflict, tokens
from services.leads.deconfliction.match import Target as MatchTarget
from services.leads.deconfliction.registry_store import CELL, Stored, StoredToken
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
POSSIBLE_EACH = 50
"""Of the holders of one POSSIBLE token, this many are looked at: the newest."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Another submission that this one meets. ``cls`` None: two events, by place and time.

    ``evidence`` says on what: the shared tokens in words and, of events, both windows and points.
    """

    other: Stored
    cls: MatchClass | None
    evidence: frozenset[str]
    hashes: frozenset[bytes]

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
    text = ring.open(stored.agency, stored.sealed)
    return KINDS[stored.kind].from_json(text)


def hashed(key: Key, token: Token) -> bytes:
    """The hash of a token under one key."""
    return key.digest(f"{int(token.cls)}:{token.kind}", token.value)


def stored_tokens(ring: KeyRing, submitted: Submission) -> list[StoredToken]:
    """Every token of a submission under every live key; an event also in its home cell."""
    found: list[StoredToken] = []
    for key in ring.keys:
        found += [
            StoredToken(hashed(key, t), key.number, int(t.cls), t.qualified) for t in submitted.tokens()
        ]
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
    by_hash = {hashed(ring.current, t): t for t in submitted.tokens()}
    if not isinstance(submitted, EventSubmission):
        return by_hash, []
    return by_hash, _cells(ring.current, submitted, space.around(submitted.lat, submitted.lon))


def meetings(
    conn: Connection, ring: KeyRing, number: str, agency: str, submitted: Submission, *, possible: bool
) -> list[Meeting]:
    """Every open submission that this one meets, surest first; ``possible``: the POSSIBLE class too."""
    by_hash, cells = probes(ring, submitted)
    sure = [h for h, t in by_hash.items() if t.cls > MatchClass.POSSIBLE]
    held = store.holders(conn, [*sure, *cells], number)
    if possible:
        rest = [h for h, t in by_hash.items() if t.cls is MatchClass.POSSIBLE]
        held += store.holders(conn, rest, number, each=POSSIBLE_EACH)
    shared: dict[str, set[bytes]] = {}
    for h in held:
        if h.cls == CELL or not (h.qualified and by_hash[h.hash].qualified):
            shared.setdefault(h.number, set()).add(h.hash)
    others = store.read(conn, shared)
    is_lead = isinstance(submitted, LeadSubmission)
    found = [
        m
        for n, hashes in shared.items()
        if (other := others.get(n)) is not None and other.state == "OPEN"
        and not _no_collision(other, agency, is_lead=is_lead)
        and (m := _meeting(ring, (agency, submitted), other, hashes, by_hash)) is not None
    ]  # fmt: skip
    return sorted(found, key=lambda m: (-m.rank, m.other.number))


def _no_collision(other: Stored, agency: str, *, is_lead: bool) -> bool:
    """Two leads are no two operations, nor are a lead and what its own agency does."""
    leads = is_lead + (other.kind == "LEAD")
    return leads == 2 or (leads == 1 and other.agency == agency)


def _meeting(
    ring: KeyRing,
    own: tuple[str, Submission],
    other: Stored,
    hashes: set[bytes],
    by_hash: dict[bytes, Token],
) -> Meeting | None:
    agency, submitted = own
    common = frozenset(h for h in hashes if h in by_hash)
    evidence = frozenset(f"{by_hash[h].kind}:{by_hash[h].value}" for h in common)
    if isinstance(submitted, EventSubmission) and other.kind == "EVENT":
        theirs = opened(ring, other)
        assert isinstance(theirs, EventSubmission)
        if not events_conflict(submitted.event(agency), theirs.event(other.agency)):
            return None
        plans = {f"{e.starts_at}/{e.ends_at}@{e.lat},{e.lon}" for e in (submitted, theirs)}
        return Meeting(other, None, evidence | plans, common)
    if not common:
        return None
    return Meeting(other, max(by_hash[h].cls for h in common), evidence, common)


def own_identifier(ring: KeyRing, submitted: Submission, hashes: frozenset[bytes]) -> str | None:
    """The first of a submission's own values that has one of these hashes, as its agency wrote it."""
    target = submitted.target()
    parts = [
        *((f"{i.type} {i.value}", MatchTarget(identifiers=(i,))) for i in target.identifiers),
        *((n.full_name, MatchTarget(names=(n,))) for n in target.names),
        *((a, MatchTarget(addresses=(a,))) for a in target.addresses),
    ]
    for text, part in parts:
        if any(hashed(ring.current, t) in hashes for t in tokens(part)):
            return text
    return None


def starts_at(submitted: Submission) -> datetime | None:
    """When an operation starts; None for a target."""
    return submitted.starts_at if isinstance(submitted, EventSubmission) else None


def threatens_life(submitted: Submission) -> bool:
    """Whether the submitter said so."""
    return isinstance(submitted, EventSubmission) and submitted.threat_to_life
