"""The model is data, the resolver a function of the profiles as a set, and training needs no labels."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.core import model as models
from services.fusion.core.compare import compare
from services.fusion.core.keys import keys_of
from services.fusion.core.profile import Profile
from services.fusion.core.reference import pairs_of, resolve_all
from services.fusion.core.train import train
from shared.contracts.entities import Kind, Organization
from shared.errors import Misconfigured
from shared.partition import Judged
from tests.fusion.core.people import MODEL, person, profile

FIRST = ["Juan", "José", "John", "Jon", "Maria", "Olga", "J."]
LAST = ["Quilla", "Quila", "Smith", "García Quilla", "Quilla García"]
DATES = [None, "1988-01-03", "1988-03-01", "1988", "1951-11-20"]
PHONES = [None, "+19155550142", "+19155550143"]

people = st.builds(
    lambda first, last, dob, phone, n: person(
        f"{first} {last}", dob=dob, tied={"phone": phone} if phone else None, origin=f"r{n}"
    ),
    st.sampled_from(FIRST), st.sampled_from(LAST), st.sampled_from(DATES), st.sampled_from(PHONES),
    st.integers(0, 3),
)  # fmt: skip


def test_a_model_file_gives_the_same_model(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    models.save(MODEL, path)
    assert models.load(path).version == MODEL.version
    content = json.loads(path.read_text())
    content["kinds"]["PERSON"]["comparisons"][0]["levels"]["same"]["m"] = 0.7
    path.write_text(json.dumps(content))
    assert models.load(path).version != MODEL.version


def test_a_file_that_is_no_model_says_so(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text("{}")
    with pytest.raises(Misconfigured, match="no resolver model"):
        models.load(path)


@given(people, people)
@settings(max_examples=300)
def test_comparing_is_symmetric_and_rows_sum(a: Profile, b: Profile) -> None:
    one, other = compare(a, b, MODEL), compare(b, a, MODEL)
    assert (one.weight, one.contradicted) == (other.weight, other.contradicted)
    assert sum(r.weight for r in one.rows) == one.weight
    assert [(r.a, r.b, r.weight) for r in one.rows] == [
        (r.b, r.a, r.weight) for r in other.rows
    ] or a.content == b.content


@given(st.lists(people, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_partition_does_not_depend_on_order_or_repeats(found: list[Profile], random: Random) -> None:
    shuffled = found + found[:3]
    random.shuffle(shuffled)
    assert resolve_all(shuffled, (), MODEL).entity == resolve_all(found, (), MODEL).entity


@given(people)
def test_keys_are_distinct_sorted_and_fit_in_64_bits(a: Profile) -> None:
    keys = keys_of(a, MODEL)
    assert list(keys) == sorted(set(keys))
    assert all(-(1 << 63) <= k < 1 << 63 for k in keys)


def test_a_key_of_too_many_supports_no_pair() -> None:
    crowd = [person(f"Quilla{chr(97 + i)} Zz", tied={"phone": "+19155550142"}) for i in range(8)]
    assert pairs_of(crowd, replace(MODEL, review=-10_000))
    assert pairs_of(crowd, replace(MODEL, review=-10_000, cap=3)) == []


def test_a_judgement_outranks_the_weights_and_can_be_undone() -> None:
    a, b = sorted([person("John Smith", origin="r1"), person("John Smith", origin="r2")], key=lambda p: p.id)
    judged = resolve_all([a, b], [Judged(a.id, b.id, same=True)], MODEL).entity
    assert judged[a.id] == judged[b.id]
    assert len(set(resolve_all([a, b], (), MODEL).entity.values())) == 2


def _population(seed: int) -> list[Profile]:
    """Five reports on each of 120 people, one in five with an error."""
    random = Random(seed)
    found = []
    for n in range(120):
        first, last = (
            random.choice(FIRST[:6]),
            f"{random.choice('bcdfgl')}{random.choice('aeiou')}{random.choice('nrst')}{n:03d}",
        )
        last = last.translate(str.maketrans("0123456789", "abeikmorsu"))
        dob = f"19{random.randrange(50, 99)}-{random.randrange(1, 13):02d}-{random.randrange(10, 28)}"
        for k in range(5):
            wrong = random.random() < 0.2
            born = dob[:-1] + random.choice("0123456789") if wrong else dob
            found.append(person(f"{first} {last}", dob=born, origin=f"{n}/{k}"))
    return found


def test_training_learns_from_unlabelled_profiles_and_is_repeatable() -> None:
    population = _population(3)
    trained = train(population, MODEL.sized(600), seed=7)
    again = train(reversed(population), MODEL.sized(600), seed=7)
    assert trained.model.version == again.model.version != MODEL.version
    assert trained.changes
    assert trained.matches > 0
    found = len(set(resolve_all(population, (), trained.model).entity.values()))
    assert 108 <= found <= 124


def test_training_keeps_the_threshold_and_says_in_the_evidence_how_likely_a_pair_is() -> None:
    population = _population(3)
    alone = train(population, MODEL.sized(600), seed=7).model
    of_many = train(population, MODEL.sized(600), seed=7, population=8 * len(population)).model
    assert alone.threshold == of_many.threshold == MODEL.threshold
    prior = alone.kinds[Kind.PERSON].prior
    assert prior > 0, "among so few, less agrees by chance than the packaged model takes for granted"
    assert alone.needed(Kind.PERSON) == MODEL.threshold - prior
    a, b = population[:2]
    one, other = (compare(a, b, model) for model in (alone, of_many))
    assert other.weight <= one.weight - 300 + 100, "eight times as many, of whom some profiles are the same"
    assert (one.rows[-1].feature, one.rows[-1].weight) == ("population", prior)
    assert alone.kinds[Kind.VEHICLE].prior == 0
    assert of_many.bits > alone.bits


def test_a_file_of_an_earlier_version_still_loads(tmp_path: Path) -> None:
    content = MODEL.as_dict()
    for kind in content["kinds"].values():
        del kind["kin"], kind["prior"]
    content["kin"] = 1700
    path = tmp_path / "model.json"
    path.write_text(json.dumps(content))
    found = models.load(path)
    assert (found.kinds[Kind.PERSON].kin, found.kinds[Kind.PERSON].prior) == (1700, 0)


def test_names_that_go_together_make_a_key_less_rare() -> None:
    one, namesake = person("Anna Garcia", dob="1980-05-17"), person("Anna Garcia", dob="1991-11-02")
    again = person("Anna Garcia", dob="1980-05-17", sex="F")
    apart, together = (replace(MODEL.sized(50_000), together=bits) for bits in (0, MODEL.together))
    assert not set(keys_of(one, apart)).isdisjoint(keys_of(namesake, apart)), "the two names are rare enough"
    assert set(keys_of(one, together)).isdisjoint(keys_of(namesake, together)), "a key takes the date too"
    assert not set(keys_of(one, together)).isdisjoint(keys_of(again, together))


def test_training_counts_how_names_go_together() -> None:
    languages = ((("Wei", "Jun", "Tao", "Min"), ("Chen", "Wang", "Zhang", "Zhao")),
                 (("Olga", "Ivan", "Pyotr", "Anna"), ("Petrov", "Orlov", "Sidorov", "Belov")))  # fmt: skip
    random = Random(5)
    found = []
    for n in range(400):
        given, family = languages[n % 2]
        born = f"19{random.randrange(50, 99)}-{random.randrange(1, 13):02d}-{random.randrange(10, 28)}"
        name = {"given_names": random.choice(given), "family_names": random.choice(family)}
        found += [
            person(None, dob=born, tied={"passport": f"US:A{n:08}"}, sex=sex, **name) for sex in ("F", None)
        ]
    assert 60 <= train(found, MODEL.sized(800), seed=7).model.together <= 140, "two languages: one bit"


def test_training_on_nothing_changes_nothing() -> None:
    assert train([], MODEL).changes == ()


def test_a_pair_needs_more_in_a_longer_list() -> None:
    small, usual, large = (MODEL.sized(n) for n in (500, 25_000, 100_000))
    assert [m.needed(Kind.PERSON) for m in (small, usual, large)] == [1500, 1600, 1800]
    assert [m.needed(Kind.ORGANIZATION) for m in (small, usual, large)] == [1600, 1600, 1800]
    assert large.needed(Kind.PHONE) == MODEL.needed(Kind.PHONE), "numbers are as rare in any list"


def test_a_particle_that_must_be_a_name_makes_keys() -> None:
    model = MODEL.sized(1_000)
    one, other = person("Ben Quillfeather"), person("Benjamin Quillfeather")
    assert not set(keys_of(one, model)).isdisjoint(keys_of(other, model))


def test_training_that_runs_away_keeps_the_weights() -> None:
    random = Random(4)
    words = [
        "".join(random.choice("bdfgklmnprst") + random.choice("aeiou") for _ in range(4)) for _ in range(90)
    ]
    found = []
    for n in range(400):
        name = f"{random.choice(words)} {random.choice(words)}"
        place = f"{n} {random.choice(words)} street||{random.choice(words[:9])}|TX|79901|US"
        found.append(
            profile(Organization(local_id="o", name=name), origin=str(n), tied={"address": place})
        )  # branches and namesakes, hardly a match
    trained = train(found, MODEL.sized(400), seed=7)
    assert trained.matches == 0
    assert trained.model.kinds[Kind.ORGANIZATION] == MODEL.sized(400).kinds[Kind.ORGANIZATION]


def test_a_model_has_another_version_once_keys_are_made_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    before = replace(MODEL, note="before").version
    monkeypatch.setattr(models, "_MAKING", -1)
    assert replace(MODEL, note="after").version != before == MODEL.version
