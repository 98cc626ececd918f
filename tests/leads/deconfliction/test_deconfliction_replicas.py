"""Replicas at one instant, and crashes at every point: nobody is CLEAR beside another, no notice is lost."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.leads.deconfliction import conflict_store, matcher, notify, registry_store
from tests.leads.deconfliction.house import PHONE, A, B, C, House

OpenHouses = Callable[[], House]


class Crash(BaseException):
    """The process ends here."""


def together(*actions: Callable[[], Any]) -> list[Any]:
    """Run these at one instant, each in a thread; their results in order."""
    barrier, found = threading.Barrier(len(actions)), [None] * len(actions)

    def run(n: int) -> None:
        barrier.wait()
        found[n] = actions[n]()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(actions))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return found


def test_two_replicas_never_answer_both_clear(open_houses: OpenHouses) -> None:
    one, two = open_houses(), open_houses()
    for n in range(15):
        ids = {"identifiers": [{"type": "PHONE", "value": f"+191555501{n:02d}"}]}
        answers = together(
            lambda n=n, i=ids: one.target(A, f"a{n}", **i), lambda n=n, i=ids: two.target(B, f"b{n}", **i)
        )
        assert "HIT" in {a.status for a in answers}
        together(one.settle, two.settle)
    for agency in (A, B):
        notices = one.inbox(agency)
        assert len(notices) == 15, "one notice for each side of each conflict"
        assert len({n["conflict_id"] for n in notices}) == 15


def test_two_replicas_never_let_two_operations_pass(open_houses: OpenHouses) -> None:
    one, two = open_houses(), open_houses()
    for n in range(10):
        answers = together(
            lambda n=n: one.event(A, f"a{n}", lat=n * 1.0), lambda n=n: two.event(B, f"b{n}", lat=n * 1.0)
        )
        assert "HIT" in {a.status for a in answers}


def test_the_same_reference_at_one_instant_is_one_submission(open_houses: OpenHouses) -> None:
    one, two = open_houses(), open_houses()
    answers = together(lambda: one.target(A, "a1", **PHONE), lambda: two.target(A, "a1", **PHONE))
    assert answers[0].number == answers[1].number


def crash_once(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *, after: bool = False) -> None:
    """Have a function of a module crash at its next call, before or after its work."""
    real = getattr(module, name)

    def crashing(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(module, name, real)
        if after:
            real(*given, **more)
        raise Crash

    monkeypatch.setattr(module, name, crashing)


@pytest.mark.parametrize(
    ("module", "name", "after"),
    [
        (registry_store, "asked", True),
        (conflict_store, "insert", True),
        (notify, "sides", False),
        (notify, "sides", True),
        (conflict_store, "add_notices", True),
        (registry_store, "answered", True),
    ],
)
def test_a_crash_between_match_and_notice_loses_and_doubles_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, after: bool
) -> None:
    house.target(A, "a1", **PHONE)
    house.target(B, "b1", **PHONE)
    crash_once(monkeypatch, module, name, after=after)
    with pytest.raises(Crash):
        house.matcher.check()
    for agency, other in ((A, B), (B, A)):
        (notice,) = house.inbox(agency)
        assert notice["other"]["agency"] == other


def test_a_crash_between_answer_and_match_loses_nothing(open_houses: OpenHouses) -> None:
    before = open_houses()
    before.target(A, "a1", **PHONE)
    before.target(B, "b1", **PHONE)
    after = open_houses()
    assert len(after.inbox(A)) == len(after.inbox(B)) == 1


def test_a_crash_while_acknowledging_leaves_the_notice_to_be_acknowledged(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.event(A, "a1")
    house.event(B, "b1")
    (notice,) = house.inbox(A)
    crash_once(monkeypatch, conflict_store, "save", after=True)
    with pytest.raises(Crash):
        house.desk.acknowledge(A, notice["notice_id"], "SYN OFFICER")
    assert house.inbox(A)[0]["acknowledged_at"] is None
    assert house.desk.acknowledge(A, notice["notice_id"], "SYN OFFICER")["acknowledged_at"] is not None
    assert house.desk.conflict(A, notice["conflict_id"])["state"] == "ACK_ONE"


def test_timers_survive_a_restart(open_houses: OpenHouses) -> None:
    before = open_houses()
    before.event(A, "a1")
    before.event(B, "b1")
    before.settle()
    after = open_houses()
    after.clock.now += timedelta(minutes=11)
    assert [n["level"] for n in after.inbox(A)] == ["SIDE", "LOCAL"]


def test_what_was_missed_is_checked_again_within_a_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.target(A, "a1", **PHONE)
    house.target(C, "c1", **PHONE)
    monkeypatch.setattr(matcher, "open_conflicts", lambda *_: None)
    house.settle()
    monkeypatch.undo()
    assert house.inbox(A) == []
    house.clock.now += timedelta(hours=25)
    assert len(house.inbox(A)) == 1
