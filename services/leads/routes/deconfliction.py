"""``/v1/deconfliction``: submit targets and events, read one's own, the watch officer's queue, statistics."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from services.leads.answers import listing, page, place, resource, same
from services.leads.deconfliction.desk import Desk, NotHere
from services.leads.deconfliction.entering import Entry
from services.leads.deconfliction.intake import Intake
from services.leads.deconfliction.registry import Registry, TooMany
from services.leads.deconfliction.rotation import UnderWay, rotate
from services.leads.deconfliction.shapes import (
    Accepted,
    QueueList,
    Refused,
    Rotating,
    Statistics,
    SubmissionShown,
)
from services.leads.deconfliction.states import NotAllowed
from services.leads.deconfliction.submissions import Answer, EventSubmission, TargetSubmission
from services.leads.direct import Direct, read
from shared.problems import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    MEDIA,
    NOT_FOUND,
    STALE,
    TOO_LARGE,
    TOO_MANY,
    UNAUTHENTICATED,
    field_errors,
    problem_responses,
)
from shared.rate import Rate
from shared.web import Who, require

MAX_BULK = 64 << 20
"""Bytes of a caseload sent at once."""
CHUNK = 100
"""Lines of a caseload that one transaction enters."""
SUBMITTERS = ("submitter", "analyst", "supervisor", "watch_officer")
_REFUSALS = problem_responses(UNAUTHENTICATED, FORBIDDEN, MEDIA, INVALID, TOO_MANY)
_UNKNOWN = problem_responses(UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, CONFLICT)


IfMatch = Annotated[str | None, Header(description="the `ETag` of the version that you mean")]


class Lines(StreamingResponse):
    """NDJSON: one object a line."""

    media_type = "application/x-ndjson"


@contextmanager
def refusals() -> Iterator[None]:
    """The registry's refusals as problems: what may not be known of is 404, like what is not there."""
    try:
        yield
    except NotHere:
        raise NOT_FOUND.because(NOT_FOUND.doc) from None
    except NotAllowed as error:
        raise CONFLICT.because(f"{error}.") from None
    except TooMany as error:
        raise TOO_MANY.retry(str(error), 3600) from None


def router(registry: Registry, rate: Rate, wake: Callable[[], None]) -> APIRouter:
    """The routes; ``rate`` bounds each agency; ``wake()`` tells the matcher that there is work."""
    routes = APIRouter(prefix="/v1/deconfliction", tags=["deconfliction"])
    _submit_routes(routes, registry, rate, wake)
    _bulk_route(routes, registry, wake)
    _watch_routes(routes, Desk(registry))
    _own_routes(routes, Desk(registry), wake)
    _officer_routes(routes, registry, wake)
    _key_routes(routes, registry)
    return routes


def _submit_routes(routes: APIRouter, registry: Registry, rate: Rate, wake: Callable[[], None]) -> None:
    intake = Intake(registry)

    async def entered(who: Who, submitted: TargetSubmission | EventSubmission) -> Response:
        require(who, *SUBMITTERS)
        if pause := rate.take(who.agency):
            raise TOO_MANY.retry("The agency submits faster than it may; a caseload goes in bulk.", pause)
        with refusals():
            answer = await intake.submit(Entry(who.agency, submitted, who.subject))
        wake()
        return Response(answer.model_dump_json(by_alias=True), 201, media_type="application/json")

    async def target(who: Who, submitted: TargetSubmission) -> Response:
        """Enter a target and learn at once whom to call. The same ``reference`` again updates it."""
        return await entered(who, submitted)

    async def event(who: Who, submitted: EventSubmission) -> Response:
        """Enter an operation and learn at once who plans another near it. Operations are never silent."""
        return await entered(who, submitted)

    for path, handler, summary in (
        ("/targets", target, "Submit a target"),
        ("/events", event, "Submit a planned operation"),
    ):
        routes.add_api_route(
            path,
            handler,
            methods=["POST"],
            status_code=201,
            response_model=Answer,
            summary=summary,
            responses=_REFUSALS,
            route_class_override=Direct,
        )


def _bulk_route(routes: APIRouter, registry: Registry, wake: Callable[[], None]) -> None:
    @routes.post(
        "/targets:bulk",
        response_model=Accepted | Refused,
        response_class=Lines,
        summary="Submit a whole caseload",
        responses=problem_responses(UNAUTHENTICATED, FORBIDDEN, TOO_LARGE),
    )
    async def bulk(who: Who, request: Request) -> Lines:
        """NDJSON, one target a line; the answer has one line for each, in order. Needs a supervisor.

        One bad line does not sink the rest, and sending all again changes nothing.
        """
        require(who, "supervisor")
        started = time.monotonic()
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_BULK:
                raise TOO_LARGE.because(f"Send at most {MAX_BULK} bytes at once.")
        answers = await run_in_threadpool(lambda: b"".join(_bulk(registry, who.agency, bytes(body))))
        wake()
        await asyncio.sleep(registry.pause(started))
        return Lines(iter((answers,)))


