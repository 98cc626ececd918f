"""What every HTTP service shares: the app factory, errors as problem details, identities, health, running.

Tokens are required everywhere but on health, metrics and the API's own description.
"""

import logging
import signal
import ssl
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Annotated, Any, Final

import uvicorn
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from shared import memory
from shared.auth import Identity, Unauthenticated, Verifier
from shared.edge import Edge
from shared.errors import Misconfigured, Transient
from shared.problems import (
    BAD_REQUEST,
    DEFECT,
    FORBIDDEN,
    INVALID,
    MEDIA,
    METHOD,
    NOT_FOUND,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    Problem,
    ProblemDocument,
    ProblemType,
    Registry,
    field_errors,
    problem_responses,
)
from shared.settings import Settings

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
SHUTDOWN_SECONDS: Final = 15
"""How long a request in flight may take to finish after SIGTERM."""
bearer = HTTPBearer(auto_error=False, description="A token of the issuer, or of `interlock token`.")
"""Declares in the OpenAPI document that a route needs a token; ``identify`` is what checks it."""
_BY_STATUS: Final = {
    t.status: t
    for t in (BAD_REQUEST, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, METHOD, TOO_LARGE, MEDIA, INVALID)
}


def create_app(
    title: str,
    *,
    verifier: Verifier,
    ready: Callable[[], None],
    settings: Settings,
    problems: Sequence[ProblemType] = (),
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """An app with everything in place but its routes.

    ``ready`` raises ``Transient`` while the service cannot work; ``problems`` are the service's own types,
    documented under ``/problems`` beside the standard ones. Bodies are bounded by
    ``settings.max_body``, except under paths that end in ``:bulk`` or ``:import``.
    """
    app = FastAPIOffline(
        redoc_url=None,
        title=title,
        version="1",
        lifespan=lifespan,
        dependencies=[Depends(known_parameters)],
        responses=problem_responses(DEFECT),
    )
    app.state.verifier = verifier
    app.add_middleware(Edge, max_body=settings.max_body)
    for cause, handler in _HANDLERS.items():
        app.add_exception_handler(cause, handler)
    _add_health(app, ready)
    _add_problem_pages(app, Registry(problems))
    original = app.openapi
    app.openapi = lambda: _complete(app, original)  # type: ignore[method-assign] # FastAPI's documented way
    return app


async def identify(request: Request) -> Identity:
    """Who sends ``request``; raises the 401 problem. A token seen before costs neither thread nor time."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("there is no bearer token: send `Authorization: Bearer …`")
    verifier: Verifier = request.app.state.verifier
    known = verifier.recall(token)
    return known if known is not None else await to_thread.run_sync(verifier.verify, token)


async def identity(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Identity:
    """The dependency for handlers: ``who: Annotated[Identity, Depends(identity)]``."""
    return await identify(request)


Who = Annotated[Identity, Depends(identity)]
"""Parameter type of a handler that needs a token."""


def require(who: Identity, *roles: str) -> None:
    """Raise the 403 problem unless ``who`` has one of ``roles``."""
    if who.roles.isdisjoint(roles):
        needed = " or ".join(repr(r) for r in roles)
        raise FORBIDDEN.because(
            f"The token needs the role {needed}; it has {', '.join(sorted(who.roles)) or 'none'}."
        )


async def known_parameters(request: Request) -> None:
    """Refuse query parameters that the route does not have; on the event loop, for it hardly works."""
    if not request.scope["query_string"]:
        return
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    operation = request.app.openapi()["paths"][route.path_format][request.method.lower()]
    allowed = sorted(p["name"] for p in operation.get("parameters", ()) if p["in"] == "query")
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in allowed]
    if unknown:
        errors = [
            {"pointer": f"/query/{name}", "message": "unknown parameter", "allowed": allowed}
            for name in unknown
        ]
        raise INVALID.because(f"Unknown query parameter {unknown[0]!r}.", errors)


def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response(request.url.path)


def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        problem = Problem(
            error.status_code, "about:blank", str(error.detail), str(error.detail), headers=error.headers
        )
    else:
        detail = kind.doc if kind in (NOT_FOUND, METHOD) else str(error.detail)
        problem = kind.because(detail, headers=error.headers)
    return problem.response(request.url.path)


def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = field_errors(error.errors())
    first = errors[0] if errors else {"pointer": "", "message": "not valid"}
    detail = f"{first['pointer'] or 'the body'}: {first['message']}"
    return INVALID.because(detail, errors).response(request.url.path)


def _answer_unauthenticated(request: Request, error: Exception) -> Response:
    problem = UNAUTHENTICATED.because(str(error), headers={"WWW-Authenticate": "Bearer"})
    return problem.response(request.url.path)


def _answer_transient(request: Request, error: Exception) -> Response:
    assert isinstance(error, Transient)
    logging.getLogger(__name__).warning("unavailable: %s", error)
    return UNAVAILABLE.retry(f"{error}; try again.", error.retry_after).response(request.url.path)


_HANDLERS: Final[dict[type[Exception], Callable[[Request, Exception], Response]]] = {
    Problem: _answer_problem,
    HTTPException: _answer_http,
    RequestValidationError: _answer_invalid,
    Unauthenticated: _answer_unauthenticated,
    Transient: _answer_transient,
}
"""The one table of exception → answer."""


def _add_health(app: FastAPI, ready: Callable[[], None]) -> None:
    """The three paths that need no token; readiness has threads of its own, so that it always answers."""
    limiter = CapacityLimiter(2)

    @app.get("/healthz", tags=["health"], summary="The process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/readyz",
        tags=["health"],
        summary="The service can do its work",
        responses=problem_responses(UNAVAILABLE),
    )
    async def readyz() -> dict[str, str]:
        await to_thread.run_sync(ready, limiter=limiter)
        return {"status": "ready"}

    @app.get("/metrics", tags=["health"], summary="Prometheus metrics", response_class=Response)
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _add_problem_pages(app: FastAPI, registry: Registry) -> None:
    """What each ``type`` of an error answer means."""

    @app.get("/problems", tags=["problems"], summary="Every type of error answer")
    def problems() -> JSONResponse:
        return JSONResponse({"items": registry.pages()})

    @app.get(
        "/problems/{slug}",
        tags=["problems"],
        summary="What one type of error answer means",
        responses=problem_responses(NOT_FOUND),
    )
    def problem(slug: str) -> JSONResponse:
        return JSONResponse(registry.page(slug))


def _complete(app: FastAPI, original: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The OpenAPI document, with FastAPI's own validation error replaced by ours."""
    if app.openapi_schema:
        return app.openapi_schema
    document = original()
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    if "ProblemDocument" not in schemas:
        schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas["ProblemDocument"] = schema
    ours = problem_responses(INVALID)[422]
    ours.pop("model")
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation.get("responses", {}).items():
                if "HTTPValidationError" in str(answer):
                    operation["responses"][status] = ours
    app.openapi_schema = document
    return document


class _Server(uvicorn.Server):
    """uvicorn, except that after a signal it returns to its caller, who has things to close."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """SIGINT and SIGTERM ask for a graceful stop; a second one for an immediate stop."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_number: int, _frame: object) -> None:
            self.force_exit = self.should_exit
            self.should_exit = True

        former = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def run(app: FastAPI, host: str, port: int, settings: Settings | None = None) -> None:
    """Serve until SIGTERM or SIGINT, finish what is in flight, return; with TLS where settings say so."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    if settings is not None and settings.tls_certificate:
        if not settings.tls_key:
            raise Misconfigured("INTERLOCK_TLS_CERTIFICATE needs INTERLOCK_TLS_KEY")
        config.ssl_certfile = settings.tls_certificate
        config.ssl_keyfile = settings.tls_key
        if settings.tls_client_ca:
            config.ssl_ca_certs = str(settings.tls_client_ca)
            config.ssl_cert_reqs = ssl.CERT_REQUIRED
    memory.settle()
    _Server(config).run()
