"""The picture is a function of the log: thrown away and made anew, it is the same, ids included."""

from pathlib import Path

import pytest

from tests.pictures import caught_up, log_of, nothing_due, picture
from tests.system import System, wait_until

REPORTS = 400


def settled(system: System) -> dict[str, object]:
    """The picture once everything is fused, projected and evaluated; the system is stopped."""
    log = log_of(system.home, system.environment)
    wait_until(lambda: caught_up(log), 120, f"everything fused\n{system.log()}")
    log.close()
    wait_until(lambda: nothing_due(system.home, system.environment), 60, "everything evaluated")
    assert system.stop() == 0, system.log()
    return picture(system.home, system.environment)


@pytest.mark.parametrize("options", [(), ("--leads",)], ids=["all", "leads"])
def test_a_replay_makes_the_same_picture(tmp_path: Path, options: tuple[str, ...]) -> None:
    system = System(tmp_path)
    system.start()
    system.run("simulate", "--reports", str(REPORTS), "--seed", "5")
    before = settled(system)
    system.run("replay", "--yes", *options)
    system.start()
    assert settled(system) == before


def test_nothing_is_thrown_away_while_it_runs(tmp_path: Path) -> None:
    system = System(tmp_path)
    system.start()
    done = system.run("replay", "--yes", check=False)
    assert done.returncode == 2
    assert "already runs" in done.stderr
    assert system.stop() == 0
