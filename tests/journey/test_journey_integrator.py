"""The integrator's first hour: from the example in the documentation to last year's reports."""

import copy
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system import System, wait_until

AGENCY = "TXZZZ0001"


@pytest.fixture
def epic(system: System) -> httpx.Client:
    return system.ingest("EPIC", AGENCY)


def example(client: httpx.Client, number: str) -> dict[str, Any]:
    """The example seizure of the documentation, under a number of our own."""
    answer = client.get("/v1/schemas/EPIC.SEIZURE")
    assert answer.status_code == 200, answer.text
    payload: dict[str, Any] = copy.deepcopy(answer.json()["examples"][0])
    payload["source_report_no"] = number
    payload["originator"]["agency_id"] = AGENCY
    payload["handling"] |= {"share": "GREEN", "orcon": False, "release_to": [], "caveats": []}
    return payload


def found(system: System, identifier: str, agency: str = "CAZZZ0002") -> list[dict[str, Any]]:
    """What another agency's analyst finds under an identifier."""
    answer = system.leads(agency).get("/v1/entities", params={"identifier": identifier})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def with_plate(payload: dict[str, Any], plate: str, version: int) -> dict[str, Any]:
    """The report with this plate as its first vehicle's."""
    changed = copy.deepcopy(payload)
    changed["vehicles"][0] |= {"plate": plate, "jurisdiction": "US-TX", "vin": None}
    changed["vehicles"][0].pop("vin")
    changed |= {"version": version, "action": "INSERT" if version == 1 else "UPDATE"}
    return changed


def test_a_mistyped_code_is_named_with_the_codes_that_are_allowed(system: System, epic: httpx.Client) -> None:
    wrong = example(epic, "J1-0001") | {"setting": "MARITIM"}
    answer = epic.post("/v1/reports", json=wrong)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    error = next(e for e in answer.json()["errors"] if e["pointer"] == "/setting")
    assert "MARITIME" in error["allowed"]


def test_a_report_is_fused_updated_and_retracted(system: System, epic: httpx.Client) -> None:
    first = with_plate(example(epic, "J1-0002"), "SYNJ101", 1)
    answer = epic.post("/v1/reports", json=first)
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    system.wait_fused(epic, receipt["receipt_id"])
    wait_until(lambda: found(system, "plate:US-TX:SYNJ101"), 10, "the plate found by another agency")

    again = epic.post("/v1/reports", json=first)
    assert again.status_code == 202
    assert again.json()["report_id"] == receipt["report_id"]

    second = epic.post("/v1/reports", json=with_plate(first, "SYNJ102", 2))
    assert second.status_code == 202, second.text
    wait_until(lambda: found(system, "plate:US-TX:SYNJ102"), 10, "the new plate found")
    assert found(system, "plate:US-TX:SYNJ101") == []

    retract = with_plate(first, "SYNJ102", 3) | {"action": "RETRACT"}
    assert epic.post("/v1/reports", json=retract).status_code == 202
    wait_until(lambda: not found(system, "plate:US-TX:SYNJ102"), 10, "nothing of the report left")
    answer = system.leads(AGENCY).get(f"/v1/reports/{receipt['report_id']}")
    assert answer.status_code == 404


def test_another_version_with_the_same_number_is_a_dead_letter(system: System, epic: httpx.Client) -> None:
    first = with_plate(example(epic, "J1-0003"), "SYNJ103", 1)
    assert epic.post("/v1/reports", json=first).status_code == 202
    other = epic.post("/v1/reports", json=with_plate(first, "SYNJ104", 1))
    assert other.status_code == 202
    receipt = other.json()["receipt_id"]
    wait_until(
        lambda: system.receipt_state(epic, receipt) == "DEAD_LETTERED", 15, "the contradiction set aside"
    )
    problem = epic.get(f"/v1/receipts/{receipt}").json()["problem"]
    assert "version" in json.dumps(problem)


def bulk_file(path: Path, payload: dict[str, Any], count: int, bad: set[int]) -> None:
    """``count`` reports as NDJSON; those at ``bad`` lines have a code that does not exist."""
    with path.open("w") as file:
        for line in range(1, count + 1):
            report = with_plate(payload, f"SYNB{line:04d}", 1) | {"source_report_no": f"{path.stem}-{line}"}
            if line in bad:
                report["setting"] = "NOWHERE"
            file.write(json.dumps(report) + "\n")


def test_push_sets_bad_lines_aside_to_be_mended(system: System, epic: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "last-year.ndjson"
    bulk_file(file, example(epic, "x"), 400, {7, 150, 399})
    token = system.token(AGENCY, "submitter")
    done = system.run("push", str(file), "--token", token, "--json", check=False)
    result = json.loads(done.stdout)
    assert (result["accepted"], result["refused"]) == (397, 3)
    refused = Path(str(file) + ".refused.ndjson")
    mended = tmp_path / "mended.ndjson"
    mended.write_text(refused.read_text().replace("NOWHERE", "HIGHWAY"))
    assert json.loads(system.run("push", str(mended), "--token", token, "--json").stdout)["accepted"] == 3


def test_a_push_that_is_stopped_goes_on_where_it_was(
    system: System, epic: httpx.Client, tmp_path: Path
) -> None:
    file = tmp_path / "long.ndjson"
    bulk_file(file, example(epic, "x"), 6000, set())
    token = system.token(AGENCY, "submitter")
    command = [sys.executable, "-m", "services", "push", str(file), "--token", token, "--json"]
    process = subprocess.Popen(command, env=system.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(
        lambda: any(p != file for p in tmp_path.iterdir()) or process.poll() is not None, 20, "some progress"
    )
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    result = json.loads(system.run("push", str(file), "--token", token, "--json").stdout)
    assert result["refused"] == 0
    assert result["accepted"] + result["resumed_after"] == 6000
