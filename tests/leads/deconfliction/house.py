"""One registry with its matcher and desk, and a clock that tests turn."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.leads.deconfliction.desk import Desk
from services.leads.deconfliction.keyring import KeyFile
from services.leads.deconfliction.matcher import Matcher
from services.leads.deconfliction.registry import Registry
from services.leads.deconfliction.submissions import Answer, EventSubmission, TargetSubmission
from services.leads.deconfliction.tables import metadata
from shared.contracts.handling import Clearance
from shared.database import Database

A, B, C = "TXZZZ0001", "CAZZZ0002", "AZZZZ0003"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


PHONE = {"identifiers": [{"type": "PHONE", "value": "(915) 555-0142"}]}


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class House:
    """One registry with its matcher and desk on a database of its own."""

    def __init__(self, db: Database, keys: Path) -> None:
        self.clock = Clock()
        self.registry = Registry(db, KeyFile(keys), self.clock, quantum=0.0005)
        self.matcher = Matcher(self.registry)
        self.desk = Desk(self.registry)

    def target(self, agency: str, reference: str, **more: Any) -> Answer:
        fields: dict[str, Any] = {
            "reference": reference, "unit": "NARC 1", "label": f"LABEL {reference}",
            "contact": {"name": f"SYN {agency}", "phone": "+19155550101"},
        }  # fmt: skip
        return self.registry.submit(agency, TargetSubmission.model_validate(fields | more))

    def event(self, agency: str, reference: str, **more: Any) -> Answer:
        fields: dict[str, Any] = {
            "reference": reference, "unit": "TEAM 1", "type": "SEARCH_WARRANT", "lat": 31.76, "lon": -106.48,
            "starts_at": "2026-03-04T13:00:00Z", "ends_at": "2026-03-04T14:00:00Z",
            "contact": {"name": f"SYN {agency}", "phone": "+19155550102"},
        }  # fmt: skip
        return self.registry.submit(agency, EventSubmission.model_validate(fields | more))

    def settle(self) -> None:
        while self.matcher.step():
            pass

    def inbox(self, agency: str) -> list[dict[str, Any]]:
        self.settle()
        return [notice for _, notice in self.desk.inbox(Clearance(agency), (0, ""), 100, supervisor=True)]


def dump(db: Database) -> bytes:
    """Every value of every table, and on SQLite the files themselves: what a thief gets."""
    found = []
    with db.snapshot() as conn:
        for table in metadata.sorted_tables:
            for row in conn.execute(table.select()):
                found += [v if isinstance(v, bytes) else str(v).encode() for v in row]
    if db.is_sqlite:
        file = Path(str(db.engine.url.database))
        found += [p.read_bytes() for p in file.parent.glob(f"{file.name}*")]
    return b"\n".join(found)
