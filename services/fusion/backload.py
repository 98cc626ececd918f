"""A list resolved by itself: rows in, entities and the pairs that made them out.

The rows go through the pipeline of the service, over a SQLite database of their own: ``core.records`` makes
each a profile, a ``Fuser`` stores and settles it. Memory is bounded whatever the number of rows.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import Connection

from services.fusion import backload_store, migrations
from services.fusion.backload_export import Refusals, Written, export, in_words
from services.fusion.backload_report import write_report
from services.fusion.backload_store import Row
from services.fusion.columns import BadRow, Columns, columns_of, fields_of, kind_named
from services.fusion.core import model as models
from services.fusion.core.counting import counted
from services.fusion.core.model import Model
from services.fusion.core.normalise import make_profile
from services.fusion.core.profile import MentionOf, Normalised, Profile
from services.fusion.core.records import read_row
from services.fusion.core.train import train
from services.fusion.fuse import Batch, Fuser
from services.fusion.intake import Arrival
from services.fusion.resolver import CoreResolver
from services.fusion.rows import Raw, contents, rows
from services.fusion.values import Settled, Work
from shared.contracts.entities import Kind, Role
from shared.contracts.handling import OPEN
from shared.contracts.topics import REPORTS
from shared.database import Database, migrate, open_database
from shared.errors import Misconfigured
from shared.log import NewRecord, Position, Record

Tell = Callable[[str, int, int], None]
"""Told of progress: what is being done, how far it is, and how far it will go."""
DATABASE: Final = "resolver.db"
TRAINED_ON: Final = 100_000
"""Rows at most from which ``train`` estimates weights: a random sample of a larger file."""
_BATCH: Final = 2_000
_LONGEST_ID: Final = 500
_CACHE_MB: Final = 128


@dataclass(frozen=True, slots=True)
class Order:
    """What to resolve, and how.

    ``kind``: of rows that do not say; ``mapping``: field by column; ``model_file``: None for the packaged
    model; ``threshold`` in centibits, None for the model's; ``training``: estimate the weights from the file
    first; ``keep``: leave the database in ``folder``.
    """

    file: Path
    kind: str
    folder: Path
    mapping: Mapping[str, str] = field(default_factory=dict)
    model_file: Path | None = None
    threshold: int | None = None
    training: bool = False
    keep: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out; ``rows`` were resolved, ``refused`` not; times in seconds."""

    rows: int
    refused: int
    incomparable: int
    written: Written
    model: Model
    columns: Columns
    seconds: float
    files: tuple[Path, ...]


class Backload(Fuser):
    """A ``Fuser`` alone over its database: no topic is fed, and there is no other worker to wait for."""

    def __init__(self, db: Database, model: Model) -> None:
        super().__init__(db, CoreResolver(model), "resolve", lambda _: None)
        self.model = model

    def messages(self, accepted: Sequence[Arrival], fresh: set[str], version: int) -> list[NewRecord]:  # noqa: ARG002  # as the service has it
        """None: no topic is fed."""
        return []

    def announce(self, conn: Connection, work: Work, settled: Settled) -> None:  # noqa: ARG002  # as the service has it
        """Keep the possible pairs; all other answers are read when everything is settled."""
        pairs = [(s.a, s.b, s.comparison.weight, in_words(s.comparison.rows)) for s in settled.possible]
        backload_store.put_possible(conn, pairs, settled.whole)


def resolve(order: Order, tell: Tell = lambda *_: None) -> Outcome:
    """Resolve a file and write the answers; raises ``Misconfigured`` for what cannot be done as asked."""
    started = time.perf_counter()
    try:
        kind = kind_named(order.kind)
    except ValueError as error:
        raise Misconfigured(f"the kind {error}") from error
    tell("Counting", 0, 0)
    there = contents(order.file)
    columns = columns_of(there.columns, order.mapping)
    order.folder.mkdir(parents=True, exist_ok=True)
    model = models.load(order.model_file).sized(there.rows)
    reading = Reading(order.file, kind, columns)
    files: list[Path] = []
    if order.training:
        tell("Training", 0, 0)
        model = _trained(reading, model, there.rows, order.seed)
        files.append(order.folder / "model.json")
        models.save(model, files[0])
    else:
        tell("Counting names", 0, 0)
        model = counted(_sample(reading, model, there.rows, Random(order.seed)), model)  # noqa: S311  # not secrets
    if order.threshold is not None:
        model = replace(model, threshold=order.threshold, review=min(model.review, order.threshold))
    with ExitStack() as stack:
        db = _database(order, stack)
        refused = stack.enter_context(Refusals(order.folder / "refused.csv"))
        fuser = Backload(db, model)
        _take_in(reading, fuser, refused, lambda n: tell("Resolving", n, there.rows))
        written = export(fuser, order.folder, lambda n, of: tell("Writing", n, of))
        with db.snapshot() as conn:
            nothing = backload_store.incomparable(conn)
    files += [*written.files, *refused.files, order.folder / "report.md"]
    seconds = time.perf_counter() - started
    outcome = Outcome(
        written.rows, refused.count, nothing, written, model, columns, round(seconds, 2), tuple(files)
    )
    write_report(files[-1], order.file, outcome)
    return outcome


