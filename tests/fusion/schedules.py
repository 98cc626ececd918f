"""Interleaves workers at every step, by seed: one runs at a time, until its next pause.

A schedule appends random records to three partitions, lets two to four workers fuse them on one database,
kills some of them, starts others in their place, and compares what is left with the reference. Nothing
ever blocks: a lock that is taken is refused, and the worker tries again after somebody else has run.
"""

import threading
from collections.abc import Callable
from functools import partial
from random import Random

from services.fusion import tables
from services.fusion.fuse import Fuser
from services.fusion.recover import LEASE, beat, recover
from shared.database import Database, open_database
from shared.errors import Transient
from tests.fusion.tiny import Tiny
from tests.fusion.world import World, check, check_published, published

PATIENCE = 20_000
"""Pauses after which a schedule counts as a hang."""


STEPS = (
    "t1.begin", "t1.standing", "t1.counted", "t1.posted", "t1.journaled", "t1.committed", "t2.begin",
    "t2.looked", "t2.read", "cross.begin", "cross.counted", "cross.marked", "cross.committed", "t3.begin",
    "t3.placed", "t3.locked", "t3.placed again", "t3.placing", "t3.written",
)  # fmt: skip
"""Where a worker can be held up."""


class Killed(BaseException):
    """The worker's process ends here and now."""


class Hang(AssertionError):
    """The workers got in each other's way for ever."""


def open_for_schedules(url: str) -> Database:
    """A database whose locks are refused at once instead of waited for."""
    if url.startswith("postgresql"):
        return open_database(f"{url}?options=-clock_timeout%3D4ms%20-csynchronous_commit%3Doff")
    return open_database(url, busy_ms=0)


def clear(db: Database) -> None:
    """Empty every table."""
    with db.transaction() as conn:
        for table in tables.metadata.tables.values():
            conn.execute(table.delete())


def persist(action: Callable[[], object]) -> None:
    """Do it, though the server's own housekeeping may hold a lock for a moment."""
    for _ in range(100):
        try:
            action()
        except Transient:
            continue
        return


class Hand:
    """One worker's thread, run step by step."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.go = threading.Semaphore(0)
        self.stopped = threading.Semaphore(0)
        self.at = "start"
        self.doomed = False
        self.done = False
        self.error: BaseException | None = None
        self.thread: threading.Thread | None = None

    def start(self, target: Callable[[], None]) -> None:
        def run() -> None:
            self.go.acquire()
            try:
                target()
            except Killed:
                pass
            except BaseException as error:  # noqa: BLE001 - raised again by the stage
                self.error = error
            self.done = True
            self.stopped.release()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def pause(self, step: str) -> None:
        """Called in the worker's thread: let others run."""
        self.at = step
        self.stopped.release()
        self.go.acquire()
        if self.doomed:
            raise Killed

    def step(self) -> None:
        """Called by the stage: run to the next pause."""
        self.go.release()
        if not self.stopped.acquire(timeout=60):
            raise Hang(f"{self.name} does not come back")
        if self.error is not None:
            raise self.error


