"""Many reports in one call: one outcome a line, one bad line sinks nothing, no bomb goes off."""

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.ingest.body import Gunzip, Lines
from shared.contracts.report import report_id_of
from shared.problems import Problem
from tests.ingest.harness import AGENCY, Ingest, raw


def lines(count: int, start: int = 1) -> bytes:
    return b"".join(raw(number=n) + b"\n" for n in range(start, start + count))


def test_every_line_has_its_outcome_in_order(ingest: Ingest) -> None:
    body = (
        raw(number=1)
        + b"\n\n"
        + b"{not json\n"
        + raw(number=2)
        + b"\r\n  \n"
        + b'{"schema":"x"}\n'
        + raw(number=3)
    )
    outcomes = ingest.bulk(body)
    assert [(o["line"], o["outcome"]) for o in outcomes] == [
        (1, "ACCEPTED"), (3, "REFUSED"), (4, "ACCEPTED"), (6, "REFUSED"), (7, "ACCEPTED"),
    ]  # fmt: skip
    assert outcomes[0]["report_id"] == report_id_of(AGENCY, "N-1")
    assert outcomes[1]["problem"]["type"] == "/problems/malformed"
    assert outcomes[3]["problem"]["type"] == "/problems/unknown-schema"
    assert {r.key for r in ingest.records()} == {report_id_of(AGENCY, f"N-{n}") for n in (1, 2, 3)}


def test_receipts_of_lines_are_receipts(ingest: Ingest) -> None:
    for outcome in ingest.bulk(lines(3)):
        answer = ingest.http.get(f"/v1/receipts/{outcome['receipt_id']}", headers=ingest.headers())
        assert answer.json()["state"] == "ACCEPTED"


def test_many_chunks_keep_order_and_count(ingest: Ingest) -> None:
    outcomes = ingest.bulk(lines(1_250))
    assert [o["line"] for o in outcomes] == list(range(1, 1_251))
    assert len({r.key for r in ingest.records()}) == 1_250


def test_gzip_is_taken_in_one_or_several_members(ingest: Ingest) -> None:
    body = gzip.compress(lines(2)) + gzip.compress(lines(2, start=3))
    assert [o["outcome"] for o in ingest.bulk(body, Content_Encoding="gzip")] == ["ACCEPTED"] * 4


def test_chunked_bodies_are_taken(ingest: Ingest) -> None:
    def pieces() -> Iterator[bytes]:
        whole = lines(5)
        for at in range(0, len(whole), 100):
            yield whole[at : at + 100]

    answer = ingest.http.post(
        "/v1/reports:bulk",
        content=pieces(),
        headers=ingest.headers() | {"Content-Type": "application/x-ndjson"},
    )
    assert answer.text.count("ACCEPTED") == 5


def test_an_empty_body_has_no_outcomes(ingest: Ingest) -> None:
    assert ingest.bulk(b"") == []
    assert ingest.bulk(b"\n\n") == []


def test_a_line_too_long_is_refused_alone(make_ingest: Callable[..., Ingest]) -> None:
    ingest = make_ingest(max_line=5_000)
    outcomes = ingest.bulk(raw(number=1) + b"\n" + b"x" * 2_000_000 + b"\n" + raw(number=2))
    assert [o["outcome"] for o in outcomes] == ["ACCEPTED", "REFUSED", "ACCEPTED"]
    assert outcomes[1]["problem"]["status"] == 413


def test_too_many_lines_end_the_reading_and_say_so(make_ingest: Callable[..., Ingest]) -> None:
    ingest = make_ingest(max_batch_lines=3)
    outcomes = ingest.bulk(lines(6))
    assert [(o["line"], o["outcome"]) for o in outcomes] == [
        (1, "ACCEPTED"), (2, "ACCEPTED"), (3, "ACCEPTED"), (4, "REFUSED"),
    ]  # fmt: skip
    assert outcomes[3]["problem"]["status"] == 413
    assert "nor any after it" in outcomes[3]["problem"]["detail"]


def test_a_body_too_large_keeps_what_was_taken(make_ingest: Callable[..., Ingest]) -> None:
    ingest = make_ingest(max_batch_bytes=300_000)
    outcomes = ingest.bulk(lines(5_000))
    assert outcomes[-1]["problem"]["status"] == 413
    accepted = [o for o in outcomes if o["outcome"] == "ACCEPTED"]
    assert len(accepted) == len(outcomes) - 1
    assert len(ingest.records()) == len(accepted) > 0