def _database(order: Order, stack: ExitStack) -> Database:
    """An empty database: kept in the folder, or gone when all is done."""
    if order.keep:
        home = order.folder
        for suffix in ("", "-wal", "-shm"):
            (home / (DATABASE + suffix)).unlink(missing_ok=True)
    else:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".resolving-", dir=order.folder)))
    db = open_database(f"sqlite:///{(home / DATABASE).absolute()}", cache_mb=_CACHE_MB, pool_size=2)
    stack.callback(db.close)
    migrate(db, Path(migrations.__file__).parent)
    backload_store.make_tables(db)
    return db


@dataclass(frozen=True, slots=True)
class Taken:
    """A usable row: its id, place, line, and what it says."""

    id: str
    ordinal: int
    line: int
    profile: Profile | None


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of a file are read: ``kind`` is of those that do not say."""

    file: Path
    kind: Kind
    columns: Columns


def read(raw: Raw, ordinal: int, how: Reading, model: Model) -> Taken:
    """A row made a profile; raises ``BadRow``. Without an id column, rows are numbered from 1."""
    if raw.fault:
        raise BadRow(raw.fault)
    fields: dict[str, Any] = fields_of(raw.values, how.columns)
    kind = how.kind
    numbered = "id" not in how.columns.used.values()
    row_id = str(ordinal) if numbered else str(fields.get("id", ""))
    if not row_id or len(row_id) > _LONGEST_ID:
        raise BadRow("the id is missing" if not row_id else f"the id is longer than {_LONGEST_ID} characters")
    if "type" in fields:
        try:
            kind = kind_named(str(fields["type"]))
        except ValueError as error:
            raise BadRow(f"type: {error}; to pass over the column, map it to nothing") from None
    features, label = read_row(fields, kind)
    profile = make_profile(kind, OPEN.key(), label, features, (row_id, False, model)) if features else None
    return Taken(row_id, ordinal, raw.line, profile)


def _take_in(how: Reading, fuser: Backload, refused: Refusals, tell: Callable[[int], None]) -> None:
    """Fuse the rows of the file, batch by batch."""
    batch: dict[str, Taken] = {}
    ordinal = 0
    for ordinal, raw in enumerate(rows(how.file), 1):
        try:
            taken = read(raw, ordinal, how, fuser.model)
        except BadRow as error:
            refused.add(raw.line, _id_of(raw, how.columns), str(error))
            continue
        earlier = batch.setdefault(taken.id, taken)
        if earlier is not taken:
            refused.add(raw.line, taken.id, _twice(taken.id, earlier.line))
        if len(batch) >= _BATCH:
            _fuse(fuser, batch, refused)
            batch = {}
            tell(ordinal)
    _fuse(fuser, batch, refused)
    tell(ordinal)


def _fuse(fuser: Backload, batch: Mapping[str, Taken], refused: Refusals) -> None:
    with fuser.db.transaction() as conn:
        known = backload_store.add_rows(
            conn,
            [
                Row(t.id, t.ordinal, t.line, t.profile.id if t.profile else None, _name(t.id))
                for t in batch.values()
            ],
        )
    for row_id, line in known.items():
        refused.add(batch[row_id].line, row_id, _twice(row_id, line))
    arrivals = {
        _name(t.id): [_arrival(t, t.profile)] for t in batch.values() if t.profile and t.id not in known
    }
    work = fuser.take_in(Batch(arrivals=arrivals)) if arrivals else None
    if work is not None:
        fuser.finish(work)


def _arrival(taken: Taken, profile: Profile) -> Arrival:
    """A row as the report that it would be: one mention."""
    name = _name(taken.id)
    record = Record(Position(REPORTS.name, 0, taken.ordinal), name, None, {}, 0)
    mention = MentionOf(taken.id, profile.kind, Role.SUBJECT, profile)
    normalised = Normalised((mention,), ())
    return Arrival(record, name, 1, bytes.fromhex(name), True, profile.audience, normalised, (profile.id,))


def _name(row_id: str) -> str:
    """32 hex digits that stand for a row."""
    return blake2b(f"row\n{row_id}".encode(), digest_size=16).hexdigest()


def _twice(row_id: str, line: int) -> str:
    return f"the id {row_id!r} was on line {line} already"


def _id_of(raw: Raw, columns: Columns) -> str:
    column = next((c for c, f in columns.used.items() if f == "id"), None)
    return "" if column is None else str(raw.values.get(column) or "")


def _trained(how: Reading, model: Model, count: int, seed: int) -> Model:
    """The model with weights estimated from the file's own rows; where they tell too little, only counted."""
    sample = tuple(_sample(how, model, count, Random(seed)))  # noqa: S311  # not secrets
    found = train(sample, model, seed=seed)
    return found.model if found.matches else replace(counted(sample, model), note=found.model.note)


def _sample(how: Reading, model: Model, count: int, random: Random) -> Iterator[Profile]:
    """Profiles of the rows, or of ``TRAINED_ON`` of them at random."""
    chosen = set(random.sample(range(1, count + 1), TRAINED_ON)) if count > TRAINED_ON else None
    for ordinal, raw in enumerate(rows(how.file), 1):
        if chosen is not None and ordinal not in chosen:
            continue
        try:
            taken = read(raw, ordinal, how, model)
        except BadRow:
            continue
        if taken.profile is not None:
            yield taken.profile
