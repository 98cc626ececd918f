"""The answers of ``resolve`` as files: entities, the pairs that made them, those for a person to decide."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection

from services.fusion import backload_store, component_store, progress_store, size_store, store
from services.fusion.backload_store import Holding
from services.fusion.fuse import Fuser
from services.fusion.values import Place, Scored
from shared.contracts.resolution import EvidenceRow

_CHUNK: Final = 500
_PAIR: Final = ("a", "b", "weight", "evidence")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written. ``sizes``: how many entities have how many rows; pairs by what became of them."""

    rows: int
    sizes: Mapping[int, int]
    ties: int
    possible: int
    ambiguous: int
    files: tuple[Path, ...]

    @property
    def entities(self) -> int:
        """How many entities there are."""
        return sum(self.sizes.values())


class Table:
    """A CSV file that is written row by row."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.count = 0
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(columns)

    def add(self, *cells: Any) -> None:
        """Write a row."""
        self._writer.writerow(cells)
        self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class Refusals:
    """The rows that could not be used, with their lines; no file where there are none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._table: Table | None = None
        path.unlink(missing_ok=True)

    def add(self, line: int, row_id: str, reason: str) -> None:
        """Write one down."""
        if self._table is None:
            self._table = Table(self._path, ("line", "id", "reason"))
        clean = (text.encode("utf-8", "replace").decode() for text in (row_id, reason))
        self._table.add(line, *clean)

    @property
    def count(self) -> int:
        """How many."""
        return 0 if self._table is None else self._table.count

    @property
    def files(self) -> tuple[Path, ...]:
        """The file, if there is one."""
        return () if self._table is None else (self._path,)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._table is not None:
            self._table.__exit__(kind, error, trace)


def export(fuser: Fuser, folder: Path, tell: Callable[[int, int], None]) -> Written:
    """Write ``pairs.csv``, ``possible.csv`` and ``entities.csv``; ``tell``: profiles done, and all."""
    with (
        Table(folder / "pairs.csv", _PAIR) as pairs,
        Table(folder / "possible.csv", (*_PAIR, "case")) as possible,
    ):
        cases = _pairs(fuser, pairs, possible, tell)
        _possible(fuser, possible, cases)
    with fuser.db.snapshot() as conn, Table(folder / "entities.csv", ("id", "entity", "weight")) as entities:
        for row_id, entity, weight in backload_store.answers(conn):
            entities.add(row_id, entity, "" if weight is None else bits(weight))
        sizes = backload_store.sizes(conn)
    files = (entities.path, pairs.path, possible.path)
    return Written(
        entities.count, dict(sorted(sizes.items())), pairs.count, cases["POSSIBLE"], cases["AMBIGUOUS"], files
    )


def _pairs(fuser: Fuser, pairs: Table, possible: Table, tell: Callable[[int, int], None]) -> Counter[str]:
    """Write the pairs, component by component, and store each profile's strongest tie."""
    cases: Counter[str] = Counter()
    after: str | None = None
    done = 0
    with fuser.db.snapshot() as conn:
        total = int(size_store.sizes(conn)[size_store.PROFILES])
    while True:
        with fuser.db.snapshot() as conn:
            heads = list(progress_store.next_leaders(conn, after, _CHUNK))
            if not heads:
                return cases
            strongest = _component_pairs(conn, fuser, heads, (pairs, possible, cases))
        with fuser.db.transaction() as conn:
            backload_store.put_ties(conn, strongest)
        after = heads[-1].profile
        done += sum(h.size for h in heads)
        tell(done, max(done, total))


def _component_pairs(
    conn: Connection, fuser: Fuser, heads: Sequence[Place], out: tuple[Table, Table, Counter[str]]
) -> dict[str, int]:
    """The strongest tie of each profile of some components, whose pairs are written."""
    pairs, possible, cases = out
    others = component_store.members(conn, {h.profile for h in heads if h.size > 1})
    entity_of = {h.profile: h.entity for h in heads}
    entity_of.update({p.profile: p.entity or entity_of[p.leader] for p in others})
    held = backload_store.holdings(conn, entity_of)
    strongest: dict[str, int] = {}
    several = {h.profile for h in heads if h.size > 1}.union(p.profile for p in others)
    compared = fuser.all_pairs(conn, store.load_profiles(conn, fuser.cache, several)) if several else []
    equal = {p: h for p, h in held.items() if h.count > 1}
    for scored in chain(compared, _equals(conn, fuser, equal)):
        case = _case(scored, entity_of)
        if case is None:
            continue
        if case == "SAME":
            for p in (scored.a, scored.b):
                strongest[p] = max(strongest.get(p, scored.comparison.weight), scored.comparison.weight)
            ids = _rows(conn, scored, held)
            for a, b in ids:
                pairs.add(a, b, bits(scored.comparison.weight), in_words(scored.comparison.rows))
        else:
            cases[case] += 1
            (a, b), *_ = _rows(conn, scored, held)
            possible.add(a, b, bits(scored.comparison.weight), in_words(scored.comparison.rows), case)
    return strongest


def _possible(fuser: Fuser, possible: Table, cases: Counter[str]) -> None:
    """Write the pairs below the threshold whose ends are two entities."""
    with fuser.db.snapshot() as conn:
        for some in backload_store.possible(conn):
            ends = {i for a, b, *_ in some for i in (a, b)}
            held, entity_of = backload_store.holdings(conn, ends), backload_store.entities(conn, ends)
            for a, b, weight, evidence in some:
                if entity_of[a] != entity_of[b]:
                    first, second = sorted((held[a], held[b]), key=lambda h: h.ordinal)
                    possible.add(first.first, second.first, bits(weight), evidence, "POSSIBLE")
                    cases["POSSIBLE"] += 1


def _equals(conn: Connection, fuser: Fuser, equal: Mapping[str, Holding]) -> Iterator[Scored]:
    """Each profile that several rows have, compared with itself."""
    for profile_id, known in store.load_profiles(conn, fuser.cache, equal).items():
        found = fuser.resolver.compare(known.profile, known.profile)
        yield Scored(profile_id, profile_id, found, ())


def _case(scored: Scored, entity_of: Mapping[str, str | None]) -> str | None:
    """SAME: the pair holds an entity together; AMBIGUOUS: strong, but held apart; None: contradicted."""
    if scored.a == scored.b:
        return "SAME"
    if scored.comparison.contradicted:
        return None
    return "SAME" if entity_of[scored.a] == entity_of[scored.b] else "AMBIGUOUS"


def _rows(conn: Connection, scored: Scored, held: Mapping[str, Holding]) -> Iterator[tuple[str, str]]:
    """The rows that a pair stands for: each profile's first; of equal rows, the first with each other."""
    one, other = held[scored.a], held[scored.b]
    if scored.a == scored.b:
        yield from ((one.first, other_id) for other_id in backload_store.others(conn, scored.a, one.ordinal))
    else:
        first, second = sorted((one, other), key=lambda h: h.ordinal)
        yield first.first, second.first


def bits(centibits: int) -> str:
    """A weight in bits."""
    return f"{centibits / 100:.2f}"


def in_words(rows: Sequence[EvidenceRow]) -> str:
    """Evidence in one line, the weights in bits."""
    return "; ".join(_row_in_words(row) for row in rows)


def _row_in_words(row: EvidenceRow) -> str:
    values = f" ({row.a})" if row.a == row.b and row.a else f" ({row.a} / {row.b})" if row.a or row.b else ""
    return f"{row.feature}: {row.level}{values} {row.weight / 100:+.2f}"
