"""Dead letters: listed until somebody deals with them; retried with their own bytes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.command.console import Failed
from services.command.letters import Letter, choose, discard, open_letters, retry
from shared.contracts.topics import DEAD_LETTERS, REPORTS, TOPICS
from shared.log import Log, NewRecord, Position, open_log


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = open_log(f"sqlite:///{tmp_path / 'log.db'}?partitions=2")
    opened.ensure(TOPICS)
    yield opened
    opened.close()


def dead(log: Log, key: str, offset: int, step: str = "parse", error: str = "broken") -> None:
    headers = {
        "source-topic": "reports.v1", "source-partition": "0", "source-offset": str(offset),
        "step": step, "error": error, "traceparent": "00-1-2-01",
    }  # fmt: skip
    log.append(DEAD_LETTERS.name, [NewRecord(key, f"bytes of {key}".encode(), headers)])


def reports(log: Log) -> list[tuple[str, bytes | None, dict[str, str]]]:
    ends = log.ends(REPORTS.name)
    found = [r for p in ends for r in log.read(Position(REPORTS.name, p, 0), 100)]
    return [(r.key, r.value, dict(r.headers)) for r in found]


def keys(letters: list[Letter]) -> list[str]:
    return [letter.record.key for letter in letters]


def test_an_open_letter_says_what_why_and_where_from(log: Log) -> None:
    dead(log, "a", 7, "normalise", "no such thing")
    (letter,) = open_letters(log)
    assert (letter.step, letter.error, letter.source) == (
        "normalise", "no such thing", ("reports.v1", "0", "7")
    )  # fmt: skip


def test_retrying_gives_the_original_bytes_to_their_topic_and_closes_the_letter(log: Log) -> None:
    dead(log, "a", 1)
    dead(log, "b", 2)
    retry(log, [x for x in open_letters(log) if x.record.key == "a"])
    assert reports(log) == [("a", b"bytes of a", {"traceparent": "00-1-2-01"})]
    assert keys(open_letters(log)) == ["b"]


def test_a_retried_letter_that_fails_again_is_open_again(log: Log) -> None:
    dead(log, "a", 1)
    retry(log, open_letters(log))
    dead(log, "a", 9)
    assert [x.source[2] for x in open_letters(log)] == ["9"]


def test_discarding_closes_and_sends_nothing(log: Log) -> None:
    dead(log, "a", 1)
    discard(log, open_letters(log), "sent again")
    assert open_letters(log) == []
    assert reports(log) == []


def test_a_record_set_aside_twice_is_one_letter(log: Log) -> None:
    dead(log, "a", 1)
    dead(log, "a", 1)
    assert len(open_letters(log)) == 1
    discard(log, open_letters(log), "once is enough")
    assert open_letters(log) == []


def test_letters_are_chosen_by_id_or_by_step(log: Log) -> None:
    dead(log, "a", 1, "parse")
    dead(log, "b", 2, "normalise")
    letters = open_letters(log)
    assert keys(choose(letters, [letters[0].id], step=None, every=False)) == ["a"]
    assert keys(choose(letters, [], step="normalise", every=True)) == ["b"]
    with pytest.raises(Failed, match="no open dead letter 9-9"):
        choose(letters, ["9-9"], step=None, every=False)
