"""The protocol with one rule switched off each; every one of them must make the schedules fail."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from services.fusion import store
from services.fusion.fuse import Fuser
from services.fusion.pair_store import Holders
from services.fusion.values import Held, Place, Reading, Scored, Settled, Spot, Work


class ReadsBeforePublishing(Fuser):
    """Reads in the transaction that publishes: of two workers neither sees the other's postings."""

    def begin(self, conn: Connection, work: Work) -> None:
        super().begin(conn, work)
        self.early = (tuple(work.ids), super().look(conn, work))

    def look(self, conn: Connection, work: Work) -> tuple[Holders, set[Spot]]:
        early = getattr(self, "early", ((), None))
        if early[1] is not None and early[0] == tuple(work.ids):
            self.early = ((), None)
            return early[1]
        return super().look(conn, work)


class LocksNothing(Fuser):
    """Settles components without their locks."""

    def lock(self, conn: Connection, leaders: Collection[str]) -> None:
        pass


class LooksOnce(Fuser):
    """Does not look again, after locking, where everybody stands."""

    def moved(self, before: Mapping[str, Place], now: Mapping[str, Place]) -> bool:
        return False


class CountsOnce(Fuser):
    """Does not count again after setting or clearing marks."""

    def read(self, work: Work) -> Reading:
        self.counted = False
        return super().read(work)

    def crossings(self, found: Holders, marked: set[Spot]) -> list[Spot]:
        once = [] if self.counted else super().crossings(found, marked)
        self.counted = True
        return once


class ForgetsHolders(Fuser):
    """Sets and clears marks without touching the components of the key's holders."""

    def holders_of(self, conn: Connection, spot: Spot) -> list[str]:
        return []


class RetractsQuietly(Fuser):
    """Does not evaluate the keys of profiles that died."""

    def plan(
        self,
        batch: object,
        touched: tuple[Mapping[str, Held], Mapping[str, Held], set[str]],
        fresh: dict[str, int],
    ) -> Work | None:
        work = super().plan(batch, touched, fresh)
        if work is not None:
            work.keys = {key for held in touched[0].values() for key in held.keys}
        return work


class ReapsBlindly(Fuser):
    """Reaps what its own transaction saw die, whoever revived it since."""

    def reapable(self, conn: Connection, work: Work, members: Collection[str]) -> set[str]:
        return set(members).intersection(work.seeds if work.died is None else work.died)


class TrustsItsReading(Fuser):
    """Takes the fast path into components that changed after the reading."""

    def seen(self, reading: Reading) -> Reading:
        return replace(reading, version=1 << 60)


class NumbersLate(Fuser):
    """Takes the version from after the reading's snapshot: what came between counts as read."""

    def look(self, conn: Connection, work: Work) -> tuple[Holders, set[Spot]]:
        found = super().look(conn, work)
        self.pause("mutant: after the snapshot")
        self.late = store.last_version(self.db)
        return found

    def seen(self, reading: Reading) -> Reading:
        return replace(reading, version=self.late)


class KeepsItsMarks(Fuser):
    """Does not read the marks again under the locks."""

    def supported(self, conn: Connection, pairs: Sequence[Scored]) -> list[Scored]:
        return list(pairs)


class ForgetsItsJournal(Fuser):
    """Writes no journal row: what a dead worker had begun stays undone."""

    def begin(self, conn: Connection, work: Work) -> None:
        pass


class TellsNothingAnew(Fuser):
    """Of profiles whose possible pairs are void, tells only those that the batch found."""

    def possible(self, conn: Connection, ids: Collection[str]) -> list[Scored]:
        return []


class LeavesPairsStanding(Fuser):
    """Does not make possible pairs void that ceased to count."""

    def settle_once(self, conn: Connection, work: Work, reading: Reading) -> Settled:
        work.whole.clear()
        return super().settle_once(conn, work, reading)
