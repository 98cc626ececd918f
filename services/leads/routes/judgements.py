"""``/v1/judgements``: a person's decision that two profiles are, or are not, the same; and taking it back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Depends, Header, Path
from starlette.responses import Response

from services.leads import schemas
from services.leads.answers import JSON
from services.leads.judgement_store import keep, stored, withdraw
from services.leads.reading import Reading, nothing
from services.leads.viewer import Viewer, reader
from shared.contracts.judgement import Judgement
from shared.contracts.report import REPORT_NAMESPACE
from shared.contracts.topics import H_SCHEMA, H_TRACEPARENT, JUDGEMENTS
from shared.database import Database
from shared.log import Log, NewRecord
from shared.problems import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    PURPOSE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    problem_responses,
)
from shared.telemetry import traceparent
from shared.web import require

ROLES = ("analyst", "reviewer", "supervisor")
_REFUSALS = problem_responses(UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, PURPOSE, INVALID, UNAVAILABLE, CONFLICT)
Reader = Annotated[Viewer, Depends(reader)]


@dataclass(frozen=True, slots=True)
class Judging:
    """What the routes work with; ``wake`` is called when something became due."""

    reading: Reading
    db: Database
    log: Log
    wake: Callable[[], None]

    def judge(self, viewer: Viewer, given: schemas.NewJudgement, key: str | None) -> Judgement:
        """Record a judgement: in the log first, then in the picture."""
        a, b = sorted((given.a, given.b))
        if a == b:
            error = {"pointer": "/b", "message": "a profile is always the same as itself"}
            raise INVALID.because("Name two different profiles.", [error])
        with self.reading.look(viewer.clearance) as look:
            if not {a, b} <= look.picture([a, b]).entity_of.keys():
                raise nothing()
        said = Judgement(
            judgement_id=str(_id(viewer, key)),
            a=a,
            b=b,
            verdict=given.verdict,
            reason=given.reason,
            author=viewer.identity.subject,
            agency=viewer.clearance.agency,
            own_agency_only=given.own_agency_only,
            at=self.reading.clock(),
        )
        with self.db.snapshot() as conn:
            before = stored(conn, said.judgement_id)
        if before is not None:
            return _same(before, said)
        self.log.append(JUDGEMENTS.name, [NewRecord(said.judgement_id, said.to_json(), _headers())])
        with self.db.transaction() as conn:
            keep(conn, said)
        self.wake()
        return said

    def undo(self, viewer: Viewer, judgement_id: UUID) -> None:
        """Withdraw a judgement of the viewer's own or, for a supervisor, of his agency."""
        with self.db.snapshot() as conn:
            said = stored(conn, str(judgement_id))
        if said is None or said.agency != viewer.clearance.agency:
            raise nothing()
        if said.author != viewer.identity.subject:
            require(viewer.identity, "supervisor")
        self.log.append(JUDGEMENTS.name, [NewRecord(said.judgement_id, None, _headers())])
        with self.db.transaction() as conn:
            withdraw(conn, said, self.reading.clock())
        self.wake()


def router(judging: Judging) -> APIRouter:
    """The routes; a judgement is in the log before the answer goes out."""
    routes = APIRouter(prefix="/v1/judgements", tags=["entities"])

    @routes.post(
        "",
        status_code=201,
        response_model=schemas.JudgementAnswer,
        summary="Judge a pair",
        responses=_REFUSALS,
    )
    def judge(
        viewer: Reader,
        given: schemas.NewJudgement,
        idempotency_key: Annotated[schemas.IdempotencyKey | None, Header()] = None,
    ) -> Response:
        """SAME joins, DIFFERENT keeps apart, UNSURE takes the pair out of the queue. The picture follows."""
        require(viewer.identity, *ROLES)
        said = judging.judge(viewer, given, idempotency_key)
        return Response(said.model_dump_json(), 201, media_type=JSON)

    @routes.delete("/{judgement_id}", status_code=204, summary="Take a judgement back", responses=_REFUSALS)
    def undo(viewer: Reader, judgement_id: Annotated[UUID, Path()]) -> Response:
        """The author's own, or, for a supervisor, any of his agency. All is as before."""
        require(viewer.identity, *ROLES)
        judging.undo(viewer, judgement_id)
        return Response(status_code=204)

    return routes


def _id(viewer: Viewer, key: str | None) -> UUID:
    """A new id; with an Idempotency-Key always the same for this author."""
    if key is None:
        return uuid4()
    author = f"{viewer.clearance.agency}\n{viewer.identity.subject}"
    return uuid5(REPORT_NAMESPACE, f"judgement\n{author}\n{key}")


def _same(before: Judgement, said: Judgement) -> Judgement:
    """What was recorded under this key; raises the 409 problem where it said something else."""
    if before.model_copy(update={"at": said.at}) != said:
        raise CONFLICT.because("The Idempotency-Key was used for another judgement: send a new one.")
    return before


def _headers() -> dict[str, str]:
    trace = traceparent.get()
    return {H_SCHEMA: "judgement/1"} | ({H_TRACEPARENT: trace} if trace else {})
