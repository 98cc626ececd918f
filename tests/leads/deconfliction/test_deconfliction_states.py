"""How soon somebody must answer, when silence rises, and that every conflict ends: by themselves, pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.leads.deconfliction import states
from services.leads.deconfliction.states import FINAL, NotAllowed, Outcome, State, Urgency

WEDNESDAY = datetime(2026, 3, 4, 12, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 6, 18, tzinfo=UTC)
SUNDAY = datetime(2026, 3, 8, 9, tzinfo=UTC)
SIDES = ("DC-1", "DC-2")


@pytest.mark.parametrize(
    ("hours", "threat", "expected"),
    [
        (None, False, Urgency.ROUTINE),
        (None, True, Urgency.IMMEDIATE),
        (-1, False, Urgency.IMMEDIATE),
        (2, False, Urgency.IMMEDIATE),
        (2.01, False, Urgency.PRIORITY),
        (24, False, Urgency.PRIORITY),
        (24.01, False, Urgency.ROUTINE),
        (48, True, Urgency.IMMEDIATE),
    ],
)
def test_urgency_follows_from_the_start_and_from_threats(
    hours: float | None, threat: bool, expected: Urgency
) -> None:
    starts = None if hours is None else WEDNESDAY + timedelta(hours=hours)
    assert states.urgency(starts, WEDNESDAY, threat_to_life=threat) is expected


@pytest.mark.parametrize(
    ("level", "since", "expected"),
    [
        (Urgency.IMMEDIATE, WEDNESDAY, WEDNESDAY + timedelta(minutes=10)),
        (Urgency.PRIORITY, WEDNESDAY, WEDNESDAY + timedelta(hours=2)),
        (Urgency.ROUTINE, WEDNESDAY, datetime(2026, 3, 6, 12, tzinfo=UTC)),
        (Urgency.ROUTINE, FRIDAY, datetime(2026, 3, 10, 18, tzinfo=UTC)),
        (Urgency.ROUTINE, SUNDAY, datetime(2026, 3, 10, 9, tzinfo=UTC)),
    ],
)
def test_silence_rises_after_ten_minutes_two_hours_or_two_working_days(
    level: Urgency, since: datetime, expected: datetime
) -> None:
    assert states.deadline(level, since) == expected


def test_silence_rises_to_the_local_level_then_to_headquarters_then_no_further() -> None:
    conflict, now = states.opened(Urgency.IMMEDIATE, SIDES, WEDNESDAY), WEDNESDAY
    seen = []
    for _ in range(4):
        assert states.escalate(conflict, now) == conflict, "not before its time"
        now += timedelta(minutes=10)
        conflict = states.escalate(conflict, now)
        seen.append(conflict.state)
    assert seen == [State.ESCALATED_LOCAL] + [State.ESCALATED_HQ] * 3


def test_one_side_that_answers_does_not_silence_the_clock_of_the_other() -> None:
    conflict = states.acknowledge(states.opened(Urgency.PRIORITY, SIDES, WEDNESDAY), SIDES[0])
    assert (conflict.state, conflict.escalates_at) == (State.ACK_ONE, WEDNESDAY + timedelta(hours=2))
    both = states.acknowledge(conflict, SIDES[1])
    assert (both.state, both.escalates_at) == (State.ACK_BOTH, None)


def test_what_has_ended_is_resolved_by_nobody_and_strangers_resolve_nothing() -> None:
    conflict = states.opened(Urgency.ROUTINE, SIDES, WEDNESDAY)
    with pytest.raises(NotAllowed, match="only a side"):
        states.resolve(conflict, "DC-3", Outcome.JOINT)
    with pytest.raises(NotAllowed, match="only a side"):
        states.acknowledge(conflict, "DC-3")
    for ended in (
        states.resolve(conflict, SIDES[0], Outcome.JOINT),
        states.close(conflict, withdrawn=True),
        states.close(conflict, withdrawn=False),
    ):
        with pytest.raises(NotAllowed, match="already"):
            states.resolve(ended, SIDES[0], Outcome.JOINT)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("acknowledge"), st.sampled_from(SIDES)),
        st.tuples(st.just("wait"), st.integers(1, 100)),
        st.tuples(st.just("resolve"), st.sampled_from(list(Outcome))),
        st.tuples(st.just("close"), st.booleans()),
    ),
    max_size=12,
)


@given(level=st.sampled_from(list(Urgency)), steps=steps)
def test_whatever_happens_a_conflict_ends_once_and_then_stays(
    level: Urgency, steps: list[tuple[str, object]]
) -> None:
    conflict, now = states.opened(level, SIDES, WEDNESDAY), WEDNESDAY
    for name, value in [*steps, ("close", False)]:
        before = conflict
        match name:
            case "acknowledge":
                conflict = states.acknowledge(conflict, str(value))
            case "wait":
                now += timedelta(hours=int(str(value)))
                conflict = states.escalate(conflict, now)
            case "resolve" if conflict.state not in FINAL:
                conflict = states.resolve(conflict, SIDES[0], Outcome(str(value)))
            case "close":
                conflict = states.close(conflict, withdrawn=bool(value))
        assert before.state not in FINAL or conflict == before
        assert conflict.acknowledged >= before.acknowledged
        assert (conflict.state is State.RESOLVED) is (conflict.outcome is not None)
        assert conflict.state not in {*FINAL, State.ACK_BOTH} or conflict.escalates_at is None
    assert conflict.state in FINAL
