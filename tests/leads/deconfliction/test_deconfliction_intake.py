"""Submissions that wait at the same time share a transaction, and each gets what is its own."""

import asyncio
from typing import Any

import anyio
import pytest

from services.leads.deconfliction import entering, registry
from services.leads.deconfliction.entering import Entry
from services.leads.deconfliction.intake import Intake
from services.leads.deconfliction.registry import TooMany
from services.leads.deconfliction.rotation import UnderWay, rotate
from services.leads.deconfliction.submissions import Answer, TargetSubmission
from tests.leads.deconfliction.counter import target
from tests.leads.deconfliction.house import PHONE, A, B, House


def entry(agency: str, reference: str, phone: str = "+19155550142", person: str = "") -> Entry:
    return Entry(agency, TargetSubmission.model_validate(target(reference, phone)), person)


def enter(house: House, *entries: Entry) -> list[Answer | BaseException]:
    """Submit all of these on an event loop before any is answered."""

    async def all_of() -> list[Answer | BaseException]:
        intake = Intake(house.registry)
        return await asyncio.gather(*map(intake.submit, entries), return_exceptions=True)

    return anyio.run(all_of)


def statuses(answers: list[Any]) -> list[str]:
    return [a.status for a in answers]


def test_those_who_wait_together_meet_each_other(house: House) -> None:
    assert statuses(enter(house, entry(A, "a1"), entry(B, "b1"))) == ["HIT", "HIT"]
    assert len(house.inbox(A)) == len(house.inbox(B)) == 1


def test_they_share_one_transaction(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    real = entering.enter

    def counting(conn: Any, ring: Any, entries: Any, now: Any, daily: int) -> Any:
        groups.append(len(entries))
        return real(conn, ring, entries, now, daily)

    monkeypatch.setattr(registry, "enter", counting)
    enter(house, *(entry(A, f"a{n}") for n in range(10)))
    assert groups == [10]
    enter(house, entry(A, "a0"), entry(A, "a0", "+19155550143"), entry(A, "a1"))
    assert sum(groups) == 13
    assert len(groups) > 2, "one reference twice takes two transactions"


def test_one_who_asks_for_too_much_spoils_nobodys_answer(house: House) -> None:
    object.__setattr__(house.registry, "daily", 3)
    given = [entry(A, f"a{n}", f"+191555501{n:02d}", "greedy") for n in range(5)]
    answers = enter(house, *given, entry(A, "modest", person="modest"), entry(A, "caseload"))
    assert [type(a) for a in answers[:5]] == [Answer] * 3 + [TooMany] * 2
    assert statuses(answers[5:]) == ["CLEAR", "CLEAR"]
    assert house.registry.close_to_limit(A) == [("greedy", 3), ("modest", 1)], "what was refused counts not"
    house.clock.now = house.clock.now.replace(day=5)
    assert statuses(enter(house, given[4])) == ["CLEAR"]


def test_who_goes_away_before_his_turn_takes_nothing_with_him(house: House) -> None:
    async def leave() -> Answer:
        intake = Intake(house.registry)
        leaving = asyncio.ensure_future(intake.submit(entry(A, "a1")))
        staying = asyncio.ensure_future(intake.submit(entry(A, "a2")))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert anyio.run(leave).status == "CLEAR"
    assert house.target(B, "b1", **PHONE).contacts[0].agency == A


def test_a_defect_reaches_everyone_who_waited(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(registry, "enter", broken)
    answers = enter(house, entry(A, "a1"), entry(B, "b1"))
    assert [str(a) for a in answers] == ["the disk is gone"] * 2
    monkeypatch.undo()
    assert statuses(enter(house, entry(A, "a1"))) == ["CLEAR"]


def test_there_is_one_rotation_at_a_time(house: House) -> None:
    house.target(A, "a1", **PHONE)
    first = rotate(house.registry, lambda: None)
    next(first)
    with pytest.raises(UnderWay):
        list(rotate(house.registry, lambda: None))
    list(first)
    assert len(list(rotate(house.registry, lambda: None))) == 1
