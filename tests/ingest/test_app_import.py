"""Documents of other formats: FinCEN's batches at OFC, one outcome for each activity."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.harness import Ingest

BATCHES = sorted((Path(__file__).parents[1] / "data").glob("**/*_batch.xml"))
BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><b>&b;</b>"""
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><b>&x;</b>"""


@pytest.fixture
def ofc(make_ingest: Callable[..., Ingest]) -> Ingest:
    return make_ingest("OFC")


def send(ingest: Ingest, document: bytes, query: str = "?format=bsa-xml", **headers: str) -> Any:
    return ingest.post(
        document, f"/v1/reports:import{query}", **({"Content_Type": "application/xml"} | headers)
    )


@pytest.mark.parametrize("path", BATCHES, ids=lambda p: p.name)
def test_a_real_batch_is_accepted_activity_by_activity_and_again(ofc: Ingest, path: Path) -> None:
    found = []
    for _ in range(2):
        answer = send(ofc, path.read_bytes(), "?format=bsa-xml&case_no=C-7")
        assert answer.status_code == 200, answer.text
        outcomes = [json.loads(line) for line in answer.text.splitlines()]
        assert [o["line"] for o in outcomes] == list(range(1, len(outcomes) + 1))
        assert {o["outcome"] for o in outcomes} == {"ACCEPTED"}, answer.text
        found.append([o["report_id"] for o in outcomes])
    assert found[0] == found[1]
    assert all(b'"case_no":"C-7"' in (r.value or b"") for r in ofc.records())


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (BOMB, "DTD or entities"),
        (EXTERNAL, "DTD or entities"),
        (b"<EFilingBatch", "well-formed"),
        (b"", "well-formed"),
        (b"<other/>", "EFilingBatchXML"),
        (b"\xff\xfe\x00", "well-formed"),
        (b"<a>" * 500, "deeper"),
    ],
    ids=["bomb", "external", "truncated", "empty", "another root", "no text", "deep"],
)
def test_an_unsound_document_is_refused_with_the_cause(ofc: Ingest, document: bytes, said: str) -> None:
    answer = send(ofc, document)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert ofc.records() == []


def test_a_document_too_large_is_413(make_ingest: Callable[..., Ingest]) -> None:
    assert send(make_ingest("OFC", max_import=1_000), b"<a>" + b"x" * 2_000).status_code == 413


def test_formats_and_settings_are_named(ofc: Ingest) -> None:
    for query in ("", "?format=stix", "?format=bsa-xml&format=bsa-xml"):
        problem = send(ofc, b"<a/>", query).json()
        assert problem["type"] == "/problems/unknown-format"
        assert problem["errors"][0]["allowed"] == ["bsa-xml"]
    unknown = send(ofc, b"<a/>", "?format=bsa-xml&colour=red")
    assert unknown.status_code == 422
    assert "case_no" in unknown.json()["errors"][0]["allowed"]


def test_a_wrong_media_type_is_415(ofc: Ingest) -> None:
    assert send(ofc, b"<a/>", Content_Type="application/json").status_code == 415


def test_a_feed_without_formats_says_so(ingest: Ingest) -> None:
    answer = send(ingest, b"<a/>")
    assert answer.status_code == 422
    assert "none" in answer.json()["detail"]


def test_import_needs_a_submitter(ofc: Ingest) -> None:
    assert ofc.http.post("/v1/reports:import?format=bsa-xml", content=b"<a/>").status_code == 401
    headers = ofc.headers("TXZZZ0001", "analyst")
    assert (
        ofc.http.post("/v1/reports:import?format=bsa-xml", content=b"<a/>", headers=headers).status_code
        == 403
    )
