"""Rows of a file, one after the other: CSV, JSON lines (both also gzipped) and Parquet."""

import csv
import gzip
import importlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import orjson

from shared.errors import Misconfigured

_FORMATS: Final = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
}  # fmt: skip
_LONGEST: Final = 1 << 20
"""Characters of a line, or of a cell, beyond which a row is refused."""
_BATCH: Final = 2_000
NO_ROW: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Raw:
    """A row as it was read, and the line it begins on (of Parquet: its number); ``fault``: why it is none."""

    line: int
    values: Mapping[str, Any]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds: its columns in order, and how many rows."""

    columns: tuple[str, ...]
    rows: int


def contents(path: Path) -> Contents:
    """Look through a file; raises ``Misconfigured`` for one that cannot be read as rows."""
    kind = _format(path)
    if kind == "parquet":
        file = _parquet(path)
        found = Contents(tuple(file.schema_arrow.names), file.metadata.num_rows)
        file.close()
        return found
    columns: dict[str, None] = {}
    count = 0
    for raw in rows(path):
        columns.update(dict.fromkeys(raw.values))
        count += 1
    if kind == "csv":
        with _text(path) as file:
            columns = dict.fromkeys(_header(path, file)[0])
    if not columns:
        raise Misconfigured(f"{path} holds no rows")
    return Contents(tuple(columns), count)


def rows(path: Path) -> Iterator[Raw]:
    """The rows of a file in order, without ever holding more than a few; bad ones have a ``fault``."""
    kind = _format(path)
    if kind == "parquet":
        yield from _parquet_rows(path)
        return
    with _text(path) as file:
        try:
            yield from _csv_rows(path, file) if kind == "csv" else _json_rows(file)
        except (EOFError, gzip.BadGzipFile) as error:
            raise Misconfigured(f"{path} is damaged: {error}") from error


def _format(path: Path) -> str:
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    found = _FORMATS.get(suffix.lower())
    if found is None or (found == "parquet" and path.suffix == ".gz"):
        raise Misconfigured(
            f"{path}: name the file .csv, .tsv, .jsonl or .ndjson (each also with .gz), or .parquet"
        )
    if not path.is_file():
        raise Misconfigured(f"{path}: there is no such file")
    return found


def _text(path: Path) -> TextIO:
    """The file as text; bytes that are no UTF-8 stay recognisable, so that only their rows are refused."""
    opened = gzip.open if path.suffix == ".gz" else Path.open
    return io.TextIOWrapper(opened(path, "rb"), "utf-8-sig", "surrogateescape", newline="")


def _header(path: Path, file: TextIO) -> tuple[list[str], Any]:
    """The columns of a CSV file, and the reader of its rows."""
    first = file.readline(_LONGEST)
    if not first.strip():
        raise Misconfigured(f"{path} is empty: its first line should name the columns")
    delimiter = max("\t,;|", key=first.count)
    names = [n.strip() for n in next(csv.reader([first], delimiter=delimiter, skipinitialspace=True))]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice or not all(names):
        raise Misconfigured(
            f"{path}: the first line names {', '.join(twice) or 'a column without a name'}"
            + (" twice" if twice else "")
        )
    csv.field_size_limit(_LONGEST)
    return names, csv.reader(file, delimiter=delimiter, skipinitialspace=True)


def _csv_rows(path: Path, file: TextIO) -> Iterator[Raw]:
    names, reader = _header(path, file)
    while True:
        line = reader.line_num + 2
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Raw(line, NO_ROW, f"not CSV: {error}")
            continue
        if not cells:
            continue
        if len(cells) != len(names):
            yield Raw(line, NO_ROW, f"{len(cells)} cells, {len(names)} columns")
        elif not all(map(_is_text, cells)):
            yield Raw(line, NO_ROW, "not UTF-8")
        else:
            yield Raw(line, dict(zip(names, cells, strict=True)))


def _is_text(cell: str) -> bool:
    return cell.isascii() or not any("\udc80" <= c <= "\udcff" for c in cell)


def _json_rows(file: TextIO) -> Iterator[Raw]:
    line = 0
    while text := file.readline(_LONGEST):
        line += 1
        if len(text) == _LONGEST and not text.endswith("\n"):
            while (rest := file.readline(_LONGEST)) and not rest.endswith("\n"):
                pass
            yield Raw(line, NO_ROW, f"longer than {_LONGEST:,} characters")
            continue
        if not text.strip():
            continue
        try:
            found = orjson.loads(text.encode("utf-8", "surrogateescape"))
        except orjson.JSONDecodeError as error:
            yield Raw(line, NO_ROW, f"not JSON: {error}")
            continue
        if isinstance(found, dict):
            yield Raw(line, found)
        else:
            yield Raw(line, NO_ROW, "not a JSON object")


def _parquet(path: Path) -> Any:
    """The open Parquet file; the library is an extra, for most lists are CSV."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"{path}: Parquet needs pip install 'interlock[parquet]'; or give CSV or JSON lines"
        ) from error
    try:
        return parquet.ParquetFile(path)
    except (ValueError, OSError) as error:
        raise Misconfigured(f"{path} is no Parquet file: {error}") from error


def _parquet_rows(path: Path) -> Iterator[Raw]:
    number = 0
    file = _parquet(path)
    try:
        for batch in file.iter_batches(batch_size=_BATCH):
            for values in batch.to_pylist():
                number += 1
                yield Raw(number, values)
    finally:
        file.close()
