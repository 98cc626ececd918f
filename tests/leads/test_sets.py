"""Sets: viewers who see the same share a set; who sees more has another."""

import hypothesis.strategies as st
from hypothesis import given

from services.leads.sets import OPEN_SET, parts, set_id, sets_of

IDS = st.frozensets(st.integers(0, 6), max_size=7)


def test_what_is_open_throughout_is_one_set_for_all() -> None:
    assert set_id(frozenset({0}), frozenset({0, 5})) == OPEN_SET
    assert parts(frozenset({0}), [frozenset({0, 5})]) == {OPEN_SET: frozenset({0})}


@given(combination=IDS, one=IDS, other=IDS)
def test_viewers_share_a_set_exactly_where_they_see_the_same_part(
    combination: frozenset[int], one: frozenset[int], other: frozenset[int]
) -> None:
    same = set_id(combination, one) == set_id(combination, other)
    assert same == (combination & one == combination & other or combination <= {0})


@given(combinations=st.dictionaries(st.integers(), IDS, max_size=5), sight=IDS)
def test_a_viewer_reads_one_part_of_every_combination_that_it_sees_something_of(
    combinations: dict[int, frozenset[int]], sight: frozenset[int]
) -> None:
    seen = sight | {0}
    read = set(sets_of(combinations, seen))
    for combination in combinations.values():
        written = parts(combination, [seen])
        assert {i for i in written if written[i] == seen & combination} <= read
        others = {i for i, part in written.items() if part != seen & combination}
        assert read.isdisjoint(others)
