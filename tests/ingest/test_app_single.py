"""One report by HTTP: durable or refused with the cause, whatever is sent."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from services.ingest.feeds import FEEDS
from services.ingest.receipts import Sealer
from shared.contracts.report import Report, report_id_of
from tests.ingest.harness import AGENCY, Ingest, example, raw

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def test_an_accepted_report_is_in_the_log_with_its_key_and_trace(ingest: Ingest) -> None:
    answer = ingest.post(raw(), traceparent=TRACE)
    assert answer.status_code == 202
    said = answer.json()
    assert said["report_id"] == report_id_of(AGENCY, "N-1")
    assert said["version"] == 1
    (record,) = ingest.records()
    assert record.key == said["report_id"]
    assert record.headers["schema"] == "report/1"
    assert record.headers["traceparent"][:36] == TRACE[:36]
    assert record.value is not None
    report = Report.from_json(record.value)
    assert report.report_id == said["report_id"]
    assert report.originator.agency_id == AGENCY


@pytest.mark.parametrize("schema", [s for feed in FEEDS.values() for s in feed.types])
def test_every_types_example_is_accepted_by_its_feed(make_ingest: Callable[..., Ingest], schema: str) -> None:
    ingest = make_ingest(schema.partition(".")[0])
    answer = ingest.post(raw(schema))
    assert answer.status_code == 202, answer.text


def test_sending_again_answers_the_same_report_id(ingest: Ingest) -> None:
    first, second = ingest.post(raw()).json(), ingest.post(raw()).json()
    assert first["report_id"] == second["report_id"]


def test_an_idempotency_key_is_taken_and_changes_nothing(ingest: Ingest) -> None:
    """What makes a repeat harmless is the report itself, at every process and after every restart."""
    first = ingest.post(raw(), Idempotency_Key="k1").json()
    again = ingest.post(raw(), Idempotency_Key="k1")
    assert again.status_code == 202
    assert {k: again.json()[k] for k in ("report_id", "version")} == {
        k: first[k] for k in ("report_id", "version")
    }
    other = ingest.post(raw(number=2), Idempotency_Key="k1")
    assert other.status_code == 202
    assert other.json()["report_id"] != first["report_id"]


def test_nobody_writes_as_another_agency(ingest: Ingest) -> None:
    body = raw(originator={**example("EPIC.LPR/1")["originator"], "agency_id": "NMZZZ0002"})
    answer = ingest.post(body)
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/not-the-originator"
    assert answer.json()["errors"][0]["pointer"] == "/originator/agency_id"
    assert ingest.records() == []


def test_only_submitters_submit(ingest: Ingest) -> None:
    json_type = {"Content-Type": "application/json"}
    refused = ingest.http.post(
        "/v1/reports", content=raw(), headers=ingest.headers(AGENCY, "analyst") | json_type
    )
    assert refused.status_code == 403
    assert ingest.http.post("/v1/reports", content=raw(), headers=json_type).status_code == 401
    assert ingest.http.get("/v1/reports", headers=ingest.headers()).status_code == 405


def test_a_mistyped_code_is_named_with_the_allowed_ones(ingest: Ingest) -> None:
    handling = {**example("EPIC.LPR/1")["handling"], "tlp": "AMBRE"}
    answer = ingest.post(raw(handling=handling))
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "/problems/invalid-report"
    (error,) = problem["errors"]
    assert error["pointer"] == "/handling/tlp"
    assert "AMBER" in error["allowed"]


def test_an_unknown_schema_lists_the_known_ones(ingest: Ingest) -> None:
    for body in (raw().replace(b"EPIC.LPR/1", b"EPIC.NOPE/1"), b"{}", b'{"schema": 7}'):
        problem = ingest.post(body).json()
        assert problem["type"] == "/problems/unknown-schema"
        assert problem["errors"][0]["allowed"] == sorted(FEEDS["EPIC"].types)


def test_another_feeds_schema_names_that_feed(ingest: Ingest) -> None:
    schema = next(iter(FEEDS["SOD"].types))
    problem = ingest.post(raw(schema)).json()
    assert problem["type"] == "/problems/wrong-feed"
    assert "SOD" in problem["detail"]


def deep(levels: int) -> bytes:
    return b'{"schema":"EPIC.LPR/1","x":' + b"[" * levels + b"]" * levels + b"}"


GOOD = raw().decode()
BAD: dict[str, tuple[bytes, int, str]] = {
    "empty": (b"", 422, "malformed"),
    "truncated": (GOOD[:-20].encode(), 422, "malformed"),
    "not json": (b"<xml/>", 422, "malformed"),
    "trailing text": ((GOOD + "x").encode(), 422, "malformed"),
    "two documents": ((GOOD + GOOD).encode(), 422, "malformed"),
    "invalid utf-8": (GOOD.replace("N-1", "N-\udcff").encode("utf-8", "surrogateescape"), 422, "malformed"),
    "nan": (GOOD.replace('"version": 1', '"version": NaN').encode(), 422, "malformed"),
    "infinity": (GOOD.replace('"version": 1', '"version": -Infinity').encode(), 422, "malformed"),
    "huge int": (GOOD.replace('"version": 1', f'"version": 1{"0" * 400}').encode(), 422, ""),
    "colossal int": (GOOD.replace('"version": 1', f'"version": 1{"0" * 6000}').encode(), 422, ""),
    "huge float": (GOOD.replace('"version": 1', '"version": 1e400').encode(), 422, ""),
    "duplicate key": (GOOD.replace('"version": 1', '"version": 2, "version": 1').encode(), 422, "malformed"),
    "lone surrogate": (GOOD.replace("N-1", "\\ud800").encode(), 422, ""),
    "nul": (GOOD.replace("N-1", "\\u0000").encode(), 422, ""),
    "control character": (GOOD.replace("N-1", "\x01").encode(), 422, "malformed"),
    "a list": (b"[" + GOOD.encode() + b"]", 422, ""),
    "null": (b"null", 422, ""),
    "a number": (b"7", 422, ""),
    "deep": (deep(40), 422, "too-deep"),
    "very deep": (deep(100_000), 422, "too-deep"),
    "unclosed deep": (b"[" * 300_000, 422, "too-deep"),
    "unknown field": (
        GOOD.replace('"version": 1', '"religion": "x", "version": 1').encode(),
        422,
        "invalid-report",
    ),
    "wrong types": (GOOD.replace('"version": 1', '"version": {"a": []}').encode(), 422, "invalid-report"),
    "10 MB field": (GOOD.replace("N-1", "N" * 10_000_000).encode(), 413, "too-large"),
    "classified": (GOOD.replace("N-1", "SECRET//NOFORN").encode(), 422, ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_a_clear_answer_and_the_service_lives_on(ingest: Ingest, case: str) -> None:
    body, status, kind = BAD[case]
    answer = ingest.post(body)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["type"].startswith("/problems/")
    assert problem["type"].endswith(kind)
    assert problem["detail"]
    assert len(answer.content) < 10_000
    assert ingest.post(raw()).status_code == 202
    assert len(ingest.records()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": ""},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "application/json; charset=latin-1"},
        {"Content_Encoding": "gzip"},
        {"Content_Encoding": "br"},
    ],
    ids=str,
)
def test_a_wrong_media_type_is_415(ingest: Ingest, headers: dict[str, str]) -> None:
    answer = ingest.post(raw(), **headers)
    assert answer.status_code == 415
    assert answer.json()["type"] == "/problems/unsupported-media-type"


def test_an_agency_that_sends_too_much_waits_and_the_others_do_not(
    make_ingest: Callable[..., Ingest],
) -> None:
    ingest = make_ingest(rate_per_agency=1)
    statuses = [ingest.post(raw(number=n)).status_code for n in range(6)]
    assert statuses[:2] == [202, 202]
    assert statuses[-1] == 429
    refused = ingest.post(raw())
    assert int(refused.headers["retry-after"]) >= 1
    other = "NMZZZ0002"
    body = raw(originator={**example("EPIC.LPR/1")["originator"], "agency_id": other})
    headers = ingest.headers(other) | {"Content-Type": "application/json"}
    assert ingest.http.post("/v1/reports", content=body, headers=headers).status_code == 202


def test_while_the_log_is_away_the_answer_is_503_and_readiness_is_red(ingest: Ingest) -> None:
    assert ingest.http.get("/readyz").status_code == 200
    ingest.log.away = True
    answer = ingest.post(raw())
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["type"] == "/problems/unavailable"
    assert ingest.http.get("/readyz").status_code == 503
    assert ingest.http.get("/healthz").status_code == 200


def test_a_backlog_too_long_is_503(make_ingest: Callable[..., Ingest]) -> None:
    ingest = make_ingest(max_backlog=2)
    for n in range(3):
        assert ingest.post(raw(number=n)).status_code == 202
    service_refreshes(ingest)
    answer = ingest.post(raw(number=9))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"


def service_refreshes(ingest: Ingest) -> None:
    """What the watching thread does every second."""
    ingest.service.progress.refresh()


def test_schemas_come_with_examples(ingest: Ingest) -> None:
    listed = ingest.http.get("/v1/schemas", headers=ingest.headers()).json()
    assert {item["schema"] for item in listed["items"]} == set(FEEDS["EPIC"].types)
    for item in listed["items"]:
        schema = ingest.http.get(item["href"], headers=ingest.headers()).json()
        assert schema["examples"]
        assert schema["additionalProperties"] is False
    by_version = ingest.http.get("/v1/schemas/EPIC.LPR/1", headers=ingest.headers())
    assert by_version.headers["content-type"] == "application/schema+json"
    missing = ingest.http.get("/v1/schemas/EPIC.NOPE", headers=ingest.headers())
    assert missing.status_code == 404
    assert "EPIC.LPR" in missing.json()["detail"]
    assert ingest.http.get("/v1/schemas").status_code == 401


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [r for v in part.values() for r in references(v)]
    return [r for p in part for r in references(p)] if isinstance(part, list) else []


@pytest.mark.parametrize("feed", FEEDS)
def test_the_openapi_document_is_complete(make_ingest: Callable[..., Ingest], feed: str) -> None:
    ingest = make_ingest(feed)
    document = ingest.http.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference
    post = document["paths"]["/v1/reports"]["post"]
    body = post["requestBody"]["content"]["application/json"]
    assert len(body["schema"]["oneOf"]) == len(FEEDS[feed].types)
    assert {"202", "401", "403", "413", "415", "422", "429", "500", "503"} <= set(post["responses"])
    assert post["security"]
    sent = set(body["examples"])
    assert sent >= {f"{s.partition('/')[0]}-1" for s in FEEDS[feed].types}
    for path in ("/v1/reports:bulk", "/v1/receipts/{receipt_id}", "/v1/schemas", "/v1/schemas/{type}"):
        assert path in document["paths"]


def test_every_problem_type_that_is_answered_is_explained(ingest: Ingest) -> None:
    document = ingest.http.get("/openapi.json").json()
    types = set(_types(document))
    assert len(types) > 10
    for path in types:
        assert ingest.http.get(path).status_code == 200, path


def _types(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["type"]] if str(part.get("type", "")).startswith("/problems/") else []
        return own + [t for v in part.values() for t in _types(v)]
    return [t for p in part for t in _types(p)] if isinstance(part, list) else []


def test_unknown_query_parameters_are_refused(ingest: Ingest) -> None:
    answer = ingest.http.post(
        "/v1/reports?dry_run=1",
        content=raw(),
        headers=ingest.headers() | {"Content-Type": "application/json"},
    )
    assert answer.status_code == 422
    assert "dry_run" in answer.json()["detail"]


def test_metrics_count_what_was_taken_and_refused(ingest: Ingest) -> None:
    ingest.post(raw())
    ingest.post(b"{}")
    text = ingest.http.get("/metrics").text
    assert 'interlock_accepted_total{feed="EPIC",type="EPIC.LPR"}' in text
    assert 'interlock_refused_total{feed="EPIC",problem="unknown-schema"}' in text
    assert 'interlock_accept_seconds_count{feed="EPIC"}' in text


def test_receipts_of_replicas_are_interchangeable(ingest: Ingest) -> None:
    receipt = ingest.post(raw()).json()["receipt_id"]
    opened = Sealer.of(ingest.settings).open(receipt)
    assert opened is not None
    assert opened.agency == AGENCY
    assert json.loads(raw())["schema"] == "EPIC.LPR/1"