def bomb() -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as file:
        for _ in range(64):
            file.write(b"\0" * (1 << 20))
    return out.getvalue()


def test_a_bomb_is_refused_before_it_goes_off(ingest: Ingest) -> None:
    answer = ingest.post(bomb(), "/v1/reports:bulk", Content_Encoding="gzip")
    assert answer.status_code == 413
    assert "expands" in answer.json()["detail"]
    assert ingest.bulk(raw())[0]["outcome"] == "ACCEPTED"


@pytest.mark.parametrize("body", [b"no gzip at all", gzip.compress(b"x\n" * 10)[:-9], b"\x1f\x8b"], ids=len)
def test_damaged_gzip_is_named(ingest: Ingest, body: bytes) -> None:
    answer = ingest.post(body, "/v1/reports:bulk", Content_Encoding="gzip")
    problem: dict[str, Any] = (
        answer.json() if answer.status_code == 422 else json.loads(answer.text.splitlines()[-1])
    )
    assert "gzip" in json.dumps(problem)


def test_gzip_cut_off_late_keeps_what_came_before(ingest: Ingest) -> None:
    packed = gzip.compress(lines(900), compresslevel=1)
    outcomes = ingest.bulk(packed[: len(packed) // 2], Content_Encoding="gzip")
    assert outcomes[0]["outcome"] == "ACCEPTED"
    assert outcomes[-1]["outcome"] == "REFUSED"
    assert "gzip" in outcomes[-1]["problem"]["detail"]
    assert len(ingest.records()) == len(outcomes) - 1


def test_wrong_media_types_are_415(ingest: Ingest) -> None:
    for headers in ({"Content_Type": "application/json"}, {"Content_Encoding": "br"}):
        assert ingest.post(raw(), "/v1/reports:bulk", **headers).status_code == 415


def test_when_the_log_goes_away_midway_accepted_lines_are_in_it_and_the_rest_say_retry(
    ingest: Ingest,
) -> None:
    ingest.log.appends = 2
    outcomes = ingest.bulk(lines(1_800))
    assert len(outcomes) == 1_800
    accepted = [o for o in outcomes if o["outcome"] == "ACCEPTED"]
    assert [o["line"] for o in accepted] == list(range(1, 1_001))
    refused = outcomes[1_000:]
    assert {o["problem"]["status"] for o in refused} == {503}
    assert {r.key for r in ingest.records()} == {o["report_id"] for o in accepted}
    assert ingest.http.get("/readyz").status_code == 503
    assert ingest.post(raw(), "/v1/reports:bulk").status_code == 503


def test_a_line_that_is_wrong_says_so_even_while_the_log_is_away(ingest: Ingest) -> None:
    ingest.log.appends = 0
    outcomes = ingest.bulk(raw() + b"\n{}\n")
    assert outcomes[0]["problem"]["status"] == 503
    assert outcomes[1]["problem"]["status"] == 422


def test_bulk_is_slowed_to_the_agencys_rate_and_not_cut(make_ingest: Callable[..., Ingest]) -> None:
    ingest = make_ingest(rate_per_agency=5_000)
    assert len(ingest.bulk(lines(600))) == 600


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1_000])
def test_lines_do_not_depend_on_how_the_body_arrives(step: int) -> None:
    body = b"a\n\nbb\r\n" + b"c" * 12 + b"\n \nd\n" + b"e" * 11
    splitter = Lines(max_line=10)
    found = [line for at in range(0, len(body), step) for line in splitter.feed(body[at : at + step])]
    found += splitter.end()
    assert found == [(1, b"a"), (3, b"bb\r"), (4, None), (6, b"d"), (7, None)]


@pytest.mark.parametrize("step", [1, 5, 100_000])
def test_gunzip_gives_back_what_was_packed(step: int) -> None:
    plain = bytes(range(256)) * 5_000
    packed = gzip.compress(plain) + gzip.compress(b"more") + b"\0\0"
    gunzip = Gunzip()
    out = b"".join(p for at in range(0, len(packed), step) for p in gunzip.feed(packed[at : at + step]))
    gunzip.end()
    assert out == plain + b"more"


def test_gunzip_never_holds_more_than_a_piece() -> None:
    taken = []

    def unpack() -> None:
        taken.extend(len(piece) for piece in Gunzip().feed(zlib.compress(b"\0" * (50 << 20), 9, 31)))

    with pytest.raises(Problem, match="expands"):
        unpack()
    assert sum(taken) <= 14 << 20
    assert max(taken) <= 256 << 10
