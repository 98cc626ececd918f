"""The leads API over a world of invented reports, in this process."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from services.leads.app import Parts, create_app
from services.leads.evaluate import evaluate_due
from services.leads.project import Projector
from shared.auth import ensure_key, mint, verifier_from
from shared.contracts.topics import JUDGEMENTS
from shared.database import Database
from shared.log import NewRecord, Position, Record
from shared.settings import Settings
from tests.leads.picture_world import NOW, World

READING = {"Interlock-Purpose": "INVESTIGATION", "Interlock-Case": "C-1"}


@dataclass
class ListLog:
    """A log that only remembers what is appended."""

    records: list[tuple[str, NewRecord]] = field(default_factory=list)

    def append(self, topic: str, records: Sequence[NewRecord]) -> list[Position]:
        """Remember."""
        self.records += [(topic, r) for r in records]
        return [Position(topic, 0, len(self.records)) for _ in records]


@dataclass
class Api:
    """An app over one database, fed from a world; ``now`` is its clock."""

    db: Database
    home: Path
    world: World = field(default_factory=World)
    log: ListLog = field(default_factory=ListLog)
    now: Any = NOW

    def __post_init__(self) -> None:
        settings = Settings(home=self.home)
        self.key = ensure_key(settings.key_file)
        self.woken = 0
        self.app = create_app(
            Parts(
                self.db,
                self.log,
                verifier_from(settings),
                settings,
                lambda: self.now,
                self._wake,
                lambda: None,  # type: ignore[arg-type]
            )
        )

    def _wake(self) -> None:
        self.woken += 1

    def feed(self, *records: Record) -> None:
        """Project these messages."""
        dead = Projector(self.db, lambda: None).handle(records)
        assert not dead

    def evaluate(self) -> None:
        """Evaluate everything that is due."""
        while evaluate_due(self.db, self.now, 100).components:
            pass

    def client(
        self, agency: str = "TXZZZ0001", roles: Sequence[str] = ("analyst",), **claims: Any
    ) -> TestClient:
        """A client with a token of this agency, purpose and case."""
        token = mint(
            self.key, subject=f"a@{agency}", agency=agency, roles=roles, ttl=timedelta(days=9_000), **claims
        )
        return TestClient(self.app, headers={"Authorization": f"Bearer {token}", **READING})

    def relay_judgements(self) -> None:
        """Project the judgements that the API has appended."""
        said = [r for t, r in self.log.records if t == JUDGEMENTS.name]
        self.feed(
            *(Record(Position(JUDGEMENTS.name, 0, n), r.key, r.value, {}, 0) for n, r in enumerate(said))
        )
