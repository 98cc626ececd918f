"""T3: lock the touched components, look again, decide what becomes of them, store and announce it.

The order: read where everybody stands; lock the leaders, or give up at once and try again; read again and
start over if somebody moved; read the marks; then the fast or the full path; write under a new version.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

from sqlalchemy import Connection

from services.fusion import component_store, components, journal_store, pair_store, store
from services.fusion.cache import Profiles
from services.fusion.components import Group
from services.fusion.values import (
    Component,
    Ends,
    Held,
    Key,
    Place,
    Reading,
    Scored,
    Settled,
    Spot,
    Work,
    ends,
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
        self.link = min(cache.resolver.review, cache.resolver.threshold)

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
        ties = [s for s in reading.pairs if components.is_link(s, self.link)]
        concerned = dirty.union(*((s.a, s.b) for s in ties), *reading.judged)
        places = self.locked_places(conn, concerned, reading.pairs)
        supported = self.supported(conn, reading.pairs)
        present = [i for i in dirty if i in places]
        found = components.groups(places, present, supported, reading.judged, self.link)
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
        settled = Settled(
            store.next_version(conn) if changed or gone else 0, tuple(changed), tuple(sorted(gone))
        )
        self.write(conn, work, settled, old)
        return settled

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
        changed += components.recompute(sizes, alive, pairs, judgements, (self.threshold, self.link))
        return gone

    def reapable(self, conn: Connection, work: Work, members: Collection[str]) -> set[str]:
        """The members that are dead, looked up again under lock: another worker may have revived them."""
        candidates = work.seeds if work.died is None else work.died
        return component_store.dead(conn, candidates.intersection(members)) if candidates else set()

    def all_pairs(self, conn: Connection, members: Mapping[str, Held]) -> list[Scored]:
        """Every pair among these members that a live key supports, scored."""
        by_key: dict[Key, list[Held]] = defaultdict(list)
        for held in members.values():
            for key in held.keys:
                by_key[key].append(held)
        common = {key: holders for key, holders in by_key.items() if len(holders) > 1}
        marked = self.current_marks(conn, common)
        shared: dict[Ends, list[Key]] = defaultdict(list)
        for key, holders in common.items():
            live = [h.profile.id for h in holders if (key, h.profile.audience) not in marked]
            for a, b in combinations(live, 2):
                shared[ends(a, b)].append(key)
        found = []
        for (a, b), keys in shared.items():
            if members[a].profile.kind == members[b].profile.kind:
                comparison = self.cache.compare(members[a], members[b])
                if comparison.contradicted or comparison.weight >= self.link:
                    found.append(Scored(a, b, comparison, tuple(keys)))
        return found

    def write(self, conn: Connection, work: Work, settled: Settled, old: Mapping[str, Place]) -> None:
        """Store what changed, announce it, and strike the journal row."""
        places = [p for c in settled.components for p in components.rows(c, settled.version)]
        component_store.write_places(conn, [p for p in places if old.get(p.profile) != p])
        self.pause("t3.placing")
        if settled.version:
            self.announce(conn, work, settled)
        journal_store.finish(conn, work)
