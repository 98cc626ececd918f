"""The registry's API in this process: clients whose tokens name agency, roles and person."""

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from services.leads.routes import deconfliction, notices
from shared.auth import Identity
from shared.contracts.handling import Clearance
from shared.rate import Rate
from shared.settings import Settings
from shared.web import create_app
from tests.leads.deconfliction.house import House


class Tokens:
    """A verifier whose tokens are ``agency/role,role/person``."""

    def recall(self, token: str) -> Identity | None:
        return self.verify(token)

    def verify(self, token: str) -> Identity:
        agency, roles, person = token.split("/")
        return Identity(person, frozenset(roles.split(",")), Clearance(agency))


class Counter:
    """The routes over one house; ``settle()`` lets the matcher work."""

    def __init__(self, house: House, rate: int = 0) -> None:
        self.house = house
        settings = Settings.from_env({"INTERLOCK_HOME": str(Path("/nonexistent"))})
        self.app = create_app("leads", verifier=Tokens(), ready=lambda: None, settings=settings)
        self.app.include_router(deconfliction.router(house.registry, Rate(rate), lambda: None))
        self.app.include_router(notices.router(house.registry))

    def client(self, agency: str, roles: str = "analyst", person: str = "ana") -> TestClient:
        return TestClient(self.app, headers={"Authorization": f"Bearer {agency}/{roles}/{person}"})


def target(reference: str, phone: str = "+19155550142", **more: Any) -> dict[str, Any]:
    """A target's body."""
    return {
        "reference": reference, "unit": "NARC 1", "label": f"LABEL {reference}",
        "contact": {"name": "SYN DESK", "phone": "+19155550101"},
        "identifiers": [{"type": "PHONE", "value": phone}],
    } | more  # fmt: skip
