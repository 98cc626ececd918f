"""Whatever happens in whatever order, the picture is a function of the evidence (stateful, on SQLite)."""

import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.fusion.fuse import Fuser
from services.fusion.recover import LEASE, recover
from shared.contracts.entities import Person
from shared.database import migrate, open_database
from shared.log import Record
from tests.fusion.conftest import MIGRATIONS
from tests.fusion.schedules import STEPS, Killed
from tests.fusion.tiny import NAMES, PHONES, SEXES, YEARS, Tiny
from tests.fusion.world import World, check, check_published, published, someone

numbers = st.integers(0, 9)
people = st.builds(
    someone, st.sampled_from(NAMES), st.sampled_from(YEARS), st.sampled_from(PHONES), st.sampled_from(SEXES)
)
crowds = st.lists(people, min_size=1, max_size=4).map(
    lambda found: [p.model_copy(update={"local_id": f"p{i}"}) for i, p in enumerate(found)]
)


class Evidence(RuleBasedStateMachine):
    """Insert, update, retract, expunge, judge, undo, repeat, crash and recover; always the same picture."""

    def __init__(self) -> None:
        super().__init__()
        self.home = tempfile.TemporaryDirectory()
        self.db = open_database(f"sqlite:///{Path(self.home.name) / 'fusion.db'}")
        migrate(self.db, MIGRATIONS)
        self.world = World()
        self.waiting: list[Record] = []
        self.workers = 0
        self.hire()

    def hire(self) -> None:
        self.workers += 1
        self.worker = Fuser(self.db, Tiny(), f"worker-{self.workers}", lambda _: None)

    @rule(number=numbers, crowd=crowds, closed=st.booleans())
    def report(self, number: int, crowd: list[Person], closed: bool) -> None:
        self.waiting.append(self.world.put(number, crowd, closed=closed))

    @precondition(lambda self: self.world.live)
    @rule(data=st.data())
    def retract(self, data: st.DataObject) -> None:
        self.waiting.append(self.world.retract(data.draw(st.sampled_from(sorted(self.world.live)))))

    @precondition(lambda self: self.world.live)
    @rule(data=st.data())
    def expunge(self, data: st.DataObject) -> None:
        self.waiting.append(self.world.expunge(data.draw(st.sampled_from(sorted(self.world.live)))))

    @precondition(lambda self: len(self.world.mentions()) > 1)
    @rule(data=st.data(), number=st.integers(0, 3), same=st.booleans())
    def judge(self, data: st.DataObject, number: int, same: bool) -> None:
        known = sorted({p.id for p in self.world.mentions()})
        a, b = data.draw(st.sampled_from(known)), data.draw(st.sampled_from(known))
        if a != b:
            self.waiting.append(self.world.judge(number, a, b, same=same))

    @precondition(lambda self: self.world.judged)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        self.waiting.append(self.world.undo(data.draw(st.sampled_from(sorted(self.world.judged)))))

    @precondition(lambda self: self.waiting)
    @rule()
    def fuse(self) -> None:
        assert self.worker.handle(self.waiting) == []
        self.waiting = []

    @precondition(lambda self: self.waiting)
    @rule(step=st.sampled_from(STEPS), recovers=st.booleans())
    def crash(self, step: str, recovers: bool) -> None:
        """The worker dies at a step, if it comes there; the records come again, to another one."""

        def die(at: str) -> None:
            if at == step:
                raise Killed

        self.worker.pause = die
        with suppress(Killed):
            self.worker.handle(self.waiting)
        gone = self.worker.owner
        self.hire()
        if recovers:
            recover(self.worker, LEASE * 10, lambda owner: owner == gone)
        self.worker.handle(self.waiting)
        self.waiting = []
        recover(self.worker, LEASE * 10, lambda owner: owner == gone)

    @invariant()
    def the_picture_follows_from_the_evidence(self) -> None:
        if not self.waiting:
            check(self.db, self.world)

    def teardown(self) -> None:
        if self.waiting:
            self.worker.handle(self.waiting)
        check(self.db, self.world)
        check_published(published(self.db), self.world, Random(0))
        self.db.close()
        self.home.cleanup()


Evidence.TestCase.settings = settings(max_examples=settings().max_examples // 4, stateful_step_count=20)
TestEvidence = Evidence.TestCase
