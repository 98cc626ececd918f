"""Any process may be killed at any point: nothing accepted is lost, and the picture stays the same."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deployments import distributed
from tests.pictures import caught_up, dead_letters, log_of, nothing_due, picture
from tests.system import System, wait_until

REPORTS, SEED = 5_000, 11
KILLS = 8
VICTIMS = ("--feed SOD", "--feed OFC", "--feed EPIC", "--feed BCSC", "services.fusion", "services.leads")


@pytest.fixture(scope="module", params=["embedded", "distributed"])
def deployments(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[System]]:
    """Two deployments of one kind, neither of them started."""
    made = []
    for name in ("calm", "killed"):
        home = tmp_path_factory.mktemp(name)
        environment: dict[str, str] = {}
        if request.param == "distributed":
            servers = (request.getfixturevalue("kafka"), request.getfixturevalue("postgres"))
            environment = distributed(*servers, f"{name}{home.parent.name}{home.name}")
        made.append(System(home, environment))
    yield made
    for system in made:
        if system.supervisor is not None and system.supervisor.poll() is None:
            system.stop()


def simulation(system: System) -> subprocess.Popen[str]:
    """Push the simulator's reports, in the background."""
    command = [
        sys.executable,
        "-m",
        "services",
        "simulate",
        "--reports",
        str(REPORTS),
        "--seed",
        str(SEED),
        "--json",
    ]
    return subprocess.Popen(
        command, env=system.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the push says at its end."""
    stdout, stderr = process.communicate(timeout=200)
    assert process.returncode == 0, stderr
    result: dict[str, Any] = json.loads(stdout)
    return result


def settle(system: System) -> dict[str, Any]:
    """Wait until everything accepted is fused, projected and evaluated; then stop and take the picture."""
    log = log_of(system.home, system.environment)
    wait_until(lambda: caught_up(log), 180, f"all reports fused\n{system.log()}")
    wait_until(lambda: nothing_due(system.home, system.environment), 180, "all leads evaluated")
    dead = dead_letters(log)
    log.close()
    assert system.stop() == 0, system.log()
    return picture(system.home, system.environment) | {"dead letters": dead}


def kill_at_random(system: System, push: subprocess.Popen[str]) -> int:
    """Kill services, and once the supervisor itself, while the push runs and a little after it."""
    rng, kills = random.Random(SEED), 0
    while kills < KILLS:
        time.sleep(rng.uniform(0.2, 1.2) if push.poll() is None else 0.2)
        victim = rng.choice(VICTIMS)
        if kills == KILLS // 2:
            assert system.supervisor is not None
            system.supervisor.kill()
            system.supervisor.wait()
            system.start()
        elif any(victim in line for line in system.children().values()):
            system.kill(victim)
        else:
            continue
        kills += 1
    return kills


@pytest.mark.timeout(900)
def test_killing_any_process_at_any_point_loses_nothing_and_changes_nothing(
    deployments: list[System],
) -> None:
    calm, killed = deployments
    calm.start()
    expected_push = finish(simulation(calm))
    expected = settle(calm)

    killed.start()
    push = simulation(killed)
    kill_at_random(killed, push)
    accepted = finish(push)
    killed.wait_ready()
    found = settle(killed)

    assert accepted["accepted"] == expected_push["accepted"]
    assert accepted["refused"] == expected_push["refused"]
    scores, expected_scores = found.pop("scores"), expected.pop("scores")
    for part, value in expected.items():
        missing, extra = value - found[part], found[part] - value
        assert not missing | extra, (
            f"{part}: {len(missing)} missing {_few(missing)}, {len(extra)} extra {_few(extra)}"
        )
    for lead, score in expected_scores.items():
        assert scores[lead] == pytest.approx(score, rel=0.01, abs=2), "scores fade by the day, not otherwise"
    assert len(expected["reports"]) > REPORTS * 0.8
    assert expected["leads"]


def _few(items: set[Any]) -> list[Any]:
    return sorted(items, key=str)[:3]
