"""``/v1/notices``, ``/v1/conflicts`` and ``/v1/channels``: being told, answering, and where to be told."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Annotated, Final, Literal

import orjson
from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from services.leads.answers import listing, page, place, resource, same, written
from services.leads.deconfliction.bell import Bell
from services.leads.deconfliction.channels import Channels
from services.leads.deconfliction.delivery import check_address
from services.leads.deconfliction.desk import Desk, Placed
from services.leads.deconfliction.registry import Registry
from services.leads.deconfliction.shapes import (
    ChannelList,
    ChannelMade,
    ConflictShown,
    NoticeList,
    NoticeShown,
)
from services.leads.deconfliction.states import Outcome
from services.leads.routes.deconfliction import IfMatch, refusals
from shared.auth import Identity
from shared.contracts.entities import Line
from shared.contracts.model import Contract
from shared.problems import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    STALE,
    UNAUTHENTICATED,
    problem_responses,
)
from shared.web import Who, require

MANY: Final = 100
"""Notices that a stream reads at once."""
SILENCE_SECONDS: Final = 15.0
"""After so long without a notice a stream sends a comment, so that both ends know it lives."""
_PLACE = re.compile(r"([0-9]{1,15})-([0-9a-f-]{36})")
_REFUSALS = problem_responses(UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, CONFLICT)
_LISTS = problem_responses(UNAUTHENTICATED, INVALID)
_SUPERVISED = problem_responses(UNAUTHENTICATED, FORBIDDEN, INVALID)


class Events(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


class Settled(Contract):
    """How a conflict was settled."""

    model_config = Contract.model_config | {
        "json_schema_extra": {"examples": [{"outcome": "RESCHEDULED", "note": "We moved to noon."}]}
    }

    outcome: Outcome
    note: Line | None = None


class NewChannel(Contract):
    """A webhook (https) or a mailbox."""

    model_config = Contract.model_config | {
        "json_schema_extra": {
            "examples": [{"channel": "WEBHOOK", "address": "https://agency.example/notices"}]
        }
    }

    channel: Literal["WEBHOOK", "EMAIL"]
    address: Line


def router(registry: Registry) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1")
    _notice_routes(routes, Desk(registry), Bell(registry))
    _conflict_routes(routes, Desk(registry))
    _channel_routes(routes, Channels(registry))
    return routes


def _notice_routes(routes: APIRouter, desk: Desk, bell: Bell) -> None:
    @routes.get(
        "/notices",
        tags=["deconfliction"],
        response_model=NoticeList,
        summary="The agency's inbox",
        responses=_LISTS,
    )
    def notices(
        who: Who, limit: Annotated[int, Query(ge=1, le=500)] = 50, cursor: str | None = None
    ) -> Response:
        """Oldest first; a supervisor also sees what escalated and what meets within the agency."""
        after = place("notices", cursor, (int, str)) or [0, ""]
        rows = desk.inbox(who.clearance, (after[0], after[1]), limit + 1, supervisor=_supervises(who))
        return listing(page("notices", rows, limit))

    @routes.get(
        "/notices:stream",
        tags=["deconfliction"],
        response_class=Events,
        summary="Notices as they come",
        responses=_LISTS,
    )
    async def stream(who: Who, last_event_id: Annotated[str | None, Header()] = None) -> Events:
        """Server-sent events ``notice``, notices of the inbox; `Last-Event-ID` goes on after that one."""
        found = _PLACE.fullmatch(last_event_id or "")
        after = (int(found[1]), found[2]) if found else (0, "")
        return Events(_events(desk, bell, who, after))

    @routes.post(
        "/notices/{notice_id}/acknowledge",
        tags=["deconfliction"],
        response_model=NoticeShown,
        summary="I have read it",
        responses=_REFUSALS,
    )
    def acknowledge(who: Who, notice_id: str) -> Response:
        """Stops the clock of this side; again changes nothing."""
        with refusals():
            return listing(desk.acknowledge(who.agency, notice_id, who.subject))


async def _events(
    desk: Desk, bell: Bell, who: Identity, after: tuple[int, str]
) -> AsyncGenerator[bytes, None]:
    """The agency's notices after a place, and then every new one."""
    with bell.listening(who.agency) as rung:
        while True:
            rung.clear()
            rows: list[Placed] = await run_in_threadpool(
                desk.inbox, who.clearance, after, MANY, supervisor=_supervises(who)
            )
            for where, notice in rows:
                after = (where[0], where[1])
                text = written(notice)
                yield b"id: %d-%s\nevent: notice\ndata: %s\n\n" % (where[0], where[1].encode(), text)
            if len(rows) < MANY:
                try:
                    await asyncio.wait_for(rung.wait(), SILENCE_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"


def _conflict_routes(routes: APIRouter, desk: Desk) -> None:
    @routes.get(
        "/conflicts/{conflict_id}",
        tags=["deconfliction"],
        response_model=ConflictShown,
        summary="A conflict, as its side sees it",
        responses=_REFUSALS,
    )
    def conflict(request: Request, who: Who, conflict_id: str) -> Response:
        """State, urgency and outcome; for whoever is no side of it, it does not exist."""
        with refusals():
            return resource(request, desk.conflict(who.agency, conflict_id))

    @routes.post(
        "/conflicts/{conflict_id}/resolve",
        tags=["deconfliction"],
        response_model=ConflictShown,
        summary="We have settled it",
        responses={**_REFUSALS, **problem_responses(STALE)},
    )
    def resolve(who: Who, conflict_id: str, settled: Settled, if_match: IfMatch = None) -> Response:
        """A false match never fires again on the same evidence. `If-Match` is honoured."""
        with refusals():
            if if_match is not None:
                same(if_match, desk.conflict(who.agency, conflict_id))
            return listing(desk.resolve(who.agency, conflict_id, settled.outcome, settled.note))


def _channel_routes(routes: APIRouter, channels: Channels) -> None:
    @routes.get(
        "/channels",
        tags=["deconfliction"],
        response_model=ChannelList,
        summary="Where notices are sent",
        responses=_SUPERVISED,
    )
    def listed(who: Who) -> Response:
        """The agency's webhooks and mailboxes, besides its inbox."""
        require(who, "supervisor")
        return listing({"items": channels.all(who.agency), "next_cursor": None})

    @routes.post(
        "/channels",
        tags=["deconfliction"],
        status_code=201,
        response_model=ChannelMade,
        summary="Send notices there",
        responses=_SUPERVISED,
    )
    def add(who: Who, new: NewChannel) -> Response:
        """The answer holds the secret that signs the calls; it is shown this once."""
        require(who, "supervisor")
        if wrong := check_address(new.channel, new.address):
            raise INVALID.because("The channel is refused.", [{"pointer": "/address", "message": wrong}])
        made = channels.add(who.agency, new.channel, new.address)
        return Response(orjson.dumps(made), 201, media_type="application/json")

    @routes.delete(
        "/channels/{channel_id}",
        tags=["deconfliction"],
        status_code=204,
        summary="No more",
        responses=_REFUSALS,
    )
    def drop(who: Who, channel_id: str) -> Response:
        """What is under way is still delivered."""
        require(who, "supervisor")
        if not channels.drop(who.agency, channel_id):
            raise NOT_FOUND.because(NOT_FOUND.doc)
        return Response(status_code=204)


def _supervises(who: Identity) -> bool:
    return not who.roles.isdisjoint({"supervisor", "watch_officer"})
