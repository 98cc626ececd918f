"""``/v1/leads/{id}/transitions``, ``/claim`` and ``/history``: the life of a lead."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import Field
from starlette.responses import Response

from services.leads.answers import listing
from services.leads.deconfliction.lead_desk import Checked
from services.leads.disclosure import disclose
from services.leads.lead_schemas import HistoryList, LifeModel
from services.leads.lifecycle import LeadState, Life, NotNow, NotYou
from services.leads.lives import Blocked, Lives, Version
from services.leads.viewer import Viewer, reader
from shared.contracts.entities import Line
from shared.contracts.model import Contract
from shared.problems import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    PURPOSE,
    UNAUTHENTICATED,
    Problem,
    problem_responses,
)

Reader = Annotated[Viewer, Depends(reader)]
LeadId = Annotated[UUID, Path()]
_REFUSALS = problem_responses(UNAUTHENTICATED, FORBIDDEN, PURPOSE, NOT_FOUND, CONFLICT, INVALID)


class Move(Contract):
    """Where the lead goes, and why."""

    to: LeadState
    reason: Line = Field(description="stands in the history, with who and when")


class Claim(Contract):
    """Why the lead is taken."""

    reason: Line = "claimed"


def router(lives: Lives) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/leads", tags=["leads"])

    def found(viewer: Viewer, lead_id: UUID) -> Version:
        version = lives.version(viewer.clearance, lead_id)
        if version is None:
            raise NOT_FOUND.because(NOT_FOUND.doc)
        return version

    def answer(viewer: Viewer, lead_id: UUID, life: Life) -> Response:
        return listing({"lead_id": str(lead_id)} | lives.shown(viewer.clearance, str(lead_id), life))

    @routes.post(
        "/{lead_id}/transitions",
        response_model=LifeModel,
        summary="Take a lead a step further",
        responses=_REFUSALS,
    )
    def move(viewer: Reader, lead_id: LeadId, move: Move) -> Response:
        """A second person reviews; a release is blocked while a conflict stands, and says whom to call."""
        version = found(viewer, lead_id)
        with _refusals():
            life = lives.move(viewer.identity, version, move.to, move.reason)
        return answer(viewer, lead_id, life)

    @routes.post(
        "/{lead_id}/claim", response_model=LifeModel, summary="Take a lead for oneself", responses=_REFUSALS
    )
    def claim(viewer: Reader, lead_id: LeadId, claim: Claim | None = None) -> Response:
        """Exclusive: whoever comes second learns who holds it. A released lead is thereby assigned."""
        version = found(viewer, lead_id)
        with _refusals():
            life = lives.claim(viewer.identity, version, (claim or Claim()).reason)
        return answer(viewer, lead_id, life)

    @routes.get(
        "/{lead_id}/history",
        response_model=HistoryList,
        summary="Who did what with a lead, when and why",
        responses=_REFUSALS,
    )
    def history(viewer: Reader, lead_id: LeadId) -> Response:
        """Oldest first; steps that rest on what you may not see are not yours to know."""
        version = found(viewer, lead_id)
        disclose(viewer, f"history of lead {lead_id}", set(version.body["reports"]))
        return listing({"items": lives.history(viewer.clearance, str(lead_id)), "next_cursor": None})

    return routes


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except NotYou as error:
        raise FORBIDDEN.because(str(error)) from None
    except NotNow as error:
        raise CONFLICT.because(str(error)) from None
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