class Stage:
    """One schedule: chooses who runs, who dies, and who takes over."""

    def __init__(self, db: Database, seed: int, kind: type[Fuser] = Fuser, *, steps: int = 40) -> None:
        self.db = db
        self.kind = kind
        self.random = Random(seed)
        self.world = World()
        self.world.grow(self.random, self.random.randrange(6, steps), self.random.choice((4, 8, 14)))
        self.committed = [0] * len(self.world.partitions)
        self.owned: dict[int, str] = {}
        self.hands: list[Hand] = []
        self.dead: set[str] = set()
        self.started = 0
        self.kills = self.random.choice((0, 0, 1, 2))
        self.favourite: Hand | None = None
        self.slow = set(self.random.sample(STEPS, 2))
        self.held_up: dict[str, int] = {}
        self.batch = self.random.choice((1, 2, 4, 8))

    def run(self) -> None:
        """Run until everything is fused, then compare."""
        for _ in range(self.random.randrange(2, 5)):
            self.employ()
        choose = self.random.choice((self.anyone, self.someone, self.delaying, self.delaying))
        for _ in range(PATIENCE):
            running = [h for h in self.hands if not h.done]
            if not running:
                break
            current = choose(running)
            if self.kills and self.random.random() < 0.01:
                self.kills -= 1
                self.kill(current)
            else:
                current.step()
        else:
            raise Hang("no end in sight")
        last = self.kind(self.db, Tiny(), "last", lambda _: None)
        persist(lambda: recover(last, LEASE * 10, self.dead.__contains__))
        check(self.db, self.world)
        check_published(published(self.db), self.world, self.random)

    def anyone(self, running: list[Hand]) -> Hand:
        """Whoever chance picks."""
        return self.random.choice(running)

    def someone(self, running: list[Hand]) -> Hand:
        """The same as before, mostly."""
        if self.favourite not in running or self.random.random() < 0.05:
            self.favourite = self.random.choice(running)
        return self.favourite

    def delaying(self, running: list[Hand]) -> Hand:
        """Somebody who is not held up; who comes to one of a few steps is held up for long, mostly."""
        for hand in running:
            if hand.at in self.slow and self.random.random() < 0.7:
                self.held_up[hand.name] = self.random.randrange(5, 60)
            hand.at = ""
        self.held_up = {name: n - 1 for name, n in self.held_up.items() if n}
        return self.someone([h for h in running if h.name not in self.held_up] or running)

    def employ(self) -> None:
        """Start another worker."""
        hand = Hand(f"worker-{self.started}")
        self.started += 1
        self.hands.append(hand)
        fuser = self.kind(self.db, Tiny(), hand.name, lambda _: hand.pause("back off"))
        fuser.pause = hand.pause
        hand.start(lambda: self.work(hand, fuser))

    def kill(self, hand: Hand) -> None:
        """End a worker where it stands; another starts in its place."""
        hand.doomed = True
        hand.step()
        self.dead.add(hand.name)
        for i, owner in list(self.owned.items()):
            if owner == hand.name:
                del self.owned[i]
        self.employ()

    def work(self, hand: Hand, fuser: Fuser) -> None:
        """What a worker does until nothing is left: recover, poll, handle, commit."""
        hand.pause("start")
        self.insist(hand, lambda: beat(self.db, hand.name, LEASE * 10))
        self.insist(hand, lambda: recover(fuser, LEASE * 10, self.dead.__contains__))
        while (mine := self.choose(hand)) is not None:
            start = self.committed[mine]
            records = self.world.partitions[mine][start : start + self.batch]
            self.insist(hand, partial(fuser.handle, records))
            hand.pause("handled")
            self.committed[mine] = max(self.committed[mine], start + len(records))
            if self.owned.get(mine) == hand.name:
                del self.owned[mine]
            hand.pause("committed")

    def choose(self, hand: Hand) -> int | None:
        """A partition to work on: a free one, or now and then, as after a rebalance, one in other hands."""
        left = [i for i, p in enumerate(self.world.partitions) if self.committed[i] < len(p)]
        free = [i for i in left if i not in self.owned]
        if free:
            mine = self.random.choice(free)
            self.owned[mine] = hand.name
            return mine
        return self.random.choice(left) if left and self.random.random() < 0.1 else None

    def insist(self, hand: Hand, action: Callable[[], object]) -> None:
        """Do it again for as long as somebody is in the way."""
        while True:
            try:
                action()
            except Transient:
                hand.pause("in the way")
            else:
                return


def run_schedule(db: Database, seed: int, kind: type[Fuser] = Fuser, *, steps: int = 40) -> int:
    """Run one schedule on an empty database: the number of kills. An error names the seed that replays it."""
    persist(lambda: clear(db))
    stage = Stage(db, seed, kind, steps=steps)
    try:
        stage.run()
    except BaseException as error:
        error.add_note(f"schedule seed {seed}, {db.engine.dialect.name}, {kind.__name__}")
        raise
    finally:
        stage.kills = 0
        for hand in stage.hands:
            while not hand.done:
                hand.doomed = True
                hand.go.release()
                hand.stopped.acquire(timeout=60)
    return len(stage.dead)
