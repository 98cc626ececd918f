"""Sets: viewers who see the same share a set; who sees more has another."""

import hypothesis.strategies as st
from hypothesis import given

from services.leads.sets import NOBODY, OPEN_SET, representatives, set_id, sets_of

IDS = st.frozensets(st.integers(0, 6), max_size=7)


def test_what_is_open_throughout_is_one_set_for_all() -> None:
    assert set_id(frozenset({0}), frozenset({0, 5})) == OPEN_SET
    assert representatives(frozenset({0}), [NOBODY, frozenset({0, 5})]) == [NOBODY]


@given(combination=IDS, one=IDS, other=IDS)
def test_viewers_share_a_set_exactly_where_they_see_the_same_part(
    combination: frozenset[int], one: frozenset[int], other: frozenset[int]
) -> None:
    same = set_id(combination, one) == set_id(combination, other)
    assert same == (combination & one == combination & other or combination <= {0})


@given(
    combinations=st.dictionaries(st.integers(), IDS, max_size=5), sights=st.lists(IDS, min_size=1, max_size=6)
)
def test_a_viewer_reads_exactly_the_parts_that_were_looked_at_as_it_sees_them(
    combinations: dict[int, frozenset[int]], sights: list[frozenset[int]]
) -> None:
    for seen in sights:
        read = set(sets_of(combinations, seen))
        for combination in combinations.values():
            for sight in representatives(combination, sights):
                same = sight & combination == seen & combination
                assert (set_id(combination, sight) in read) == (same or combination <= NOBODY)


@given(small=IDS, more=IDS, sights=st.lists(IDS, max_size=6))
def test_representatives_stay_when_a_combination_grows(
    small: frozenset[int], more: frozenset[int], sights: list[frozenset[int]]
) -> None:
    assert set(representatives(small, sights)) <= set(representatives(small | more, sights))
