"""Every service answers alike: problem details, ids, health, tokens, limits."""

import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import uvicorn
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel

from shared import web
from shared.auth import mint, signing_key, verifier_from
from shared.errors import Transient
from shared.problems import CONFLICT, ProblemType, field_errors, pointer
from shared.settings import Settings

TEAPOT = ProblemType("teapot", 418, "I am a teapot", "Ask for coffee elsewhere.")


class Thing(BaseModel):
    colour: Literal["RED", "BLUE"]
    size: int


def build(settings: Settings, state: dict[str, Any]) -> FastAPI:
    def ready() -> None:
        if state.get("away"):
            raise Transient("the log is away", retry_after=2)

    app = web.create_app(
        "Test", verifier=verifier_from(settings), ready=ready, settings=settings, problems=[TEAPOT]
    )

    @app.post("/v1/things")
    def make(thing: Thing, who: web.Who) -> dict[str, str]:
        web.require(who, "submitter", "operator")
        return {"made": thing.colour, "by": who.agency}

    @app.get("/v1/things")
    def things(limit: Annotated[int, Query(ge=1, le=500)] = 50) -> dict[str, int]:
        return {"limit": limit}

    @app.get("/v1/fails/{how}")
    def fails(how: str) -> None:
        causes: dict[str, Exception] = {
            "defect": RuntimeError("secret detail"),
            "transient": Transient("the log is away", retry_after=2.2),
            "conflict": CONFLICT.because("claimed by somebody else", headers={"X-Other": "1"}),
        }
        raise causes[how]

    return app


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, max_body=1000)


@pytest.fixture
def state() -> dict[str, Any]:
    return {}


@pytest.fixture
def client(settings: Settings, state: dict[str, Any]) -> Iterator[TestClient]:
    with TestClient(build(settings, state)) as client:
        yield client


def bearer(settings: Settings, *roles: str) -> dict[str, str]:
    text = mint(signing_key(settings), subject="s", agency="TXZZZ0001", roles=roles)
    return {"Authorization": f"Bearer {text}"}


def test_health_and_metrics_need_no_token(client: TestClient, state: dict[str, Any]) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert "interlock_http_seconds" in client.get("/metrics").text
    state["away"] = True
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert "the log is away" in answer.json()["detail"]
    assert client.get("/healthz").status_code == 200


def test_without_a_token_the_answer_is_401(client: TestClient) -> None:
    for headers in (
        {},
        {"Authorization": "Basic x"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer x"},
    ):
        answer = client.post("/v1/things", json={"colour": "RED", "size": 1}, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "/problems/unauthenticated"


def test_a_role_is_required_by_name(client: TestClient, settings: Settings) -> None:
    body = {"colour": "RED", "size": 1}
    refused = client.post("/v1/things", json=body, headers=bearer(settings, "analyst"))
    assert refused.status_code == 403
    assert "'submitter' or 'operator'" in refused.json()["detail"]
    assert (
        client.post("/v1/things", json=body, headers=bearer(settings, "operator")).json()["by"] == "TXZZZ0001"
    )


def test_invalid_fields_are_named_with_what_is_allowed(client: TestClient, settings: Settings) -> None:
    answer = client.post(
        "/v1/things", json={"colour": "GREEN", "size": "x"}, headers=bearer(settings, "operator")
    )
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "/problems/invalid"
    assert problem["instance"] == "/v1/things"
    assert {e["pointer"]: e.get("allowed") for e in problem["errors"]} == {
        "/colour": ["RED", "BLUE"],
        "/size": None,
    }
    assert "GREEN" not in answer.text


def test_what_is_not_json_says_where(client: TestClient, settings: Settings) -> None:
    headers = bearer(settings, "operator") | {"Content-Type": "application/json"}
    answer = client.post("/v1/things", content=b'{"colour": ', headers=headers)
    assert answer.status_code == 422
    assert "not JSON" in answer.json()["errors"][0]["message"]


def test_parameters_are_checked_and_unknown_ones_refused(client: TestClient) -> None:
    assert client.get("/v1/things?limit=7").json() == {"limit": 7}
    assert client.get("/v1/things?limit=0").json()["errors"][0]["pointer"] == "/query/limit"
    answer = client.get("/v1/things?limits=7")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "/query/limits", "message": "unknown parameter", "allowed": ["limit"]}
    ]


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/v1/things", 405, "method-not-allowed"),
        ("GET", "/v1/fails/transient", 503, "unavailable"),
        ("GET", "/v1/fails/conflict", 409, "conflict"),
        ("GET", "/v1/fails/defect", 500, "internal"),
    ],
)
def test_every_error_is_a_documented_problem(
    client: TestClient, method: str, path: str, status: int, kind: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    problem = answer.json()
    assert problem["type"] == f"/problems/{kind}"
    assert problem["status"] == status
    assert problem["instance"] == path
    assert "secret" not in answer.text
    assert client.get(problem["type"]).json()["title"] == problem["title"]


def test_transient_tells_when_to_come_back(client: TestClient) -> None:
    assert client.get("/v1/fails/transient").headers["retry-after"] == "3"


def test_a_services_own_problem_types_are_documented(client: TestClient) -> None:
    assert client.get("/problems/teapot").json()["meaning"] == "Ask for coffee elsewhere."
    assert client.get("/problems/nothing").status_code == 404


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused(client: TestClient, settings: Settings, *, chunked: bool) -> None:
    raw = b'{"colour": "' + b"R" * 2000 + b'"}'
    headers = bearer(settings, "operator") | {"Content-Type": "application/json"}
    answer = client.post(
        "/v1/things", content=iter([raw[:900], raw[900:]]) if chunked else raw, headers=headers
    )
    assert answer.status_code == 413
    assert "1000 bytes" in answer.json()["detail"]


def test_large_headers_are_refused(client: TestClient) -> None:
    assert client.get("/v1/things", headers={"X-Much": "x" * 40_000}).status_code == 431


def test_request_id_and_trace_come_back(client: TestClient) -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    answer = client.get("/v1/things", headers={"Request-Id": "mine-1", "traceparent": trace})
    assert answer.headers["request-id"] == "mine-1"
    assert answer.headers["traceparent"].startswith(trace[:36])
    assert answer.headers["cache-control"] == "no-store"
    forged = client.get("/nowhere", headers={"Request-Id": "two words"}).headers
    assert forged["request-id"] != "two words"
    assert forged["traceparent"]


def test_the_openapi_document_has_our_errors_only(client: TestClient) -> None:
    document = client.get("/openapi.json").text
    assert "HTTPValidationError" not in document
    assert "ProblemDocument" in document


def test_the_api_page_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) >= 2
    for link in links:
        assert link.startswith("/")
        assert client.get(link).status_code == 200
    assert "http" not in page.replace("https://fastapi", "")


def test_a_pointer_escapes_what_it_must() -> None:
    assert pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"
    assert field_errors([{"loc": ("query", "x"), "msg": "m", "type": "t"}]) == [
        {"pointer": "/query/x", "message": "m"}
    ]


def test_sigterm_lets_the_request_in_flight_finish_and_returns(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()

    async def serve(self: uvicorn.Server, sockets: Any = None) -> None:
        signal.raise_signal(signal.SIGTERM)
        assert self.should_exit
        assert not self.force_exit
        stopped.set()

    monkeypatch.setattr(uvicorn.Server, "_serve", serve)
    before = signal.getsignal(signal.SIGTERM)
    web.run(build(settings, {}), "127.0.0.1", 18101)
    assert stopped.is_set()
    assert signal.getsignal(signal.SIGTERM) is before
