"""The ingest service of one feed: reports in over HTTP, durable in the log before the answer goes out.

A single report is handled on the event loop and awaits a group commit (``group.py``); chunks of many are
checked and written on threads.
"""

import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from anyio import to_thread
from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.ingest import body, imports, openapi
from services.ingest.answers import Accepted, JsonSchema, LineOutcome, ReceiptState, SchemaList
from services.ingest.bulk import Batch, chunks_of, stream, take_all
from services.ingest.feeds.base import Feed
from services.ingest.intake import record_headers
from services.ingest.problems import (
    DEAD_LETTERED,
    INVALID_REPORT,
    MALFORMED,
    NOT_ORIGINATOR,
    PROBLEMS,
    TOO_DEEP,
    UNKNOWN_FORMAT,
    UNKNOWN_SCHEMA,
    WRONG_FEED,
)
from services.ingest.service import Service
from shared import telemetry, web
from shared.auth import Verifier
from shared.errors import Transient
from shared.log import Log
from shared.problems import (
    DEFECT,
    FORBIDDEN,
    INVALID,
    MEDIA,
    NOT_FOUND,
    TIMEOUT,
    TOO_LARGE,
    TOO_MANY,
    UNAUTHENTICATED,
    UNAVAILABLE,
    Problem,
    ProblemDocument,
    problem_responses,
)
from shared.settings import Settings

LONG: Final = 32 << 10
"""Bytes from which on a report is checked on a thread, not to hold up the others."""
_TOKEN = (UNAUTHENTICATED, FORBIDDEN)
_SUBMIT = (*_TOKEN, TIMEOUT, TOO_LARGE, MEDIA, TOO_MANY, UNAVAILABLE)
_REPORT = (INVALID_REPORT, UNKNOWN_SCHEMA, WRONG_FEED, NOT_ORIGINATOR, MALFORMED, TOO_DEEP)


_OUTCOMES: Final[dict[str, Any]] = {
    "description": "One outcome a line, in order",
    "content": {"application/x-ndjson": {"schema": {"$ref": openapi.REFERENCE + "LineOutcome"}}},
    "model": LineOutcome,
}


def create_app(feed: Feed, log: Log, verifier: Verifier, settings: Settings) -> FastAPI:
    """The HTTP service of ``feed`` on ``log``; while it runs, a thread watches the log."""
    return app_of(Service.of(feed, log, settings), verifier)


def app_of(service: Service, verifier: Verifier) -> FastAPI:
    """The HTTP side of a service."""
    feed, settings = service.feed, service.settings

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        await to_thread.run_sync(service.warm)
        await to_thread.run_sync(service.progress.refresh)
        watch = threading.Thread(target=service.progress.watch, args=(stop,), name="watch", daemon=True)
        watch.start()
        yield
        stop.set()
        await to_thread.run_sync(watch.join, 5.0)
        service.group.close()

    app = web.create_app(
        f"Interlock ingest: {feed.code}",
        verifier=verifier,
        ready=service.progress.ready,
        settings=settings,
        problems=PROBLEMS,
        lifespan=lifespan,
    )
    app.description = f"Reports of {feed.title}: sent by agencies, checked, and durable before the answer."
    _add_single(app, service)
    _add_bulk(app, service)
    _add_import(app, service)
    _add_receipts(app, service)
    _add_schemas(app, feed)
    plain = app.openapi
    app.openapi = lambda: app.openapi_schema or openapi.complete(plain(), feed)  # type: ignore[method-assign] # FastAPI's way
    return app


class Direct(APIRoute):
    """A route whose handler gets the request alone: what it declares is for the OpenAPI document only.

    FastAPI's solving of dependencies takes longer than checking and mapping a report.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself."""
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return endpoint


def _add_single(app: FastAPI, service: Service) -> None:
    seconds = telemetry.ACCEPT_SECONDS.labels(service.feed.code)

    async def submit(request: Request) -> Response:
        """Check a report and make it durable; sending it again is harmless: the same `report_id`."""
        started = time.perf_counter()
        await web.known_parameters(request)
        agency = service.submitter(await web.identify(request))
        body.require_media(request, body.JSON)
        body.require_plain(request)
        raw = await body.plain(request)
        answer = await _take(service, raw, agency)
        seconds.observe(time.perf_counter() - started)
        return Response(answer, 202, media_type="application/json")

    key_header = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": 255},
        "description": "Taken and not needed: a report is known by its originator, number and version.",
    }
    app.router.routes.insert(
        0,  # routes are tried in order, and this is the one that must be fast
        Direct(
            "/v1/reports",
            submit,
            methods=["POST"],
            tags=["reports"],
            summary="Submit one report",
            status_code=202,
            response_class=Response,
            responses={
                202: {"model": Accepted, "description": "Durable"},
                **problem_responses(DEFECT, *_SUBMIT, *_REPORT),
            },
            dependencies=[Depends(web.bearer)],
            openapi_extra={"parameters": [key_header]},
        ),
    )


