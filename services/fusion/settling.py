"""T3: lock the touched components, look again, decide what becomes of them, store and announce it.

The order: read where everybody stands; lock the leaders, or give up at once and try again; read again and
start over if somebody moved; draw the version; read the marks; then the fast or the full path; write.

Possible pairs join no components, so they are told of by themselves: a pair's two components are locked when
it is told, and of a profile of which told pairs may have ceased to count (a key of it crossed its cap, it
came back from the dead, or a worker died over it) all are told anew, as they are found under its lock.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from services.fusion import component_store, components, journal_store, pair_store, store
from services.fusion.cache import Profiles
from services.fusion.components import Group
from services.fusion.pair_store import Holders
from services.fusion.pairing import candidates
from services.fusion.values import (
    Component,
    Held,
    Key,
    Place,
    Reading,
    Scored,
    Settled,
    Spot,
    Work,
)
from shared.database import Busy, Database


class Moved(Busy):
    """A profile changed its component between reading and locking."""


class Settling:
    """Stores what a reading changes; ``pause`` names each step, for tests that interleave workers."""

    def __init__(self, db: Database, cache: Profiles) -> None:
        self.db = db
        self.cache = cache
        self.threshold = cache.resolver.threshold

    def pause(self, step: str) -> None:
        """Called between steps; does nothing."""

    def back_off(self, attempt: int) -> None:
        """Called before each new attempt; does nothing."""

    def announce(self, conn: Connection, work: Work, settled: Settled) -> None:
        """Called in the transaction that changes something."""

    def settle(self, work: Work, reading: Reading) -> Settled:
        """T3, tried until nobody is in the way."""
        attempt = 0
        while True:
            try:
                self.pause("t3.begin")
                with self.db.transaction() as conn:
                    settled = self.settle_once(conn, work, reading)
                    self.pause("t3.written")
            except Busy:
                attempt += 1
                self.back_off(attempt)
            else:
                self.pause("t3.committed")
                return settled

    def settle_once(self, conn: Connection, work: Work, reading: Reading) -> Settled:
        """The whole of T3 in one transaction; raises ``Busy`` where somebody is in the way."""
        dirty = work.seeds - work.fresh.keys()
        near = ((s.a, s.b) for s in reading.pairs if not s.comparison.contradicted)
        places = self.locked_places(conn, dirty.union(*near, *reading.judged), reading.pairs)
        version = store.next_version(conn)
        supported = [s for s in self.supported(conn, reading.pairs) if s.a in places and s.b in places]
        deciding = [s for s in supported if components.decides(s, self.threshold)]
        present = [i for i in dirty if i in places]
        found = components.groups(places, present, deciding, reading.judged, self.threshold)
        changed: list[Component] = []
        whole: list[Group] = []
        dirty_leaders = {places[i].leader for i in present}
        held = self.attachable(conn, work, places, found)
        for group in found:
            grown = None
            if dirty_leaders.isdisjoint(group.leaders):
                new = {p for p in group.leaders if self.is_single(work, places[p])}
                grown = components.attach(group, places, new, held, self.seen(reading), self.threshold)
            if grown is None:
                whole.append(group)
            else:
                changed.append(grown)
        old = dict(places)
        gone = self.recompute(conn, work, whole, old, changed)
        again = sorted(i for i in work.whole if i in places and i not in gone)
        told = {(s.a, s.b): s for s in supported if not components.decides(s, self.threshold)}
        told |= {(s.a, s.b): s for s in self.possible(conn, again)}
        possible = tuple(s for ends_, s in told.items() if gone.isdisjoint(ends_))
        settled = Settled(version, tuple(changed), tuple(sorted(gone)), possible, tuple(again))
        self.write(conn, work, settled, old)
        return settled

    def possible(self, conn: Connection, ids: Collection[str]) -> list[Scored]:
        """Every pair of these profiles that is possibly the same, as the postings and marks are now."""
        mine = store.load_profiles(conn, self.cache, ids)
        keys = {key for held in mine.values() for key in held.keys}
        if not keys:
            return []
        marked = self.current_marks(conn, keys)
        shared = candidates(
            pair_store.holders(conn, sorted(keys), marked, self.cache.cap), marked, mine.keys()
        )
        held = store.load_profiles(conn, self.cache, {i for pair in shared for i in pair})
        scored = self.cache.score(shared, held, self.cache.review)
        return [s for s in scored if not components.decides(s, self.threshold)]

    def locked_places(
        self, conn: Connection, concerned: Collection[str], pairs: Sequence[Scored]
    ) -> dict[str, Place]:
        """Where everybody stands, with the components of ``concerned`` locked; raises ``Moved``."""
        before = component_store.places(conn, concerned)
        leaders = {p.leader for p in before.values()}
        self.pause("t3.placed")
        self.lock(conn, leaders)
        self.pause("t3.locked")
        others = {i for s in pairs for i in (s.a, s.b)}
        places = component_store.places(conn, leaders.union(concerned, others))
        now = {i: p for i in concerned if (p := places.get(i)) is not None}
        if self.moved(before, now):
            raise Moved("a profile moved to another component")
        self.pause("t3.placed again")
        return places

    def lock(self, conn: Connection, leaders: Collection[str]) -> None:
        """Lock components."""
        component_store.lock_leaders(conn, leaders)

    def moved(self, before: Mapping[str, Place], now: Mapping[str, Place]) -> bool:
        """Whether any of those whose components were locked stands elsewhere now, is gone, or is back."""
        return before.keys() != now.keys() or any(now[i].leader != p.leader for i, p in before.items())

    def supported(self, conn: Connection, pairs: Sequence[Scored]) -> list[Scored]:
        """The pairs that a key still supports, by the marks as they are under the locks."""
        marked = self.current_marks(conn, {key for s in pairs for key in s.shared})
        if not marked:
            return list(pairs)
        ids = {i for s in pairs for i in (s.a, s.b)}
        audience = {i: h.profile.audience for i, h in store.load_profiles(conn, self.cache, ids).items()}
        return [
            s
            for s in pairs
            if s.a in audience
            and s.b in audience
            and any((k, audience[s.a]) not in marked and (k, audience[s.b]) not in marked for k in s.shared)
        ]

    def current_marks(self, conn: Connection, keys: Collection[Key]) -> set[Spot]:
        """The marks on these keys now."""
        return pair_store.marks(conn, keys) if keys else set()

    def is_single(self, work: Work, place: Place) -> bool:
        """Whether a profile that this run made is still as it was made."""
        return place.size == 1 and work.fresh.get(place.profile) == place.version

    def seen(self, reading: Reading) -> Reading:
        """What the fast path may rely on."""
        return reading

    def attachable(
        self, conn: Connection, work: Work, places: Mapping[str, Place], found: Sequence[Group]
    ) -> dict[str, Held]:
        """The profiles whose ids can name an entity on the fast path."""
        names: set[str] = set()
        for group in found:
            if any(leader in work.fresh for leader in group.leaders):
                names.update(group.leaders)
                names.update(e for s in group.pairs for i in (s.a, s.b) if (e := places[i].entity))
                names.update(e for leader in group.leaders if (e := places[leader].entity))
        return store.load_profiles(conn, self.cache, names)

    def recompute(
        self,
        conn: Connection,
        work: Work,
        whole: Sequence[Group],
        old: dict[str, Place],
        changed: list[Component],
    ) -> set[str]:
        """The full path for these groups; adds to ``old`` and ``changed``, gives the profiles reaped."""
        leaders = {leader for group in whole for leader in group.leaders}
        if not leaders:
            return set()
        for place in component_store.members(conn, {i for i in leaders if old[i].size > 1}):
            old[place.profile] = place
        members = {i for i, p in old.items() if p.leader in leaders}
        gone = self.reapable(conn, work, members)
        if gone:
            component_store.reap(conn, gone)
        alive = store.load_profiles(conn, self.cache, members - gone)
        pairs = self.all_pairs(conn, alive)
        judgements = component_store.judgements(conn, members)
        sizes = {leader: old[leader].size for leader in leaders}
        changed += components.recompute(sizes, alive, pairs, judgements, self.threshold)
        return gone

    def reapable(self, conn: Connection, work: Work, members: Collection[str]) -> set[str]:
        """The members that are dead, looked up again under lock: another worker may have revived them."""
        died = work.seeds if work.died is None else work.died
        return component_store.dead(conn, died.intersection(members)) if died else set()

    def all_pairs(self, conn: Connection, members: Mapping[str, Held]) -> list[Scored]:
        """Every pair among these members that a live key supports and that decides, scored."""
        held_by: Holders = defaultdict(lambda: defaultdict(list))
        for held in members.values():
            for key in held.keys:
                held_by[key][held.profile.audience].append(held.profile.id)
        common = {key: ids for key, ids in held_by.items() if sum(map(len, ids.values())) > 1}
        shared = candidates(common, self.current_marks(conn, common), members.keys())
        return list(self.cache.score(shared, members, self.threshold))

    def write(self, conn: Connection, work: Work, settled: Settled, old: Mapping[str, Place]) -> None:
        """Store what changed, announce it, and strike the journal row."""
        places = [p for c in settled.components for p in components.rows(c, settled.version)]
        component_store.write_places(conn, [p for p in places if old.get(p.profile) != p])
        self.pause("t3.placing")
        if settled:
            self.announce(conn, work, settled)
        journal_store.finish(conn, work)
