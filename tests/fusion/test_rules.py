"""Every rule of the protocol is needed: the schedule or the scene that fails without it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from services.fusion.fuse import Fuser
from shared.contracts.entities import Person
from shared.database import Database, migrate, open_database
from shared.log import Record
from tests.fusion import mutants
from tests.fusion.conftest import MIGRATIONS
from tests.fusion.schedules import Hand, clear, open_for_schedules, run_schedule
from tests.fusion.tiny import Tiny
from tests.fusion.world import World, check, someone

FOUND_WITHIN = 60
"""Schedules in which a mutant must be found out."""


@pytest.fixture(scope="module")
def server(fusion_postgres_url: str) -> Iterator[Database]:
    database = open_for_schedules(fusion_postgres_url)
    migrate(database, MIGRATIONS)
    yield database
    database.close()


@pytest.fixture
def patient(fusion_postgres_url: str, server: Database) -> Iterator[Database]:
    """The same database, with locks that are waited for."""
    database = open_database(fusion_postgres_url)
    clear(server)
    yield database
    database.close()


@pytest.mark.parametrize(
    "mutant",
    [
        mutants.LocksNothing,
        mutants.LooksOnce,
        mutants.ForgetsHolders,
        mutants.RetractsQuietly,
        mutants.ReapsBlindly,
        mutants.ForgetsItsJournal,
        mutants.TellsNothingAnew,
        mutants.LeavesPairsStanding,
    ],
)
def test_schedules_find_out_who_breaks_a_rule(server: Database, mutant: type[Fuser]) -> None:
    for seed in range(FOUND_WITHIN):
        try:
            run_schedule(server, seed, mutant)
        except (AssertionError, KeyError):
            return
    pytest.fail(f"{mutant.__name__} went unnoticed: {mutant.__doc__}")


@dataclass
class Scene:
    """Two workers whose steps a test orders.

    Whose profile id is smallest names the entity, and takes the full path: b is smaller than a, and the b
    of unknown sex than the others, so that latecomers take the fast path.
    """

    db: Database
    kind: type[Fuser]

    def __post_init__(self) -> None:
        self.world = World()
        self.before = Fuser(self.db, Tiny(), "before", lambda _: None)

    def given(self, *people: Person) -> None:
        """Reports that are fused already."""
        for person in people:
            self.before.handle([self.put(person)])

    def put(self, *people: Person) -> Record:
        return self.world.put(len(self.world.versions), people)

    def begin(self, name: str, record: Record, step: str) -> Hand:
        """A worker that handles a record, until it comes to a step."""
        hand = Hand(name)
        fuser = self.kind(self.db, Tiny(), name, lambda _: hand.pause("back off"))
        fuser.pause = hand.pause
        hand.start(lambda: fuser.handle([record]))
        self.until(hand, step)
        return hand

    def until(self, hand: Hand, step: str) -> None:
        """Let a worker go on to a step."""
        while hand.at != step:
            hand.step()
            assert not hand.done, f"{hand.name} never came to {step}"

    def end(self, *hands: Hand) -> None:
        """Let workers finish, one after the other, and compare."""
        for hand in hands:
            while not hand.done:
                hand.step()
        check(self.db, self.world)


def read_before_publishing(scene: Scene) -> None:
    first = scene.begin("first", scene.put(someone("a", "1970", "x")), "t1.journaled")
    second = scene.begin("second", scene.put(someone("b", "1970", "x")), "t1.journaled")
    scene.end(first, second)


def count_once(scene: Scene) -> None:
    scene.given(*(someone(name, phone="x") for name in "abc"))
    scene.given(someone("d", phone="x"))
    clears = scene.begin("clears", scene.world.retract(3), "cross.counted")
    adds = scene.begin("adds", scene.put(someone("d", "1970", "x")), "t2.read")
    scene.end(clears, adds)


def trust_the_reading(scene: Scene) -> None:
    scene.given(someone("b", "1970", "x"))
    he = scene.begin("he", scene.put(someone("b", "1970", "x", "M")), "t2.read")
    she = scene.begin("she", scene.put(someone("b", "1970", "x", "F")), "t3.written")
    scene.end(she, he)


def number_late(scene: Scene) -> None:
    scene.given(someone("b", "1970", "x"))
    he = scene.begin("he", scene.put(someone("b", "1970", "x", "M")), "mutant: after the snapshot")
    she = scene.begin("she", scene.put(someone("b", "1970", "x", "F")), "t3.committed")
    scene.end(she, he)


def keep_marks(scene: Scene) -> None:
    """A key is marked by a count that is out of date, and stays so by newcomers who see the mark."""
    scene.given(*(someone(name, phone="x") for name in "abc"))
    marks = scene.begin("marks", scene.put(someone("d", phone="x")), "cross.marked")
    scene.before.handle([scene.world.retract(n) for n in range(3)])
    pair = [someone("a", "1970", "x"), someone("b", "1970", "x").model_copy(update={"local_id": "q"})]
    joins = scene.begin("joins", scene.put(*pair), "t2.read")
    adds = scene.begin("adds", scene.put(someone("c", phone="x")), "t1.committed")
    scene.until(marks, "cross.committed")
    scene.end(adds, marks, joins)


SCENES = {
    read_before_publishing: mutants.ReadsBeforePublishing,
    count_once: mutants.CountsOnce,
    trust_the_reading: mutants.TrustsItsReading,
    keep_marks: mutants.KeepsItsMarks,
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_plays_well_by_the_rules(patient: Database, scene: Callable[[Scene], None]) -> None:
    scene(Scene(patient, Fuser))


@pytest.mark.parametrize(("scene", "mutant"), [*SCENES.items(), (number_late, mutants.NumbersLate)])
def test_a_scene_finds_out_who_breaks_a_rule(
    patient: Database, scene: Callable[[Scene], None], mutant: type[Fuser]
) -> None:
    with pytest.raises(AssertionError):
        scene(Scene(patient, mutant))
