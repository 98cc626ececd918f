"""The supervisor: what it starts, it restarts, stops in order, and never leaves behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.command.supervise import LOG_BYTES, Part, Supervisor, parts
from shared.errors import Misconfigured

STUB = """
import signal, sys, time
name, how = sys.argv[1], sys.argv[2]
def leave(*_):
    print(name, flush=True)
    open(sys.argv[3], "a").write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if how == "stubborn" else leave)
if how == "misconfigured":
    print("INTERLOCK_LOG is wrong"); sys.exit(2)
open(sys.argv[3] + "." + name, "w").write("up")
while True:
    time.sleep(60)
"""


class World:
    """Stub services under a supervisor whose clock the test moves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.now = 0.0
        (folder / "stub_service.py").write_text(STUB)

    def part(self, name: str, stage: int = 0, how: str = "kind") -> Part:
        return Part(name, ("stub_service", name, how, str(self.folder / "stopped")), 1, stage)

    def supervisor(self, *names: Part) -> Supervisor:
        home = self.folder / "home"
        environment = {"PYTHONPATH": f"{self.folder}{os.pathsep}{Path.cwd()}"}
        return Supervisor(home, names, environment, say=self.said.append, clock=lambda: self.now)

    def wait_up(self, *names: str) -> None:
        wait(lambda: all((self.folder / f"stopped.{n}").exists() for n in names), f"{names} up")


def wait(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    return World(tmp_path)


def test_the_embedded_system_has_an_ingest_for_each_feed_and_any_number_of_fusion_workers() -> None:
    made = parts(8100, ["SOD", "OFC"], workers=2)
    assert [(p.name, p.port) for p in made] == [
        ("ingest-sod", 8101), ("ingest-ofc", 8102), ("fusion", 8300), ("fusion-2", 8301), ("leads", 8200),
    ]  # fmt: skip


def test_parts_stop_in_the_order_of_their_stages(world: World) -> None:
    supervisor = world.supervisor(world.part("leads", 2), world.part("ingest", 0), world.part("fusion", 1))
    supervisor.start()
    world.wait_up("leads", "ingest", "fusion")
    pids = supervisor.processes().values()
    supervisor.stop()
    assert (world.folder / "stopped").read_text().split() == ["ingest", "fusion", "leads"]
    assert not any(alive(pid) for pid in pids)


def test_a_crashed_part_is_started_again_later_and_later(world: World) -> None:
    supervisor = world.supervisor(world.part("fusion"))
    supervisor.start()
    waits = []
    for _ in range(3):
        pid = supervisor.processes()["fusion"]
        os.kill(pid, signal.SIGKILL)
        wait(lambda p=pid: not alive(p), "killed")  # type: ignore[misc]
        supervisor.tend()
        assert supervisor.processes() == {}
        started = world.now
        while not supervisor.processes():
            world.now += 0.25
            supervisor.tend()
        waits.append(world.now - started)
    supervisor.kill()
    supervisor.stop()
    assert waits == [0.5, 1.0, 2.0]
    assert "fusion was killed by SIGKILL; starting it again in 0.5 s" in world.said[0]


def test_a_misconfigured_part_stops_the_system_with_its_own_words(world: World) -> None:
    supervisor = world.supervisor(world.part("leads", how="misconfigured"))
    supervisor.start()
    pid = supervisor.processes()["leads"]
    wait(lambda: not alive(pid), "gone")
    with pytest.raises(Misconfigured, match="INTERLOCK_LOG is wrong"):
        supervisor.tend()
    supervisor.stop()


def test_a_part_that_will_not_stop_is_killed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.command.supervise.STOP_SECONDS", 0.2)
    supervisor = world.supervisor(world.part("leads", how="stubborn"))
    supervisor.start()
    world.wait_up("leads")
    pid = supervisor.processes()["leads"]
    supervisor.stop()
    assert not alive(pid)
    assert "did not stop" in world.said[0]


def test_one_data_directory_has_one_supervisor(world: World) -> None:
    first = world.supervisor()
    with pytest.raises(Misconfigured, match=f"process {os.getpid()}"):
        world.supervisor()
    first.stop()
    world.supervisor().stop()


def test_a_taken_port_is_named_with_its_holder(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.command.supervise.PORTS_SECONDS", 0.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        supervisor = world.supervisor(Part("leads", ("x",), port, 0))
        with pytest.raises(Misconfigured, match=rf"port {port}, for leads: process {os.getpid()} \("):
            supervisor.check_ports("127.0.0.1")
        supervisor.stop()


def test_logs_of_children_are_bounded(world: World) -> None:
    supervisor = world.supervisor(world.part("leads"))
    log = supervisor.log_file("leads")
    log.write_bytes(b"x" * (LOG_BYTES + 1))
    supervisor.tend()
    assert log.stat().st_size == 0
    assert log.with_suffix(".log.1").stat().st_size == LOG_BYTES + 1
    supervisor.stop()


@pytest.mark.parametrize("kernel_helps", [True, False])
def test_killing_the_supervisor_leaves_no_orphan(world: World, kernel_helps: bool) -> None:
    code = f"""
import sys, time
from pathlib import Path
from services.command.supervise import Part, Supervisor
stub = Part("leads", ("stub_service", "leads", "kind", {str(world.folder / "stopped")!r}), 1, 0)
s = Supervisor(Path({str(world.folder / "home")!r}), [stub], {{}}, say=print)
s.start()
print(s.processes()["leads"], flush=True)
time.sleep(60)
"""
    path = os.environ | {"PYTHONPATH": f"{world.folder}{os.pathsep}{Path.cwd()}"}
    if not kernel_helps:  # as on a system without prctl: only the pipe tells
        (world.folder / "sitecustomize.py").write_text("import sys; sys.platform = 'other'")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=path) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        world.wait_up("leads")
        supervisor.kill()
    wait(lambda: not alive(child), "the orphan ends")
    assert kernel_helps or (world.folder / "stopped").exists(), "the pipe's end asks the child to stop"
