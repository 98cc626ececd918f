"""The bad night of an operator: poison, killed processes, and (on Kafka) a broker that dies."""

import copy
import json
from typing import Any

import httpx
import pytest

from tests.conftest import Broker
from tests.deployments import distributed
from tests.system import System, wait_until

AGENCY = "TXZZZ0001"


def report(client: httpx.Client, number: str, **changes: Any) -> dict[str, Any]:
    """The example seizure of EPIC's documentation under a number of our own, for everyone to see."""
    payload: dict[str, Any] = copy.deepcopy(client.get("/v1/schemas/EPIC.SEIZURE").json()["examples"][0])
    payload |= {"source_report_no": number} | changes
    payload["originator"]["agency_id"] = AGENCY
    payload["handling"] |= {"share": "GREEN", "orcon": False, "release_to": [], "caveats": []}
    return payload


def accepted(client: httpx.Client, payload: dict[str, Any]) -> str:
    """Send a report; its receipt."""
    answer = client.post("/v1/reports", json=payload)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["receipt_id"])


def test_poison_is_set_aside_and_the_others_flow_on(system: System) -> None:
    epic = system.ingest("EPIC", AGENCY)
    accepted(epic, report(epic, "J6-0001"))
    poison = accepted(epic, report(epic, "J6-0001", case_no="ANOTHER-CASE"))
    after = accepted(epic, report(epic, "J6-0002"))
    system.wait_fused(epic, after, 60)
    wait_until(lambda: system.receipt_state(epic, poison) == "DEAD_LETTERED", 60, "the poison set aside")
    listed = system.run("dead-letters", "list", "--json").stdout
    assert "version" in listed


def test_a_killed_worker_comes_back_and_finishes(system: System) -> None:
    epic = system.ingest("EPIC", AGENCY)
    system.kill("services.fusion")
    receipt = accepted(epic, report(epic, "J6-0003"))
    system.wait_fused(epic, receipt, 90)


@pytest.mark.timeout(600)
def test_without_its_broker_ingest_says_so_and_catches_up_by_itself(
    own_broker: Broker, postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("night")
    system = System(home, distributed(own_broker.url, postgres, f"night{id(home)}"))
    system.start(180)
    epic = system.ingest("EPIC", AGENCY)
    before = accepted(epic, report(epic, "J6-0004"))
    payload = report(epic, "J6-0005")
    own_broker.run("stop")
    refused = epic.post("/v1/reports", json=payload, timeout=120)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert json.loads(refused.text)["detail"]
    ready = f"{epic.base_url}/readyz"
    wait_until(lambda: httpx.get(ready, timeout=60).status_code == 503, 60, "not ready without a broker")
    own_broker.run("start")
    system.wait_ready(180)
    system.wait_fused(epic, before, 120)
    system.wait_fused(epic, accepted(epic, payload), 120)
    assert system.stop() == 0, system.log()
