"""Leads with their lives: the picture, the registry and every route of both, in this process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient

from services.leads.deconfliction import migrations
from services.leads.deconfliction.keyring import KeyFile
from services.leads.deconfliction.matcher import Matcher
from services.leads.deconfliction.registry import Registry
from services.leads.lives import Lives
from services.leads.routes import deconfliction, leads, notices, rules, transitions
from services.leads.viewer import Clearances
from shared.auth import Identity
from shared.contracts.handling import Clearance
from shared.database import migrate
from shared.rate import Rate
from shared.settings import Settings
from shared.web import create_app
from tests.leads.lead_world import HEADERS, Office

ANALYST, REVIEWER = "analyst", "analyst,reviewer"


class Tokens:
    """A verifier whose tokens are ``agency/roles/person/authorities``."""

    def recall(self, token: str) -> Identity | None:
        return self.verify(token)

    def verify(self, token: str) -> Identity:
        agency, roles, person, authorities = token.split("/")
        held = frozenset(a for a in authorities.split(",") if a)
        return Identity(person, frozenset(roles.split(",")), Clearance(agency, frozenset(), held))


@dataclass
class Bureau(Office):
    """An office with a registry; ``home`` is where its keys are."""

    home: Path = Path()

    def __post_init__(self) -> None:
        migrate(self.db, Path(migrations.__file__).parent)
        clock = lambda: self.now  # noqa: E731 - a clock that the test turns
        self.registry = Registry(self.db, KeyFile(self.home / "keys.json"), clock, quantum=0.0005)
        self.matcher = Matcher(self.registry)
        lives = Lives(self.db, self.registry, clock, lambda: None)
        settings = Settings.from_env({"INTERLOCK_HOME": str(self.home)})
        app = create_app("leads", verifier=Tokens(), ready=lambda: None, settings=settings)
        app.state.clearances = Clearances(self.db, lambda: None)
        for router in (
            leads.router(self.db, clock, lives),
            rules.router(precision=lives.precision),
            transitions.router(lives),
            deconfliction.router(self.registry, Rate(0), lambda: None),
            notices.router(self.registry),
        ):
            app.include_router(router)
        self.client = TestClient(app)

    def settle(self) -> None:
        """Have every match worked out."""
        while self.matcher.step():
            pass

    def ask(
        self,
        method: str,
        path: str,
        who: tuple[str, ...],
        body: Any = None,
        if_match: str | None = None,
        headers: dict[str, str] | None = None,
        **params: Any,
    ) -> httpx.Response:
        """A call by ``who``: agency, roles, person, authorities."""
        agency, roles, person, authorities = (*who, *("", ANALYST, "ana", "")[len(who) :])
        token = {"Authorization": f"Bearer {agency}/{roles}/{person}/{authorities}"}
        more = (headers or {}) | ({} if if_match is None else {"If-Match": if_match})
        return self.client.request(method, path, json=body, params=params, headers=HEADERS | token | more)

    def move(self, lead: str, to: str, *who: str) -> httpx.Response:
        """Ask for a transition of the lead as it is."""
        read = self.ask("GET", f"/v1/leads/{lead}", who)
        body = {"to": to, "reason": f"to {to}"}
        return self.ask("POST", f"/v1/leads/{lead}/transitions", who, body, read.headers.get("ETag", "*"))

    def lead(self, lead: str, *who: str) -> dict[str, Any]:
        """One lead in full."""
        found: dict[str, Any] = self.ask("GET", f"/v1/leads/{lead}", who).json()
        return found

    def listed(self, *who: str, **params: Any) -> list[str]:
        """Ids of the leads of a list."""
        answer = self.ask("GET", "/v1/leads", who, **params)
        assert answer.status_code == 200, answer.text
        return [x["lead_id"] for x in answer.json()["items"]]

    def target(self, agency: str, reference: str, identifier: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Submit a target."""
        body = {
            "reference": reference, "unit": "NARC 1", "label": f"LABEL {reference}",
            "contact": {"name": f"SYN {agency}", "phone": "+19155550101"}, "identifiers": [identifier],
        } | more  # fmt: skip
        answer = self.ask("POST", "/v1/deconfliction/targets", (agency,), body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found
