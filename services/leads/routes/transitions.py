"""A lead's ``/transitions``, ``/claim``, ``/history``, ``/comments`` and ``/feedback``: its life."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path
from pydantic import Field, StringConstraints
from starlette.responses import Response

from services.leads.answers import JSON, listing, same, tag_of, written
from services.leads.deconfliction.lead_desk import Checked
from services.leads.disclosure import disclose
from services.leads.lead_schemas import CommentList, CommentModel, FeedbackModel, HistoryList, LifeModel
from services.leads.lifecycle import LeadState, NotNow, NotYou
from services.leads.lives import Blocked, Changed, Lives, Version
from services.leads.routes.leads import whole
from services.leads.viewer import Viewer, reader
from shared.contracts.entities import Line
from shared.contracts.model import Contract
from shared.problems import (
    CONFLICT,
    FORBIDDEN,
    IF_MATCH,
    INVALID,
    NOT_FOUND,
    PURPOSE,
    STALE,
    UNAUTHENTICATED,
    Problem,
    problem_responses,
)

Reader = Annotated[Viewer, Depends(reader)]
LeadId = Annotated[UUID, Path()]
IfMatch = Annotated[str | None, Header(description="the lead's `ETag` as you read it; `*` for any")]
RepeatKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=200, description="the same again changes nothing"),
]
_REFUSALS = problem_responses(UNAUTHENTICATED, FORBIDDEN, PURPOSE, NOT_FOUND, CONFLICT, INVALID)


class Move(Contract):
    """Where the lead goes, and why."""

    model_config = Contract.model_config | {
        "json_schema_extra": {"examples": [{"to": "REVIEW", "reason": "Two feeds agree on the courier."}]}
    }

    to: LeadState
    reason: Line = Field(description="stands in the history, with who and when")


class Claim(Contract):
    """Why the lead is taken."""

    reason: Line = "claimed"


class Comment(Contract):
    """What somebody says of a lead."""

    model_config = Contract.model_config | {
        "json_schema_extra": {"examples": [{"text": "Same driver as in the March case: see our report."}]}
    }

    text: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class Feedback(Contract):
    """What came of a lead."""

    model_config = Contract.model_config | {
        "json_schema_extra": {"examples": [{"outcome": "ACTIONED", "note": "Two arrests on 4 March."}]}
    }

    outcome: Literal["ACTIONED", "NO_VALUE", "DUPLICATE", "REFUTED"]
    note: Line


def router(lives: Lives) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/leads", tags=["leads"])
    _step_routes(routes, lives)
    _word_routes(routes, lives)
    return routes


def _found(lives: Lives, viewer: Viewer, lead_id: UUID) -> Version:
    version = lives.version(viewer.clearance, lead_id)
    if version is None:
        raise NOT_FOUND.because(NOT_FOUND.doc)
    return version


def _now(lives: Lives, viewer: Viewer, lead_id: UUID) -> dict[str, Any]:
    return whole(lives.db, lives, viewer.clearance, lead_id, lives.clock())


def _answer(lives: Lives, viewer: Viewer, lead_id: UUID) -> Response:
    """Where the lead is now, with the ETag that the next step needs."""
    body = _now(lives, viewer, lead_id)
    tag = {"ETag": tag_of(written(body))}
    return Response(written({n: body[n] for n in LifeModel.model_fields}), 200, tag, JSON)


def _step_routes(routes: APIRouter, lives: Lives) -> None:
    @routes.post(
        "/{lead_id}/transitions",
        response_model=LifeModel,
        summary="Take a lead a step further",
        responses={**_REFUSALS, **problem_responses(STALE, IF_MATCH, PURPOSE)},
    )
    def move(viewer: Reader, lead_id: LeadId, move: Move, if_match: IfMatch = None) -> Response:
        """A second person reviews; a release is blocked while a conflict stands, and says whom to call.

        `If-Match` carries the `ETag` of the lead as you read it: nobody decides on what has changed since.
        """
        version, life = _found(lives, viewer, lead_id), lives.life(viewer.clearance, str(lead_id))
        if if_match is None:
            raise IF_MATCH.because(IF_MATCH.doc)
        same(if_match, _now(lives, viewer, lead_id))
        with _refusals():
            lives.move(viewer.identity, version, life, move.to, move.reason)
        return _answer(lives, viewer, lead_id)

    @routes.post(
        "/{lead_id}/claim",
        response_model=LifeModel,
        summary="Take a lead for oneself",
        responses={**_REFUSALS, **problem_responses(STALE)},
    )
    def claim(
        viewer: Reader, lead_id: LeadId, claim: Claim | None = None, if_match: IfMatch = None
    ) -> Response:
        """Exclusive: whoever comes second learns who holds it. A released lead is thereby assigned."""
        version = _found(lives, viewer, lead_id)
        if if_match is not None:
            same(if_match, _now(lives, viewer, lead_id))
        with _refusals():
            lives.claim(viewer.identity, version, (claim or Claim()).reason)
        return _answer(lives, viewer, lead_id)

    @routes.get(
        "/{lead_id}/history",
        response_model=HistoryList,
        summary="Who did what with a lead, when and why",
        responses=_REFUSALS,
    )
    def history(viewer: Reader, lead_id: LeadId) -> Response:
        """Oldest first; steps that rest on what you may not see are not yours to know."""
        version = _found(lives, viewer, lead_id)
        disclose(viewer, f"history of lead {lead_id}", set(version.body["reports"]))
        return listing({"items": lives.history(viewer.clearance, str(lead_id)), "next_cursor": None})


def _word_routes(routes: APIRouter, lives: Lives) -> None:
    @routes.get(
        "/{lead_id}/comments",
        response_model=CommentList,
        summary="What was said of a lead",
        responses=_REFUSALS,
    )
    def comments(viewer: Reader, lead_id: LeadId) -> Response:
        """Oldest first, of those who saw the lead made of nothing that you may not see."""
        version = _found(lives, viewer, lead_id)
        disclose(viewer, f"comments on lead {lead_id}", set(version.body["reports"]))
        return listing({"items": lives.comments(viewer.clearance, str(lead_id)), "next_cursor": None})

    @routes.post(
        "/{lead_id}/comments",
        status_code=201,
        response_model=CommentModel,
        summary="Say something of a lead",
        responses=_REFUSALS,
    )
    def comment(
        viewer: Reader, lead_id: LeadId, comment: Comment, idempotency_key: RepeatKey = None
    ) -> Response:
        """Whoever may see all that you see of the lead reads it."""
        version = _found(lives, viewer, lead_id)
        with _refusals():
            said = lives.say(viewer.identity, version, comment.text, None, idempotency_key)
        return Response(written(said), 201, media_type=JSON)

    @routes.post(
        "/{lead_id}/feedback",
        status_code=201,
        response_model=FeedbackModel,
        summary="Say what came of a lead",
        responses=_REFUSALS,
    )
    def feedback(
        viewer: Reader, lead_id: LeadId, feedback: Feedback, idempotency_key: RepeatKey = None
    ) -> Response:
        """Counts for the precision of the rules that fired, and changes no state: that is the holder's."""
        version, outcome = _found(lives, viewer, lead_id), LeadState(feedback.outcome)
        with _refusals():
            said = lives.say(viewer.identity, version, feedback.note, outcome, idempotency_key)
        return Response(written(said), 201, media_type=JSON)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except NotYou as error:
        raise FORBIDDEN.because(str(error)) from None
    except NotNow as error:
        raise CONFLICT.because(str(error)) from None
    except Changed:
        raise STALE.because(STALE.doc) from None
    except Blocked as error:
        raise _blocked(error) from None


def _blocked(error: Blocked) -> Problem:
    if error.checked is None:
        reasons: list[dict[str, Any]] = [{"pointer": "/release", "message": m} for m in error.missing]
        return CONFLICT.because("The evidence does not allow a release yet.", reasons)
    reasons = [
        {"pointer": f"/deconfliction/contacts/{n}", "message": _call(error.checked, n)}
        for n in range(len(error.checked.contacts))
    ]
    return CONFLICT.because("Call these first; once they and you have settled it, release again.", reasons)


def _call(checked: Checked, n: int) -> str:
    other = checked.contacts[n]
    return f"{other.contact.name}, {other.unit}, {other.agency}, {other.contact.phone} ({other.number})"
