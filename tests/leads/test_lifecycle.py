"""The life of a lead, by itself: who may do what, and what a history folds to."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.leads.lifecycle import (
    CLAIM,
    FOLLOWS,
    LeadState,
    Life,
    NotNow,
    NotYou,
    Person,
    Step,
    check,
    check_claim,
    fold,
)

S = LeadState
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANA = Person("TXZZZ0001", "ana", frozenset({"analyst"}))
REV = Person("CAZZZ0002", "rev", frozenset({"reviewer"}))
BOTH = ("TXZZZ0001", "CAZZZ0002")


def life(*steps: str | LeadState, by: Person = ANA) -> Life:
    return fold(Step(str(s), REV if s == S.DECONFLICTING else by, "why", NOW) for s in steps)


def test_nobody_releases_without_a_review_by_a_second_person() -> None:
    for state in S:
        if S.RELEASED in FOLLOWS[state]:
            assert state in {S.DECONFLICTING, S.ASSIGNED}
    both = Person(ANA.agency, ANA.subject, frozenset({"analyst", "reviewer"}))
    with pytest.raises(NotYou, match="second person"):
        check(life(S.REVIEW), S.DECONFLICTING, both, BOTH)
    check(life(S.REVIEW), S.DECONFLICTING, REV, BOTH)


def test_the_only_originator_does_not_review_its_own_evidence() -> None:
    with pytest.raises(NotYou, match="another agency"):
        check(life(S.REVIEW), S.DECONFLICTING, REV, [REV.agency])


def test_a_step_that_does_not_follow_says_what_does() -> None:
    with pytest.raises(NotNow, match="REVIEW, SUSPENDED"):
        check(life(), S.RELEASED, REV, BOTH)


def test_only_the_holder_or_his_supervisor_ends_an_assignment() -> None:
    held = life(S.REVIEW, S.DECONFLICTING, S.RELEASED, S.ASSIGNED)
    check(held, S.ACTIONED, ANA, BOTH)
    with pytest.raises(NotYou, match="held by another"):
        check(held, S.ACTIONED, REV, BOTH)
    check(held, S.ACTIONED, Person(ANA.agency, "boss", frozenset({"supervisor"})), BOTH)


def test_a_claim_is_exclusive_and_says_who_holds_it() -> None:
    with pytest.raises(NotNow, match="ana of TXZZZ0001"):
        check_claim(life(CLAIM), REV)
    check_claim(life(CLAIM), ANA)
    check_claim(life(CLAIM), Person(ANA.agency, "boss", frozenset({"supervisor"})))


@given(st.lists(st.sampled_from([*S, CLAIM]), max_size=12))
def test_whatever_is_recorded_the_life_only_moves_along_its_paths(steps: list[str]) -> None:
    lives = [life(*steps[:n]) for n in range(len(steps) + 1)]
    for before, now in pairwise(lives):
        assert now.state is before.state or now.state in FOLLOWS[before.state]
