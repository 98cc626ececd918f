"""The dead letters as a list: which records were set aside, why, and which of them were dealt with since.

A letter is dealt with by a tombstone that names it; the topic itself is only appended to.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.command.console import Failed
from shared.contracts.topics import (
    DEAD_LETTERS,
    H_AGAIN,
    H_ERROR,
    H_HANDLED,
    H_LETTER,
    H_OFFSET,
    H_PARTITION,
    H_SCHEMA,
    H_STEP,
    H_TOPIC,
    H_TRACEPARENT,
)
from shared.log import Log, NewRecord, Position, Record

PAGE = 500
KEPT_HEADERS = (H_TRACEPARENT, H_SCHEMA)
SOURCE_HEADERS = (H_TOPIC, H_PARTITION, H_OFFSET)


@dataclass(frozen=True, slots=True)
class Letter:
    """One record that could not be processed; ``id`` is where it stands among the dead letters."""

    id: str
    source: tuple[str, str, str]
    step: str
    error: str
    record: Record

    @property
    def at(self) -> datetime:
        """When it was set aside."""
        return datetime.fromtimestamp(self.record.timestamp_ms / 1000, UTC)


def open_letters(log: Log) -> list[Letter]:
    """The dead letters that nobody has dealt with, oldest first."""
    found: dict[tuple[str, str, str], Letter] = {}
    sources: dict[str, tuple[str, str, str]] = {}
    for record in sorted(_records(log), key=lambda r: (r.timestamp_ms, r.position)):
        if H_HANDLED in record.headers:
            found.pop(sources.get(record.headers.get(H_LETTER, ""), ("", "", "")), None)
            continue
        letter = _letter(record)
        sources[letter.id] = letter.source
        found[letter.source] = letter  # a crash may have set the same record aside twice
    return list(found.values())


def behind(log: Log, group: str, topic: str) -> int:
    """How many records of a topic the group has yet to commit."""
    committed = log.committed(group, topic)
    return sum(max(0, end - committed.get(partition, 0)) for partition, end in log.ends(topic).items())


def _records(log: Log) -> Iterator[Record]:
    for partition, end in log.ends(DEAD_LETTERS.name).items():
        offset = 0
        while offset < end:
            page = log.read(Position(DEAD_LETTERS.name, partition, offset), PAGE)
            if not page:
                break
            yield from page
            offset = page[-1].position.offset + 1


def _letter(record: Record) -> Letter:
    topic, partition, offset = (record.headers.get(name, "?") for name in SOURCE_HEADERS)
    place = f"{record.position.partition}-{record.position.offset}"
    step, error = (record.headers.get(name, "?") for name in (H_STEP, H_ERROR))
    return Letter(place, (topic, partition, offset), step, error, record)


def choose(letters: Sequence[Letter], ids: Sequence[str], *, step: str | None, every: bool) -> list[Letter]:
    """The letters that a command is about; raises ``Failed`` for an id that is not among them."""
    chosen = [x for x in letters if x.id in ids or (every and (step is None or x.step == step))]
    missing = sorted(set(ids) - {x.id for x in letters})
    if missing:
        raise Failed(f"no open dead letter {', '.join(missing)}: `interlock dead-letters list` shows them")
    return chosen


def retry(log: Log, letters: Sequence[Letter]) -> None:
    """Give the original bytes to their topic again; a crash between gives them twice, which is harmless."""
    for letter in letters:
        headers = {
            name: letter.record.headers[name] for name in KEPT_HEADERS if name in letter.record.headers
        }
        (again,) = log.append(letter.source[0], [NewRecord(letter.record.key, letter.record.value, headers)])
        _close(log, letter, "retried", {H_AGAIN: f"{again.partition}-{again.offset}"})


def discard(log: Log, letters: Sequence[Letter], reason: str) -> None:
    """Take letters off the list; their bytes stay in the topic for as long as it keeps them."""
    for letter in letters:
        _close(log, letter, f"discarded: {reason}")


def _close(log: Log, letter: Letter, how: str, more: Mapping[str, str] | None = None) -> None:
    source = dict(zip(SOURCE_HEADERS, letter.source, strict=True))
    headers = {H_HANDLED: how, H_LETTER: letter.id, **source, **(more or {})}
    log.append(DEAD_LETTERS.name, [NewRecord(letter.record.key, None, headers)])
