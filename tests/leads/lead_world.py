"""A leads service without processes: reports through projection and evaluation, read over its API."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient

from services.leads.evaluate import Evaluated, evaluate_due
from services.leads.project import Projector
from services.leads.routes import leads, rules
from services.leads.viewer import Clearances
from shared.auth import Identity
from shared.contracts.handling import Clearance
from shared.contracts.report import Report
from shared.database import Database
from shared.log import Record
from shared.settings import Settings
from shared.web import create_app
from tests.leads.picture_world import NOW, World

HEADERS = {"Interlock-Purpose": "INVESTIGATION", "Interlock-Case": "TEST-26-0001"}


class Tokens:
    """A verifier whose tokens are ``agency[/authority…]``."""

    def recall(self, token: str) -> Identity | None:
        return self.verify(token)

    def verify(self, token: str) -> Identity:
        agency, *authorities = token.split("/")
        return Identity("ana", frozenset({"analyst"}), Clearance(agency, frozenset(), frozenset(authorities)))


@dataclass
class Office:
    """Reports in, leads out."""

    db: Database
    world: World = field(default_factory=World)
    now: datetime = NOW

    def __post_init__(self) -> None:
        app = create_app(
            "leads",
            verifier=Tokens(),
            ready=lambda: None,
            settings=Settings.from_env({"INTERLOCK_HOME": str(Path("/nonexistent"))}),
        )
        app.state.clearances = Clearances(self.db, lambda: None)
        app.include_router(leads.router(self.db, lambda: self.now))
        app.include_router(rules.router())
        self.client = TestClient(app)

    def take(self, *given: Report) -> Evaluated:
        """Project these reports and evaluate what is due."""
        return self.project([self.world.put(r) for r in given])

    def retract(self, given: Report) -> Evaluated:
        """Withdraw a report."""
        return self.project([self.world.retract(given.report_id)])

    def project(self, records: Sequence[Record]) -> Evaluated:
        """Project messages and evaluate what is due."""
        Projector(self.db, lambda: None).handle(records)
        return evaluate_due(self.db, self.now, 1_000)

    def evaluate(self) -> Evaluated:
        """Evaluate what is due."""
        return evaluate_due(self.db, self.now, 1_000)

    def get(self, path: str, who: str = "TXZZZ0009", **params: Any) -> httpx.Response:
        """A read with token, purpose and case."""
        return self.client.get(path, params=params, headers=HEADERS | {"Authorization": f"Bearer {who}"})

    def items(self, who: str = "TXZZZ0009", **params: Any) -> list[dict[str, Any]]:
        """The items of the list."""
        answer = self.get("/v1/leads", who, **params)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found
