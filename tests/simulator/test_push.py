"""Sending a simulation over HTTP: in order, in bulk, patient with busy services, loud about refusals."""

import json
from collections import defaultdict

import httpx
import pytest

from services.simulator.generate import generate
from services.simulator.push import BATCH, Pushed, PushFailed, Target, push

URLS = {feed: f"http://{feed.lower()}.test" for feed in ("SOD", "OFC", "EPIC", "BCSC")}


class Ingest:
    """A fake ingest: remembers what it took; ``busy`` answers of 503 come first."""

    def __init__(self, busy: int = 0, half: bool = False) -> None:
        self.busy = busy
        self.half = half
        self.taken: dict[tuple[str, str], list[str]] = defaultdict(list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.busy:
            self.busy -= 1
            return httpx.Response(503, headers={"Retry-After": "2"})
        agency = request.headers["Authorization"].removeprefix("Bearer token-")
        feed = request.url.host.removesuffix(".test").upper()
        rows = []
        for number, raw in enumerate(request.content.splitlines(), 1):
            payload = json.loads(raw)
            assert payload["originator"]["agency_id"] == agency
            assert payload["schema"].startswith(feed)
            if self.half and number > 3:
                self.half = False
                rows.append({"line": number, "outcome": "REFUSED", "problem": {"status": 503}})
            elif payload["schema"] == "EPIC.BIFS_PRODUCT/1":
                rows.append({"line": number, "outcome": "REFUSED", "problem": {"status": 422}})
            else:
                self.taken[feed, agency].append(f"{payload['source_report_no']}/{payload['version']}")
                rows.append({"line": number, "outcome": "ACCEPTED", "receipt_id": "r", "report_id": "i"})
        return httpx.Response(200, content="\n".join(json.dumps(r) for r in rows))


def target(ingest: Ingest, slept: list[float]) -> Target:
    return Target(
        URLS, "token-{}".format, concurrency=3, sleep=slept.append, transport=httpx.MockTransport(ingest)
    )


def expected(reports: int) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for s in generate(reports, seed=2):
        if s.payload["schema"] != "EPIC.BIFS_PRODUCT/1":
            found[s.feed, s.agency].append(f"{s.truth.source_report_no}/{s.truth.version}")
    return found


def test_every_report_arrives_once_in_the_order_of_its_agency_and_feed() -> None:
    ingest, heard = Ingest(), list[int]()
    done = push(generate(4_000, seed=2), target(ingest, []), lambda p: heard.append(p.accepted + p.refused))
    assert ingest.taken == expected(4_000)
    assert done.accepted + done.refused == 4_000
    assert heard == sorted(heard)
    assert heard[-1] == 4_000
    assert sum(done.by_feed.values()) == done.accepted


def test_refused_lines_are_counted_and_shown_with_their_problem() -> None:
    done = push(generate(2_000, seed=2), target(Ingest(), []))
    assert done.refused > 0
    assert done.refusals[0]["problem"]["status"] == 422
    assert done.refusals[0]["report"]["schema"] == "EPIC.BIFS_PRODUCT/1"


def test_a_busy_service_is_asked_again_after_the_time_it_names() -> None:
    ingest, slept = Ingest(busy=3), list[float]()
    done = push(generate(300, seed=2), target(ingest, slept))
    assert done.accepted + done.refused == 300
    assert slept == [2.0, 2.0, 2.0]
    assert done.repeated == 3


def test_lines_that_a_busy_service_left_out_are_sent_again() -> None:
    ingest = Ingest(half=True)
    done = push(generate(300, seed=2), target(ingest, []))
    assert done.accepted + done.refused == 300
    assert {k: sorted(v) for k, v in ingest.taken.items()} == {k: sorted(v) for k, v in expected(300).items()}


def test_a_service_that_stays_away_is_named() -> None:
    with pytest.raises(PushFailed, match="has been away"):
        push(generate(50, seed=2), target(Ingest(busy=10_000), []))


def test_a_refused_batch_says_what_the_service_said() -> None:
    def forbidden(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, text="not your agency")

    aim = Target(URLS, str, sleep=lambda _: None, transport=httpx.MockTransport(forbidden))
    with pytest.raises(PushFailed, match="not your agency"):
        push(generate(50, seed=2), aim)


def test_nothing_to_send_is_no_request() -> None:
    assert push([], target(Ingest(), [])) == Pushed()
    assert BATCH >= 100
