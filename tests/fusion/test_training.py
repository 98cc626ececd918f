"""Training from the store: only what is open, whole components, equal seeds equal weights."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.fusion import backload, training_store
from services.fusion.core.model import load
from services.fusion.core.normalise import make_profile
from services.fusion.fuse import Batch
from services.fusion.training import KINDS, TooLittle, _sample, shift, train_from
from shared.contracts.entities import Kind
from shared.database import Database
from shared.settings import Settings

GIVEN = ("odalys", "ferran", "brigida", "thaddeus", "marisela", "quentin", "ileana", "ambrose")
FAMILY = ("zapatero", "wolfenden", "quinonez", "ashdown", "ybarra", "okonkwo", "lindqvist", "varela")


def fill(db: Database, count: int) -> None:
    """Persons, each twice: once with a sex; every tenth for one agency's eyes."""
    model = load()
    fuser = backload.Backload(db, model)
    arrivals = {}
    for n in range(count):
        audience = "TXZZZ0001;;;" if n % 10 == 0 else "*"
        name = f"{GIVEN[n % 8]}|{FAMILY[n // 8 % 8]}||"
        for copy in range(2):
            born = f"19{40 + n % 50}-{n % 12 + 1:02}-{n % 28 + 1:02}"
            features = {"name": [name], "dob": [born], "occupation": [f"trade {n}"]}
            if copy:
                features["sex"] = ["F"]
            row = f"{n}-{copy}"
            profile = make_profile(Kind.PERSON, "*", name, features, (row, False, model))
            profile = replace(profile, audience=audience)
            taken = backload.Taken(row, n, n, profile)
            arrivals[backload._name(row)] = [backload._arrival(taken, profile)]
    work = fuser.take_in(Batch(arrivals=arrivals))
    assert work is not None
    fuser.finish(work)


@pytest.fixture
def settings(sqlite_db: Database, tmp_path: Path) -> Settings:
    fill(sqlite_db, 150)
    return Settings(home=tmp_path, fusion_database=str(sqlite_db.engine.url))


def test_only_open_profiles_are_looked_at(settings: Settings, sqlite_db: Database) -> None:
    with sqlite_db.snapshot() as conn:
        assert training_store.count_open(conn, KINDS) == 270
    profiles, there = _sample(sqlite_db, 1_000, 1)
    assert (len(profiles), there) == (270, 270)
    assert {p.audience for p in profiles} == {"*"}


def test_a_sample_holds_whole_components(settings: Settings, sqlite_db: Database) -> None:
    profiles, _ = _sample(sqlite_db, 100, 1)
    assert 40 < len(profiles) < 200
    with sqlite_db.snapshot() as conn:
        leader = dict(training_store.places(conn))
    chosen = {leader[p.id] for p in profiles}
    everyone, _ = _sample(sqlite_db, 1_000, 1)
    assert {p.id for p in everyone if leader[p.id] in chosen} == {p.id for p in profiles}
    assert [p.id for p in _sample(sqlite_db, 100, 2)[0]] != [p.id for p in profiles]


def test_equal_seeds_give_equal_models_and_the_change_is_told(settings: Settings) -> None:
    one, two = train_from(settings, 1_000, 4), train_from(settings, 1_000, 4)
    assert one.model.version == two.model.version != one.before.version
    assert one.changes
    assert one.shift.before >= one.shift.after > 0


def test_without_reports_there_is_nothing_to_learn(tmp_path: Path, sqlite_db: Database) -> None:
    with pytest.raises(TooLittle, match="does not exist"):
        train_from(Settings(home=tmp_path / "new"), 1_000, 1)
    empty = Settings(home=tmp_path, fusion_database=str(sqlite_db.engine.url))
    with pytest.raises(TooLittle, match="too few"):
        train_from(empty, 1_000, 1)


def test_merges_and_splits_are_counted_with_examples() -> None:
    before = {"a": "a", "b": "a", "c": "c", "d": "d"}
    after = {"a": "a", "b": "b", "c": "c", "d": "c"}
    found = shift(before, after)
    assert (found.before, found.after, found.merged, found.split) == (3, 3, 1, 1)
    assert (found.joined, found.parted) == ((("c", "d"),), (("a", "b"),))
