"""``/v1/me``: what applies to the token."""

from fastapi import APIRouter

from services.leads.schemas import Me
from services.leads.viewer import Purpose
from shared.problems import UNAUTHENTICATED, problem_responses
from shared.web import Who


def router() -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/me", tags=["me"])

    @routes.get("", summary="What applies to me", responses=problem_responses(UNAUTHENTICATED))
    def me(who: Who) -> Me:
        """Agency, roles, authorities and centres of the token, and what reads of content must carry."""
        return Me(
            subject=who.subject,
            agency=who.agency,
            roles=sorted(who.roles),
            authorities=sorted(who.clearance.authorities),
            centres=sorted(who.clearance.centres),
            vetted=who.clearance.vetted,
            purposes=list(Purpose),
            required_headers=["Interlock-Purpose", "Interlock-Case"],
        )

    return routes
