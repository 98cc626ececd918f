"""The registry as a service runs it: from its settings, with its threads, and in time that tells nothing."""

import random
import threading
import time
from pathlib import Path

import pytest

from bench.deconflict import kolmogorov_smirnov
from services.leads.deconfliction.desk import Desk
from services.leads.deconfliction.office import Office, mail_server, open_registry
from services.leads.deconfliction.submissions import TargetSubmission
from shared.contracts.handling import Clearance
from shared.errors import Misconfigured
from shared.settings import Settings
from tests.leads.deconfliction.counter import target
from tests.leads.deconfliction.house import A, B, C, Clock, House
from tests.system import wait_until


def test_the_registry_stands_apart_unless_a_server_keeps_the_picture(tmp_path: Path) -> None:
    alone = Settings.from_env({"INTERLOCK_HOME": str(tmp_path)})
    assert alone.deconfliction_database == f"sqlite:///{tmp_path}/deconfliction.db"
    server = "postgresql+psycopg://leads@db/leads"
    shared = Settings.from_env({"INTERLOCK_HOME": str(tmp_path), "INTERLOCK_LEADS_DATABASE": server})
    assert shared.deconfliction_database == server


def test_mail_goes_encrypted_or_stays_on_this_machine(tmp_path: Path) -> None:
    def server(url: str) -> object:
        return mail_server(Settings.from_env({"INTERLOCK_HOME": str(tmp_path), "INTERLOCK_SMTP": url}))

    assert server("") is None
    far, near = server("smtp://me:p%40ss@mail.example:587"), server("smtp://localhost:2525")
    assert (far.host, far.port, far.user, far.password, far.tls) == ("mail.example", 587, "me", "p@ss", True)  # type: ignore[attr-defined]
    assert near.tls is False  # type: ignore[attr-defined]
    for wrong in ("mail.example", "http://mail.example", "smtp://h:x"):
        with pytest.raises(Misconfigured):
            server(wrong)


def test_the_threads_match_as_soon_as_they_are_woken(tmp_path: Path) -> None:
    settings = Settings.from_env({"INTERLOCK_HOME": str(tmp_path)})
    office = Office(open_registry(settings, Clock()), None)
    threads = [threading.Thread(target=run) for run in (office.match, office.carry)]
    for thread in threads:
        thread.start()
    for agency in (A, B):
        office.registry.submit(agency, TargetSubmission.model_validate(target(f"{agency}-1")))
        office.wake()
    inbox = Desk(office.registry).inbox
    wait_until(lambda: inbox(Clearance(A), (0, ""), 10, supervisor=False), 10, "the first side told")
    office.stop()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    office.close()


def test_the_time_of_a_silent_hit_is_that_of_clear(house: House) -> None:
    object.__setattr__(house.registry, "quantum", 0.01)
    for n in range(20):
        house.target(C, f"c{n}", share="RED", identifiers=[{"type": "PASSPORT", "value": f"RED{n:05d}"}])
    house.settle()
    plan = ["RED", "NIL"] * 100
    times: dict[str, list[float]] = {"RED": [], "NIL": []}
    random.Random(3).shuffle(plan)
    for n, kind in enumerate(plan):
        began = time.perf_counter()
        house.target(B, f"b{n}", identifiers=[{"type": "PASSPORT", "value": f"{kind}{n % 20:05d}"}])
        times[kind].append(time.perf_counter() - began)
    assert kolmogorov_smirnov(times["RED"], times["NIL"])[1] > 1e-4


def test_the_statistic_tells_different_times_apart() -> None:
    rng = random.Random(1)
    one, two = ([rng.gauss(mean, 1) for _ in range(500)] for mean in (0, 0.5))
    assert kolmogorov_smirnov(one, two)[1] < 0.001
    assert kolmogorov_smirnov(one, one[::-1]) == (0.0, 1.0)