def _bulk(registry: Registry, agency: str, body: bytes) -> Iterator[bytes]:
    """Enter a caseload, some lines a transaction, and answer line by line."""
    lines = enumerate(body.split(b"\n"), 1)
    while chunk := list(islice(lines, CHUNK)):
        results: dict[int, dict[str, Any]] = {}
        good: list[tuple[int, TargetSubmission]] = []
        for number, line in chunk:
            if not line.strip():
                continue
            try:
                good.append((number, read(TargetSubmission, line)))
            except RequestValidationError as error:
                problem = INVALID.because("The line is no target.", field_errors(error.errors()))
                results[number] = {
                    "outcome": "REFUSED",
                    "problem": problem.document("/v1/deconfliction/targets:bulk"),
                }
        answers = registry.submit_many(agency, [s for _, s in good])
        for (number, _), answer in zip(good, answers, strict=True):
            results[number] = {"outcome": "ACCEPTED", **answer.model_dump(mode="json", by_alias=True)}
        for number in sorted(results):
            yield orjson.dumps({"line": number, **results[number]}) + b"\n"


def _watch_routes(routes: APIRouter, desk: Desk) -> None:
    @routes.get(
        "/queue",
        response_model=QueueList,
        summary="Possible matches that wait for a watch officer",
        responses=_UNKNOWN,
    )
    def queue(
        who: Who, limit: Annotated[int, Query(ge=1, le=500)] = 50, cursor: str | None = None
    ) -> Response:
        """Both submissions of each case, oldest first: confirm it, or dismiss it."""
        require(who, "watch_officer")
        after = place("queue", cursor, (int, str)) or [0, ""]
        return listing(page("queue", desk.queue((after[0], after[1]), limit + 1), limit))

    @routes.get(
        "/statistics", response_model=Statistics, summary="Counts without identities", responses=_UNKNOWN
    )
    def statistics(who: Who, days: Annotated[int, Query(ge=1, le=3660)] = 90) -> Response:
        """Conflicts by week, state and outcome; a supervisor also sees who of his agency asks for a lot."""
        require(who, "watch_officer", "supervisor", "auditor", "operator")
        found = desk.statistics(days)
        if "supervisor" in who.roles:
            near = desk.registry.close_to_limit(who.agency)
            found["close_to_limit"] = [{"user": user, "identifiers": n} for user, n in near]
        return listing(found)


def _own_routes(routes: APIRouter, desk: Desk, wake: Callable[[], None]) -> None:
    @routes.get(
        "/{number}",
        response_model=SubmissionShown,
        summary="One of the agency's own submissions",
        responses=_UNKNOWN,
    )
    def own(request: Request, who: Who, number: str) -> Response:
        """Its state and the conflicts that its owner may know of; for everyone else it does not exist."""
        with refusals():
            return resource(request, desk.status(who.agency, number))

    @routes.post(
        "/{number}/withdraw",
        response_model=SubmissionShown,
        summary="Take a submission back",
        responses={**_UNKNOWN, **problem_responses(STALE)},
    )
    def withdraw(who: Who, number: str, if_match: IfMatch = None) -> Response:
        """Its conflicts close; nobody meets it any more. `If-Match` is honoured."""
        require(who, *SUBMITTERS)
        with refusals():
            if if_match is not None:
                same(if_match, desk.status(who.agency, number))
            desk.withdraw(who.agency, number)
            wake()
            return listing(desk.status(who.agency, number))


def _key_routes(routes: APIRouter, registry: Registry) -> None:
    def lines(steps: Iterator[tuple[int, int]], first: tuple[int, int] | None) -> Iterator[bytes]:
        for done, total in chain([first] if first else [], steps):
            yield orjson.dumps({"state": "ROTATING", "done": done, "total": total}) + b"\n"
        yield orjson.dumps({"state": "DONE", "key": registry.keys.ring().current.number}) + b"\n"

    @routes.post(
        "/keys:rotate",
        response_model=Rotating,
        response_class=Lines,
        summary="Give the registry a new key",
        responses=_UNKNOWN,
    )
    def rotate_key(who: Who) -> Lines:
        """NDJSON with the progress; submissions go on meanwhile. Broken off, it goes on when asked again."""
        require(who, "operator")
        steps = rotate(registry)
        try:
            first = next(steps, None)
        except UnderWay:
            raise CONFLICT.because("A rotation is under way.") from None
        return Lines(lines(steps, first))


def _officer_routes(routes: APIRouter, registry: Registry, wake: Callable[[], None]) -> None:
    desk = Desk(registry)

    @routes.post("/queue/{conflict_id}/confirm", status_code=204, summary="It is a match", responses=_UNKNOWN)
    def confirm(who: Who, conflict_id: str) -> Response:
        """Both sides are told."""
        require(who, "watch_officer")
        with refusals():
            desk.confirm(conflict_id)
        wake()
        return Response(status_code=204)

    @routes.post("/queue/{conflict_id}/dismiss", status_code=204, summary="It is none", responses=_UNKNOWN)
    def dismiss(who: Who, conflict_id: str) -> Response:
        """Nobody is told, and the pair never comes up again on this evidence."""
        require(who, "watch_officer")
        with refusals():
            desk.dismiss(conflict_id)
        return Response(status_code=204)
