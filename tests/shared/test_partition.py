"""What the partition promises, whatever the pairs and judgements."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.partition import Judged, Pair, partition

IDS = [f"{n:02x}" * 16 for n in range(12)]
THRESHOLD = 1_000

ends = st.sampled_from(list(combinations(IDS, 2)))
pairs = st.lists(
    st.builds(
        lambda e, w, c: Pair(*e, w, c),
        ends,
        st.integers(-500, 2_500).map(lambda w: w // 500 * 500),
        st.booleans(),
    ),
    max_size=25,
    unique_by=lambda p: (p.a, p.b),
)
judgements = st.lists(st.builds(lambda e, s: Judged(*e, s), ends, st.booleans()), max_size=6)
widths = st.dictionaries(st.sampled_from(IDS), st.sampled_from([0, 1, 999_998]), min_size=1)


@given(widths, pairs, judgements, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(widths, pairs, judgements, random) -> None:
    expected = partition(widths, pairs, judgements, THRESHOLD)
    shuffled = random.sample(list(widths.items()), len(widths))
    again = partition(
        dict(shuffled),
        random.sample(pairs * 2, len(pairs) * 2),
        random.sample(judgements * 2, len(judgements) * 2),
        THRESHOLD,
    )
    assert again.entity == expected.entity
    assert set(again.refused) == set(expected.refused)


@given(widths, pairs, judgements)
def test_nothing_contradicted_or_judged_different_shares_an_entity(widths, pairs, judgements) -> None:
    entity = partition(widths, pairs, judgements, THRESHOLD).entity
    different = {(j.a, j.b) for j in judgements if not j.same}
    same = {(j.a, j.b) for j in judgements if j.same} - different
    apart = different | {(p.a, p.b) for p in pairs if p.contradicted} - same
    for a, b in apart:
        if a in entity and b in entity:
            assert entity[a] != entity[b]


@given(widths, pairs, judgements)
def test_every_profile_has_an_entity_named_by_its_widest_first_member(widths, pairs, judgements) -> None:
    entity = partition(widths, pairs, judgements, THRESHOLD).entity
    assert entity.keys() == widths.keys()
    for name in set(entity.values()):
        members = [p for p, e in entity.items() if e == name]
        assert name == min(members, key=lambda p: (widths[p], p))


@given(widths, pairs)
def test_strong_pairs_join_unless_refused(widths, pairs) -> None:
    found = partition(widths, pairs, (), THRESHOLD)
    refused = {(p.a, p.b) for p in found.refused}
    for p in pairs:
        if p.a in widths and p.b in widths and p.weight >= THRESHOLD and not p.contradicted:
            assert (found.entity[p.a] == found.entity[p.b]) != ((p.a, p.b) in refused)


@given(widths, pairs)
def test_entities_hold_together_by_strong_pairs_alone(widths, pairs) -> None:
    entity = partition(widths, pairs, (), THRESHOLD).entity
    strong = [p for p in pairs if p.weight >= THRESHOLD and not p.contradicted]
    for name in set(entity.values()):
        members = {p for p, e in entity.items() if e == name}
        reached, grown = {name}, True
        while grown:
            more = {q for p in strong for q in (p.a, p.b) if {p.a, p.b} & reached} & members
            grown = not more <= reached
            reached |= more
        assert reached == members


@given(widths, pairs, judgements)
def test_what_is_judged_the_same_is_joined_first(widths, pairs, judgements) -> None:
    only = judgements[:1]
    if only and only[0].same and {only[0].a, only[0].b} <= widths.keys():
        entity = partition(widths, pairs, only, THRESHOLD).entity
        assert entity[only[0].a] == entity[only[0].b]


@given(widths, pairs, judgements)
def test_removing_a_judgement_restores_what_was_there_before_it(widths, pairs, judgements) -> None:
    before = partition(widths, pairs, judgements[1:], THRESHOLD)
    partition(widths, pairs, judgements, THRESHOLD)
    assert partition(widths, pairs, judgements[1:], THRESHOLD) == before


@given(widths, pairs, judgements)
def test_components_can_be_worked_out_one_at_a_time(widths, pairs, judgements) -> None:
    """A profile that no pair and no judgement ties to the others changes nothing for them."""
    lonely = "ff" * 16
    whole = partition(widths | {lonely: 0}, pairs, judgements, THRESHOLD).entity
    assert whole == partition(widths, pairs, judgements, THRESHOLD).entity | {lonely: lonely}


def test_an_ambiguous_profile_goes_to_the_stronger_side_and_the_other_is_refused() -> None:
    a, b, c = IDS[:3]
    found = partition(
        {a: 0, b: 0, c: 0},
        [Pair(a, b, 0, contradicted=True), Pair(a, c, 1_200), Pair(b, c, 1_500)],
        (),
        1_000,
    )
    assert found.entity == {a: a, b: b, c: b}
    assert found.refused == (Pair(a, c, 1_200),)


def test_a_chain_of_ten_thousand_with_an_enemy_at_each_step_is_quick() -> None:
    ids = [f"{n:032x}" for n in range(10_000)]
    chain = [Pair(a, b, 2_000) for a, b in pairwise(ids)]
    enemies = [Pair(a, b, -1, contradicted=True) for a, b in zip(ids, ids[5_000:], strict=False)]
    found = partition(dict.fromkeys(ids, 0), chain + enemies, (), 1_000)
    assert len(set(found.entity.values())) == 2
