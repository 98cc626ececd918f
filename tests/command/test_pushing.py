"""Pushing files: each line to its feed, refusals set aside, busy services waited for, and no line twice."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.command import pushing
from services.command.console import Failed
from services.command.pushing import FilePush, Sender, read_line
from services.command.reach import Reach
from shared.settings import Settings

Answer = Callable[[httpx.Request, list[dict[str, Any]]], httpx.Response]


def report(number: int, feed: str = "EPIC", agency: str = "TXZZZ0001", **more: Any) -> dict[str, Any]:
    return {
        "schema": f"{feed}.SEIZURE/1", "source_report_no": f"N-{number}", "originator": {"agency_id": agency}
    } | more  # fmt: skip


def accept(request: httpx.Request, reports: list[dict[str, Any]]) -> httpx.Response:
    """As an ingest does: reports without ``bad`` are accepted."""
    rows = []
    for i, each in enumerate(reports, 1):
        if each.get("bad"):
            problem = {"status": 422, "errors": [{"pointer": "/bad", "message": "no", "allowed": ["a", "b"]}]}
            rows.append({"line": i, "outcome": "REFUSED", "problem": problem})
        else:
            rows.append({"line": i, "outcome": "ACCEPTED", "receipt_id": each["source_report_no"]})
    return httpx.Response(200, text="\n".join(json.dumps(row) for row in rows))


class Services:
    """What the requests were, and a sender that makes them."""

    def __init__(self, home: Path, answer: Answer = accept) -> None:
        self.requests: list[tuple[str, list[dict[str, Any]]]] = []
        self.slept: list[float] = []
        self.answer = answer
        reach = Reach(Settings(home=home), None, None, httpx.MockTransport(self._handle))
        self.sender = Sender(reach, sleep=self.slept.append)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        reports = [json.loads(row) for row in request.content.splitlines()]
        self.requests.append((str(request.url), reports))
        return self.answer(request, reports)

    def push(self, file: Path) -> pushing.Tally:
        return FilePush(file).run(self.sender, lambda _: None)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services(tmp_path / "home")


def ndjson(path: Path, reports: list[Any]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in reports))
    return path


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "/schema: missing"),
        (b'{"schema": 5}', "/schema: missing"),
        (b'{"schema": "FBI.TIP/1"}', "no feed 'FBI'; known are SOD, OFC, EPIC, BCSC"),
        (b'{"schema": "leads.X/1"}', "no feed 'leads'"),
    ],
)
def test_a_line_that_is_for_no_feed_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    assert reason in str(read_line(1, raw).reason)


def test_each_line_goes_to_the_feed_of_its_schema(services: Services, tmp_path: Path) -> None:
    file = ndjson(tmp_path / "f.ndjson", [report(1, "SOD"), report(2, "EPIC"), report(3, "SOD")])
    assert services.push(file).accepted == 3
    sent = {url: [r["source_report_no"] for r in reports] for url, reports in services.requests}
    assert sent == {
        "http://127.0.0.1:8101/v1/reports:bulk": ["N-1", "N-3"],
        "http://127.0.0.1:8103/v1/reports:bulk": ["N-2"],
    }


def test_refused_lines_stand_in_a_file_that_can_be_mended_and_pushed(
    services: Services, tmp_path: Path
) -> None:
    file = ndjson(tmp_path / "f.ndjson", [report(1), report(2, bad=True), "no report", report(4)])
    tally = services.push(file)
    assert (tally.accepted, tally.refused) == (2, 2)
    assert [r.line.number for r in tally.refusals] == [2, 3]
    assert tally.refusals[0].reasons == ("/bad: no (allowed: a, b)",)
    refused = tmp_path / "f.ndjson.refused.ndjson"
    assert refused.read_text().startswith("# line 2: /bad: no")
    refused.write_text(refused.read_text().replace('"bad": true', '"bad": false').replace('"no report"', ""))
    assert services.push(refused).accepted == 1


def test_a_stopped_push_goes_on_after_the_last_window(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "WINDOW_LINES", 2)
    file = ndjson(tmp_path / "f.ndjson", [report(i) for i in range(7)])

    def stop_in_third(_: httpx.Request, reports: list[dict[str, Any]]) -> httpx.Response:
        if len(services.requests) == 3:
            raise KeyboardInterrupt
        return accept(_, reports)

    services.answer = stop_in_third
    with pytest.raises(KeyboardInterrupt):
        services.push(file)
    services.answer = accept
    tally = services.push(file)
    assert (tally.resumed_after, tally.accepted) == (4, 3)
    assert [p.name for p in tmp_path.iterdir() if p.name != "home"] == ["f.ndjson"]


def test_a_changed_file_starts_anew(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "WINDOW_LINES", 2)
    file = ndjson(tmp_path / "f.ndjson", [report(i) for i in range(4)])
    services.answer = lambda r, reports: (
        accept(r, reports) if len(services.requests) < 2 else httpx.Response(400)
    )
    with pytest.raises(Failed):
        services.push(file)
    services.answer = accept
    ndjson(file, [report(i) for i in range(10, 14)])
    assert services.push(file).accepted == 4


def test_a_busy_service_is_waited_for_as_long_as_it_asks(services: Services, tmp_path: Path) -> None:
    def busy_twice(request: httpx.Request, reports: list[dict[str, Any]]) -> httpx.Response:
        if len(services.requests) == 1:
            return httpx.Response(503, headers={"Retry-After": "7"})
        if len(services.requests) == 2:
            raise httpx.ConnectError("refused")
        return accept(request, reports)

    services.answer = busy_twice
    assert services.push(ndjson(tmp_path / "f.ndjson", [report(1)])).accepted == 1
    assert services.slept == [7.0, 1.0]


def test_lines_that_were_not_taken_are_sent_again_and_the_others_are_not(
    services: Services, tmp_path: Path
) -> None:
    def breaks_off(request: httpx.Request, reports: list[dict[str, Any]]) -> httpx.Response:
        whole = accept(request, reports)
        return httpx.Response(200, text=whole.text.splitlines()[0]) if len(reports) > 1 else whole

    services.answer = breaks_off
    assert services.push(ndjson(tmp_path / "f.ndjson", [report(i) for i in range(3)])).accepted == 3
    assert [len(reports) for _, reports in services.requests] == [3, 2, 1]


def test_a_batch_too_large_is_sent_in_halves(services: Services, tmp_path: Path) -> None:
    services.answer = lambda r, reports: accept(r, reports) if len(reports) < 3 else httpx.Response(413)
    assert services.push(ndjson(tmp_path / "f.ndjson", [report(i) for i in range(5)])).accepted == 5


def test_a_service_that_stays_away_is_given_up_in_plain_words(services: Services, tmp_path: Path) -> None:
    services.answer = lambda _r, _reports: httpx.Response(503, headers={"Retry-After": "300"})
    with pytest.raises(Failed, match="has been away for 600 s"):
        services.push(ndjson(tmp_path / "f.ndjson", [report(1)]))
    assert set(services.slept) == {30.0}


def test_an_empty_file_is_said_to_hold_nothing(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "f.ndjson"
    file.write_text("\n# only a comment\n")
    with pytest.raises(Failed, match="holds no report"):
        services.push(file)