async def _take(service: Service, raw: bytes, agency: str) -> bytes:
    """Admit and write one report: the body of the 202. Only long ones are worth a thread of their own."""
    service.rate.charge(agency, 1)
    arguments = (raw, agency, datetime.now(UTC), record_headers(telemetry.traceparent.get()))
    try:
        if len(raw) > LONG:
            admitted = await to_thread.run_sync(service.intake.admit, *arguments)
        else:
            admitted = service.intake.admit(*arguments)
    except Problem as problem:
        service.intake.refused(problem)
        raise
    try:
        position = await service.group.write(admitted)
    except Transient as error:
        service.progress.lost(error)
        raise
    (receipt_id,) = service.intake.receipts([position], agency)
    return orjson.dumps(
        {"receipt_id": receipt_id, "report_id": admitted.report_id, "version": admitted.version}
    )


def _add_bulk(app: FastAPI, service: Service) -> None:
    @app.post(
        "/v1/reports:bulk",
        tags=["reports"],
        summary="Submit many reports, one a line",
        response_class=StreamingResponse,
        responses={
            200: _OUTCOMES,
            **problem_responses(*_SUBMIT, MALFORMED),
        },
    )
    async def bulk(request: Request, who: web.Who) -> StreamingResponse:
        """Each line is taken or refused on its own; one refused with status 503 may be sent again."""
        agency = service.submitter(who)
        body.require_media(request, body.NDJSON)
        batch = Batch(service.intake, service.progress, agency, request.url.path)
        return await stream(batch, chunks_of(request, service.settings, service.rate, agency))


def _add_import(app: FastAPI, service: Service) -> None:
    feed = service.feed.code
    formats = imports.FORMATS.get(feed, ())

    async def import_document(request: Request) -> StreamingResponse:
        """As bulk, for a document of a format of its own; `line` is the position within the document."""
        agency = service.submitter(await web.identify(request))
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        asked = imports.format_of(feed, query)
        settings = imports.settings_of(asked, query)
        body.require_media(request, asked.media)
        document = await body.whole(request, service.settings.max_import)
        batch = Batch(service.intake, service.progress, agency, request.url.path)
        items = asked.read(document, agency, settings)
        return await to_thread.run_sync(take_all, batch, items, service.rate, agency)

    app.router.routes.append(
        Direct(
            "/v1/reports:import",
            import_document,
            methods=["POST"],
            tags=["reports"],
            summary="Submit a document of another format",
            description="This feed takes: " + (", ".join(f.name for f in formats) or "no other format"),
            response_class=StreamingResponse,
            responses={
                200: _OUTCOMES,
                **problem_responses(DEFECT, *_SUBMIT, MALFORMED, UNKNOWN_FORMAT, INVALID),
            },
            dependencies=[Depends(web.bearer)],
            openapi_extra={
                "parameters": imports.parameters(feed),
                "requestBody": {
                    "required": True,
                    "content": {m: {"schema": {"type": "string"}} for f in formats for m in f.media}
                    or {"application/xml": {"schema": {"type": "string"}}},
                },
            },
        )
    )


def _add_receipts(app: FastAPI, service: Service) -> None:
    @app.get(
        "/v1/receipts/{receipt_id}",
        tags=["reports"],
        summary="What became of a report",
        responses=problem_responses(UNAUTHENTICATED, NOT_FOUND, UNAVAILABLE),
    )
    def receipt(receipt_id: str, request: Request, who: web.Who) -> ReceiptState:
        """The submitting agency's only; to others it does not exist."""
        found = service.sealer.open(receipt_id)
        if found is None or found.agency != who.agency:
            raise NOT_FOUND.because("There is no such receipt of your agency.")
        outcome = service.progress.outcome(found.partition, found.offset)
        problem = None
        if outcome.state == "DEAD_LETTERED":
            step = f" (step {outcome.step})" if outcome.step else ""
            document = DEAD_LETTERED.because(f"{outcome.error}{step}").document(request.url.path)
            problem = ProblemDocument.model_validate(document)
        return ReceiptState(
            receipt_id=receipt_id,
            state=outcome.state,
            accepted_at=found.accepted_at,
            processed_at=outcome.processed_at,
            problem=problem,
        )


def _add_schemas(app: FastAPI, feed: Feed) -> None:
    kinds = {name.partition("/")[0]: (name, kind) for name, kind in sorted(feed.types.items())}

    @app.get(
        "/v1/schemas",
        tags=["schemas"],
        summary="The report types",
        responses=problem_responses(UNAUTHENTICATED),
    )
    def schemas(_: web.Who) -> SchemaList:
        """Every report type that this feed takes."""
        items = [
            {
                "type": of,
                "schema": name,
                "title": kind.doc.strip().partition("\n")[0],
                "href": f"/v1/schemas/{of}",
            }
            for of, (name, kind) in kinds.items()
        ]
        return SchemaList.model_validate({"feed": feed.code, "title": feed.title, "items": items})

    @app.get(
        "/v1/schemas/{type:path}",
        tags=["schemas"],
        summary="The JSON Schema of a report type",
        response_class=Response,
        responses={200: {"model": JsonSchema}, **problem_responses(UNAUTHENTICATED, NOT_FOUND)},
    )
    def schema(type: str, _: web.Who) -> Response:  # noqa: A002 - the path's own word
        """By type (`EPIC.SEIZURE`) or by schema (`EPIC.SEIZURE/1`), with examples."""
        found = kinds.get(type.partition("/")[0])
        if found is None or type not in (found[0], found[0].partition("/")[0]):
            raise NOT_FOUND.because(
                f"{feed.code} has no report type {type[:40]!r}; it has {', '.join(kinds)}."
            )
        return JSONResponse(found[1].json_schema(), media_type="application/schema+json")
