"""The outermost layer of every HTTP service: ids, trace context, limits, access log, metrics."""

import logging
import re
import secrets
import time
from collections.abc import Mapping
from http import HTTPMethod
from typing import Any, Final

from prometheus_client import Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import telemetry
from shared.problems import DEFECT, HEADERS_TOO_LARGE, TOO_LARGE, UNAVAILABLE, Problem

MAX_HEADERS: Final = 32 << 10
"""Bytes of all request headers together."""
OWN_LIMIT: Final = {":bulk": 4 << 20, ":import": 64 << 20}
"""Endings of paths whose handlers bound the body themselves, and the bytes that one of them may hold."""
MAX_IN_FLIGHT: Final = 1_000
"""Requests that are answered at one time; more are told to come back."""
MAX_HELD: Final = 256 << 20
"""Bytes of bodies that the requests in flight may hold together; more are told to come back."""
QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are always let in and logged at DEBUG only."""
_METHODS: Final = frozenset(m.value for m in HTTPMethod)
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_ACCESS = logging.getLogger("interlock.access")


class Edge:
    """ASGI middleware: gives each request its id and trace, bounds it, logs it, counts it.

    Only the path is logged, never the query: it may name persons and numbers.
    """

    def __init__(self, app: ASGIApp, *, max_body: int) -> None:
        self._app = app
        self._max_body = max_body
        self._in_flight = 0
        self._held = 0
        self._seconds: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a defect below becomes a 500 that says nothing of its cause."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        given = headers.get(b"request-id", b"").decode("latin-1")
        request = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        trace = telemetry.child(headers.get(b"traceparent", b"").decode("latin-1"))
        telemetry.request_id.set(request)
        telemetry.traceparent.set(trace)
        answer = _Answer(send, request, trace)
        holds = self._holds(scope["path"], headers)
        self._in_flight += 1
        self._held += holds
        telemetry.HTTP_IN_FLIGHT.inc()
        try:
            if problem := self._refusal(scope, headers):
                await problem.response(scope["path"])(scope, receive, answer.send)
            else:
                await self._app(scope, self._bounded(scope, receive), answer.send)
        except ClientDisconnect:
            logging.getLogger(__name__).debug("the client left before it had its answer")
        except Exception:
            logging.getLogger(__name__).exception("defect while answering")
            if not answer.status:
                problem = DEFECT.because(f"Tell the operator the request id {request}.")
                await problem.response(scope["path"])(scope, receive, answer.send)
        finally:
            self._in_flight -= 1
            self._held -= holds
            telemetry.HTTP_IN_FLIGHT.dec()
            self._record(scope, answer.status, time.perf_counter() - started)

    def _refusal(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Problem | None:
        """Why this request is not even looked at, if so."""
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
            return HEADERS_TOO_LARGE.because(f"Send at most {MAX_HEADERS} bytes of headers.")
        path: str = scope["path"]
        if (self._in_flight > MAX_IN_FLIGHT or self._held > MAX_HELD) and path not in QUIET:
            return UNAVAILABLE.retry("Too many requests are being answered right now.", 1)
        if _own_limit(path) is None and _declared(headers) > self._max_body:
            return self._too_large()
        return None

    def _holds(self, path: str, headers: Mapping[bytes, bytes]) -> int:
        """Bytes of body that a request may hold in memory."""
        limit = _own_limit(path) or self._max_body
        unknown = b"transfer-encoding" in headers or b"content-encoding" in headers
        return limit if unknown else min(limit, _declared(headers))

    def _too_large(self) -> Problem:
        return TOO_LARGE.because(f"The body exceeds {self._max_body} bytes.", headers={"Connection": "close"})

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """``receive`` that refuses a body without Content-Length once it grows past the limit."""
        if _own_limit(scope["path"]) is not None:
            return receive
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_body:
                raise self._too_large()
            return message

        return bounded

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        """Count the answer and log it; 499 = the client went away before there was one."""
        status = status or 499
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = str(getattr(scope.get("route"), "path", "none"))
        histogram = self._seconds.get((method, route, status))
        if histogram is None:
            histogram = telemetry.HTTP_SECONDS.labels(method, route, str(status))
            self._seconds[method, route, status] = histogram
        histogram.observe(seconds)
        level = logging.DEBUG if scope["path"] in QUIET else logging.INFO
        if _ACCESS.isEnabledFor(level):
            extra: dict[str, Any] = {
                "method": method,
                "path": scope["path"],
                "status": status,
                "ms": round(seconds * 1000, 2),
            }
            _ACCESS.log(level, "answered", extra=extra)


def _own_limit(path: str) -> int | None:
    """What a handler that bounds its body itself may hold; None where the edge bounds it."""
    return next((held for ending, held in OWN_LIMIT.items() if path.endswith(ending)), None)


def _declared(headers: Mapping[bytes, bytes]) -> int:
    """The Content-Length; 0 where there is none."""
    length = headers.get(b"content-length", b"0")
    return int(length[:20]) if length.isdigit() else 0


class _Answer:
    """Adds the headers that every answer has, and remembers its status."""

    __slots__ = ("_extra", "_send", "status")

    def __init__(self, send: Send, request: str, trace: str) -> None:
        self._send = send
        self._extra = [
            (b"request-id", request.encode()),
            (b"traceparent", trace.encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        self.status = 0

    async def send(self, message: Message) -> None:
        """Pass a message on, its first part with our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message["headers"] = headers + self._extra
        await self._send(message)
