"""Weights estimated from a deployment's own open profiles, and what they would change.

Only profiles that everybody may see are looked at. Whole components are sampled: a sample of profiles would
lose the pairs that weights are learned from.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from services.fusion import training_store
from services.fusion.core import model as models
from services.fusion.core.model import Model
from services.fusion.core.profile import Profile
from services.fusion.core.reference import resolve_all
from services.fusion.core.train import Change, train
from shared.contracts.entities import Kind
from shared.database import Database, open_database
from shared.errors import InterlockError
from shared.settings import Settings

KINDS: Final = (Kind.PERSON, Kind.ORGANIZATION, Kind.VESSEL)
"""What weights are estimated for; those of other kinds stay."""
SHOWN: Final = 5
_BATCH: Final = 500
_RANGE: Final = 1 << 64


class TooLittle(InterlockError):
    """There is nothing, or too little, to learn from; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How a sample's partition would change.

    ``merged``: new entities that hold several of the old; ``split``: old entities that fall apart;
    ``joined`` and ``parted``: examples, pairs of profiles.
    """

    before: int
    after: int
    merged: int
    split: int
    joined: tuple[tuple[str, str], ...]
    parted: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gave; ``profiles`` were looked at, ``there`` are all that could have been."""

    model: Model
    before: Model
    changes: tuple[Change, ...]
    profiles: int
    there: int
    matches: float
    shift: Shift

    @property
    def needed(self) -> dict[str, tuple[int, int]]:
        """By kind, what the evidence of a pair must weigh, in centibits, before and after."""
        return {k.value: (self.before.needed(k), self.model.needed(k)) for k in KINDS}


def train_from(settings: Settings, sample: int, seed: int) -> Trained:
    """Train from about ``sample`` profiles; raises ``TooLittle`` where that cannot be done."""
    url = make_url(settings.fusion_database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise TooLittle(f"there is no picture to learn from yet: {url.database} does not exist")
    db = open_database(settings.fusion_database, pool_size=1)
    try:
        profiles, there = _sample(db, sample, seed)
    finally:
        db.close()
    return train_on(profiles, models.load(settings.model_file), seed, there)


def train_on(profiles: list[Profile], model: Model, seed: int, there: int) -> Trained:
    """Train from these profiles, and compare the partitions of them under both models."""
    found = train(profiles, model, seed=seed, population=there)
    if not found.matches:
        raise TooLittle(
            f"{len(profiles):,} open profiles of persons, organisations and vessels: too few, or none alike"
        )
    moved = shift(_entities(profiles, model), _entities(profiles, found.model))
    return Trained(found.model, model, found.changes, found.profiles, there, found.matches, moved)


def _sample(db: Database, sample: int, seed: int) -> tuple[list[Profile], int]:
    """The open profiles of components drawn by the hash of seed and component; how many there are in all."""
    with db.snapshot() as conn:
        if not training_store.is_there(conn):
            raise TooLittle("there is no picture to learn from yet: no reports have been fused")
        there = training_store.count_open(conn, KINDS)
        below = _RANGE if there <= sample else sample * _RANGE // there
        chosen = (p for p, leader in training_store.places(conn) if _number(seed, leader) < below)
        found = [
            p
            for ids in _batches(chosen)
            for p in training_store.open_profiles(conn, ids, KINDS)
        ]  # fmt: skip
    return sorted(found, key=lambda p: p.id), there


def _number(seed: int, leader: str) -> int:
    return int.from_bytes(blake2b(f"{seed}\n{leader}".encode(), digest_size=8).digest())


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for i in ids:
        batch.append(i)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _entities(profiles: list[Profile], model: Model) -> Mapping[str, str]:
    return resolve_all(profiles, (), model).entity


def shift(before: Mapping[str, str], after: Mapping[str, str]) -> Shift:
    """How one partition of the same profiles differs from another."""
    olds: dict[str, dict[str, str]] = defaultdict(dict)
    news: dict[str, dict[str, str]] = defaultdict(dict)
    for profile in sorted(before):
        olds[before[profile]].setdefault(after[profile], profile)
        news[after[profile]].setdefault(before[profile], profile)
    joined = [_two(inside) for _, inside in sorted(news.items()) if len(inside) > 1]
    parted = [_two(inside) for _, inside in sorted(olds.items()) if len(inside) > 1]
    return Shift(
        len(olds), len(news), len(joined), len(parted), tuple(joined[:SHOWN]), tuple(parted[:SHOWN])
    )  # fmt: skip


def _two(profiles: Mapping[str, str]) -> tuple[str, str]:
    a, b, *_ = sorted(profiles.values())
    return a, b


def write(model: Model, path: Path) -> None:
    """Write a model file."""
    models.save(model, path)
