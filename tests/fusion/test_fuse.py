from random import Random

import pytest

from services.fusion.fuse import Fuser
from shared.database import Database
from tests.fusion.tiny import Tiny
from tests.fusion.world import World, check, check_published, published


def impatient(attempt: int) -> None:
    raise AssertionError("nobody else is there")


@pytest.mark.parametrize("seed", range(40))
def test_one_worker_gives_the_picture_that_follows_from_the_evidence(sqlite_db: Database, seed: int) -> None:
    random = Random(seed)
    world = World()
    world.grow(random, 60)
    fuser = Fuser(sqlite_db, Tiny(), "me", impatient)
    at = [0, 0, 0]
    while any(n < len(p) for n, p in zip(at, world.partitions, strict=True)):
        i = random.randrange(3)
        size = random.choice((1, 2, 5, 20))
        assert fuser.handle(world.partitions[i][at[i] : at[i] + size]) == []
        at[i] += size
    check(sqlite_db, world)
    check_published(published(sqlite_db), world, random)
