"""A receipt says what became of a report, to its agency and to nobody else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.command.letters import discard, open_letters, retry
from services.ingest.progress import DeadLetters, Progress
from services.ingest.receipts import Receipt, Sealer
from shared.contracts.topics import DEAD_LETTERS, FUSION_GROUP, REPORTS, TOPICS
from shared.errors import Transient
from shared.log import Log, NewRecord, Position, Record, open_log
from tests.ingest.harness import Ingest, Switched, raw


def fuse(log: Log, *, poison: frozenset[int] = frozenset()) -> list[Record]:
    """Commit everything as fusion does: dead letters (of these ordinals) first, commits after."""
    consumer = log.consumer(FUSION_GROUP, [REPORTS.name])
    done: list[Record] = []
    while batch := consumer.poll(1_000, 1.0 if not done else 0.0):
        done += batch
    letters = [
        NewRecord(
            record.key,
            record.value,
            {
                "source-topic": REPORTS.name,
                "source-partition": str(record.position.partition),
                "source-offset": str(record.position.offset),
                "error": "the same version came before with other content",
                "step": "normalise",
            },
        )
        for n, record in enumerate(done)
        if n in poison
    ]
    if letters:
        log.append(DEAD_LETTERS.name, letters)
    consumer.commit()
    consumer.close()
    return done


def state(ingest: Ingest, receipt: str, agency: str = "TXZZZ0001") -> dict[str, object]:
    answer = ingest.http.get(f"/v1/receipts/{receipt}", headers=ingest.headers(agency))
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_a_report_is_accepted_until_fusion_has_committed_past_it(ingest: Ingest) -> None:
    receipt = ingest.post(raw()).json()["receipt_id"]
    before = state(ingest, receipt)
    assert before["state"] == "ACCEPTED"
    assert before["processed_at"] is None
    fuse(ingest.log)
    after = state(ingest, receipt)
    assert after["state"] == "FUSED"
    assert str(after["processed_at"]) >= str(after["accepted_at"])[:19]
    assert after["accepted_at"] == before["accepted_at"]
    assert after["problem"] is None


def test_a_dead_letter_says_why(ingest: Ingest) -> None:
    receipt = ingest.post(raw()).json()["receipt_id"]
    fuse(ingest.log, poison=frozenset({0}))
    found = state(ingest, receipt)
    assert found["state"] == "DEAD_LETTERED"
    assert found["processed_at"]
    problem = found["problem"]
    assert isinstance(problem, dict)
    assert problem["type"] == "/problems/dead-lettered"
    assert "other content (step normalise)" in problem["detail"]


def test_a_retried_letter_says_what_became_of_the_report_since(ingest: Ingest) -> None:
    receipt = ingest.post(raw()).json()["receipt_id"]
    fuse(ingest.log, poison=frozenset({0}))
    (letter,) = open_letters(ingest.log)
    retry(ingest.log, [letter])
    assert state(ingest, receipt)["state"] == "ACCEPTED"
    fuse(ingest.log, poison=frozenset({0}))
    assert state(ingest, receipt)["state"] == "DEAD_LETTERED"
    (letter,) = open_letters(ingest.log)
    retry(ingest.log, [letter])
    fuse(ingest.log)
    found = state(ingest, receipt)
    assert found["state"] == "FUSED"
    assert found["problem"] is None


def test_a_discarded_letter_stays_dead(ingest: Ingest) -> None:
    receipt = ingest.post(raw()).json()["receipt_id"]
    fuse(ingest.log, poison=frozenset({0}))
    discard(ingest.log, open_letters(ingest.log), "entered in error")
    assert state(ingest, receipt)["state"] == "DEAD_LETTERED"


def test_to_other_agencies_a_receipt_does_not_exist(ingest: Ingest) -> None:
    receipt = ingest.post(raw()).json()["receipt_id"]
    hidden = ingest.http.get(f"/v1/receipts/{receipt}", headers=ingest.headers("NMZZZ0002"))
    unknown = ingest.http.get(f"/v1/receipts/{'0' * len(receipt)}", headers=ingest.headers("NMZZZ0002"))
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json()["detail"] == unknown.json()["detail"]
    assert ingest.http.get(f"/v1/receipts/{receipt}").status_code == 401


@pytest.mark.parametrize("change", ["flip", "short", "long", "upper", "words", "no hex"])
def test_a_tampered_receipt_does_not_exist(ingest: Ingest, change: str) -> None:
    receipt = str(ingest.post(raw()).json()["receipt_id"])
    bad = {
        "flip": ("0" if receipt[0] != "0" else "1") + receipt[1:],
        "short": receipt[:-2],
        "long": receipt + "00",
        "upper": receipt.upper(),
        "words": "receipt",
        "no hex": "zz" + receipt[2:],
    }[change]
    assert ingest.http.get(f"/v1/receipts/{bad}", headers=ingest.headers()).status_code == 404


def test_while_the_log_is_away_a_receipt_waits(ingest: Ingest) -> None:
    receipt = ingest.post(raw()).json()["receipt_id"]
    ingest.log.away = True
    answer = ingest.http.get(f"/v1/receipts/{receipt}", headers=ingest.headers())
    assert answer.status_code == 503


@given(
    st.integers(0, 65_535),
    st.integers(0, 2**63),
    st.from_regex(r"[A-Z]{2}[A-Z0-9]{7}", fullmatch=True),
    st.integers(0, 2**42),
)
def test_what_is_sealed_opens_with_the_same_key_only(
    partition: int, offset: int, agency: str, at: int
) -> None:
    receipt = Receipt(partition, offset, agency, at)
    sealed = Sealer(b"k" * 32).seal(receipt)
    assert Sealer(b"k" * 32).open(sealed) == receipt
    assert Sealer(b"x" * 32).open(sealed) is None


def test_a_receipt_shows_neither_place_nor_agency() -> None:
    sealer = Sealer(b"k" * 32)
    one, two = (sealer.seal(Receipt(0, n, "TXZZZ0001", 1)) for n in (1, 2))
    assert b"TXZZZ" not in bytes.fromhex(one)
    assert sum(a == b for a, b in zip(one, two, strict=True)) < 30


@pytest.fixture
def log(tmp_path: Path) -> Log:
    opened = open_log(f"sqlite:///{tmp_path}/log.db?partitions=2")
    opened.ensure(TOPICS)
    return opened


def sent(log: Log, count: int) -> list[Position]:
    return log.append(REPORTS.name, [NewRecord(f"k{n}", b"{}") for n in range(count)])


def test_forgotten_dead_letters_are_found_in_the_log(log: Log) -> None:
    sent(log, 6)
    done = fuse(log, poison=frozenset(range(5)))
    letters = DeadLetters(log, remembered=2)
    letters.catch_up()
    for record in done[:5]:
        found = letters.find(record.position.partition, record.position.offset)
        assert found is not None
        assert found.key == record.key
    assert letters.find(done[5].position.partition, done[5].position.offset) is None
    log.close()


def test_dead_letters_of_other_topics_are_passed_over(log: Log) -> None:
    headers = {"source-topic": "judgements.v1", "source-partition": "0", "source-offset": "0"}
    log.append(
        DEAD_LETTERS.name,
        [NewRecord("j", b"x", headers), NewRecord("k", b"x", {"source-topic": REPORTS.name})],
    )
    letters = DeadLetters(log)
    letters.catch_up()
    assert letters.find(0, 0) is None
    log.close()


def test_the_time_of_processing_is_when_the_commit_was_first_seen(log: Log) -> None:
    now = [1_000.0]
    progress = Progress(log, clock=lambda: now[0])
    (position,) = sent(log, 1)
    progress.refresh()
    fuse(log)
    now[0] = 2_000.0
    outcome = progress.outcome(position.partition, position.offset)
    assert outcome.state == "FUSED"
    assert outcome.processed_at == datetime.fromtimestamp(2_000, UTC)
    later = Progress(log, clock=lambda: 3_000.0)
    assert later.outcome(position.partition, position.offset).processed_at is None
    log.close()


def test_readiness_follows_the_log(log: Log) -> None:
    switched = Switched(log)
    progress = Progress(switched)
    with pytest.raises(Transient):
        progress.ready()
    progress.refresh()
    progress.ready()
    switched.away = True
    progress.refresh()
    with pytest.raises(Transient, match="disk does not answer"):
        progress.ready()
    switched.away = False
    progress.refresh()
    progress.ready()
    log.close()
