"""Estimate the model's weights from unlabelled profiles: expectation and maximisation (Fellegi and Sunter).

Pure and seeded. Matches are found among pairs that share a key; chance agreement among pairs drawn at
random. Tables of frequencies count entities, not reports, so that one often-reported person makes no name
common. The packaged model is the prior: little evidence changes little.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, NamedTuple

import xxhash

from services.fusion.core.compare import seen
from services.fusion.core.counting import told_beside
from services.fusion.core.keys import keys_of
from services.fusion.core.model import Comparing, KindModel, Level, Model, Table
from services.fusion.core.profile import Profile
from services.fusion.core.reference import resolve_all
from services.fusion.core.tally import Seen
from shared.contracts.entities import Kind
from shared.normalise import names, organisations

_ROUNDS: Final = 8
_PAIRS: Final = 300_000
"""Candidate pairs, and pairs at random, that are looked at."""
_PRIOR: Final = 100.0
"""Pairs of evidence that the model trained from is worth, for each comparison."""
_SEEN_OFTEN: Final = 3
"""Entities that must have a value before its frequency is believed: the rarest values are typing errors."""
_ONE_PER_PAIR: Final = frozenset({"swapped", "suffix", "no suffix", "generation", "legal form", "other form"})
_UNTRAINED: Final = frozenset({"dependent", "whole", "particle"})
_MILD: Final = -700
"""Centibits above which a level is too common among matches to contradict."""


@dataclass(frozen=True, slots=True)
class Change:
    """One weight before and after training, in centibits."""

    kind: str
    feature: str
    level: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Training:
    """The trained model, what changed, and what it was trained on."""

    model: Model
    changes: tuple[Change, ...]
    profiles: int
    matches: float


def train(profiles: Iterable[Profile], model: Model, *, seed: int = 1, population: int = 0) -> Training:
    """A model whose weights and frequencies are estimated from ``profiles``.

    A kind of which too little is alike, or whose matches run away, keeps its weights. Each other kind's
    prior puts the threshold where a pair is as likely to be one entity as ``_SURE`` says, given how many
    pairs of these profiles are. Where they are some entities of ``population`` profiles, each with all its
    profiles, chance has as many times more pairs to agree in, and log2 of that comes off too. Keys become
    as rare as so many need, never commoner than before.
    """
    by_kind: dict[Kind, list[Profile]] = defaultdict(list)
    for profile in sorted({p.id: p for p in profiles}.values(), key=lambda p: p.id):
        by_kind[profile.kind].append(profile)
    count = sum(map(len, by_kind.values()))
    more = round(100 * math.log2(max(population, count, 1) / max(count, 1)))
    trained, matches = model, 0.0
    for kind in (Kind.PERSON, Kind.ORGANIZATION, Kind.VESSEL):
        if len(by_kind[kind]) >= _FEWEST:
            trained = _counted(kind, by_kind[kind], trained)
            found = _estimate(kind, by_kind[kind], trained, seed)
            plan = replace(found.plan, prior=_prior(found.odds, model, more)) if found.odds else found.plan
            trained = replace(trained, kinds={**trained.kinds, kind: plan})
            matches += found.matches
    if not matches:
        why = f"too little is alike in {count} profiles to learn from"
        return Training(replace(model, note=f"{model.note or 'as given'}: {why}"), (), count, 0.0)
    note = f"trained on {count} profiles, {round(matches)} matching pairs, seed {seed}"
    trained = replace(trained, note=note, bits=max(model.bits, model.sized(max(population, count)).bits))
    return Training(trained, changes(model, trained), count, matches)


_FEWEST: Final = 100
"""Profiles of a kind below which there is nothing to learn from."""
_SURE: Final = 200
"""Centibits above even odds at which a pair is the same: a probability of four in five."""
_LOWEST, _HIGHEST = 1000, 2000
"""Bounds of what a pair of the sample needs."""


def _prior(odds: int, model: Model, more: int) -> int:
    """What makes a pair that is sure enough at these odds against weigh the threshold; ``more``: log2 of the
    population over the sample."""
    return model.threshold - min(_HIGHEST, max(_LOWEST, odds + _SURE)) - more


def changes(before: Model, after: Model) -> tuple[Change, ...]:
    """The levels whose weight differs, largest difference first."""
    found = []
    for kind, plan in after.kinds.items():
        old = {c.feature: c.levels for c in before.kinds[kind].comparisons}
        for c in plan.comparisons:
            for key, level in c.levels.items():
                was = old.get(c.feature, {}).get(key)
                if was is not None and was.base != level.base:
                    found.append(Change(kind.value, c.feature, level.label, was.base, level.base))
    return tuple(sorted(found, key=lambda c: (-abs(c.after - c.before), c.kind, c.feature, c.level)))


def _candidates(profiles: Sequence[Profile], model: Model, seed: int) -> list[tuple[int, int]]:
    """Pairs that share a key that is not generic, at most ``_PAIRS`` of them."""
    holders: dict[int, list[int]] = defaultdict(list)
    for i, profile in enumerate(profiles):
        for key in keys_of(profile, model):
            holders[key].append(i)
    pairs = {pair for held in holders.values() if len(held) <= model.cap for pair in combinations(held, 2)}
    found = sorted(pairs)
    if len(found) <= _PAIRS:
        return found
    return sorted(sorted(found, key=lambda pair: draw(seed, *pair))[:_PAIRS])


def draw(seed: int, *numbers: int) -> int:
    """A number below 2^64 that looks random and is the same on every machine."""
    return xxhash.xxh3_64_intdigest(repr(numbers).encode(), seed=seed)


class _Estimate(NamedTuple):
    """What was estimated for one kind: its plan, matching pairs, odds against a match."""

    plan: KindModel
    matches: float
    odds: int


def _estimate(kind: Kind, profiles: Sequence[Profile], model: Model, seed: int) -> _Estimate:
    """Expectation and maximisation for one kind."""
    before = model.kinds[kind]
    pairs = _candidates(profiles, model, seed)
    if not pairs:
        return _Estimate(before, 0.0, 0)
    rows = [seen(profiles[i], profiles[j], model) for i, j in pairs]
    if not _telling(rows):
        return _Estimate(before, 0.0, 0)
    n = len(profiles)
    draws = min(_PAIRS, n * (n - 1) // 2)
    chance = Counter[tuple[str, str]]()
    for k in range(draws):
        i, j = draw(seed, k, 0) % n, draw(seed, k, 1) % n
        if i != j:
            pair = seen(profiles[i], profiles[j], model)
            if _weigh(pair, before) < model.review:  # the others may well be one entity
                chance.update((s.feature, s.key) for s in pair.rows)
    used = frozenset(chance) | {(s.feature, s.key) for pair in rows for s in pair.rows}
    plan = _with_chance(before, chance)
    odds = model.threshold
    found = first = 0.0
    for _ in range(_ROUNDS):
        posterior = [_posterior(pair, plan, odds) for pair in rows]
        found = sum(posterior)
        first = first or found
        odds = round(100 * math.log2(max(2.0, n * (n - 1) / 2 / max(found, 1.0))))
        plan = _maximise(before, plan, used, _expected(rows, posterior))
    if found < _ENOUGH or found > _RUN_AWAY * first:
        return _Estimate(before, 0.0, 0)
    return _Estimate(replace(plan, kin=_kin(rows, plan)) if kind is Kind.PERSON else plan, found, odds)


def _telling(rows: Sequence[Seen]) -> bool:
    """Whether pairs can be told by one feature where another is judged: of names alone nothing is learnt."""
    several = sum(len({s.feature for s in pair.rows}) > 1 for pair in rows)
    return several > len(rows) * _SEVERAL


def _posterior(pair: Seen, plan: KindModel, odds: int) -> float:
    """The probability that a pair is one entity, at these prior odds against (centibits)."""
    weight = _weigh(pair, plan) - odds
    return 1.0 / (1.0 + math.exp2(-max(-5000, min(5000, weight)) / 100))


def _weigh(pair: Seen, plan: KindModel) -> int:
    """The weight of a recorded comparison under other levels, without a prior."""
    levels = _levels(plan)
    total = sum(
        levels[s.feature, s.key].base + levels[s.feature, s.key].rarity * s.bits // 100 for s in pair.rows
    )
    return total + pair.correction - max(0, pair.kin - plan.kin)


def _levels(plan: KindModel) -> Mapping[tuple[str, str], Level]:
    return {(c.feature, key): level for c in plan.comparisons for key, level in c.levels.items()}


def _with_chance(plan: KindModel, chance: Mapping[tuple[str, str], int]) -> KindModel:
    """The plan with u as counted among pairs at random, for levels that do not look at the value.

    A level seen fewer than five times by chance keeps its u: it is rarer than the sample can tell.
    """

    def counted(c: Comparing) -> Comparing:
        total = sum(n for (feature, key), n in chance.items() if feature == c.feature and key in _trained(c))
        levels = {
            key: replace(level, u=chance[c.feature, key] / total)
            if not level.rarity and key in _trained(c) and chance.get((c.feature, key), 0) >= _SEEN_BY_CHANCE
            else level
            for key, level in c.levels.items()
        }
        return replace(c, levels=levels)

    return replace(plan, comparisons=tuple(counted(c) for c in plan.comparisons))


def _trained(c: Comparing) -> frozenset[str]:
    """The levels of a comparison that are estimated: those of which each value has exactly one."""
    return frozenset(c.levels) - _ONE_PER_PAIR - _UNTRAINED


def _expected(rows: Sequence[Seen], posterior: Sequence[float]) -> dict[tuple[str, str], float]:
    """How often each level is expected among the matches."""
    counts: dict[tuple[str, str], float] = defaultdict(float)
    for pair, p in zip(rows, posterior, strict=True):
        if p > 0.001:
            for s in pair.rows:
                counts[s.feature, s.key] += p
    return counts


def _maximise(
    prior: KindModel,
    plan: KindModel,
    used: Collection[tuple[str, str]],
    counts: Mapping[tuple[str, str], float],
) -> KindModel:
    """The plan with m as expected among the matches; ``prior`` counts as ``_PRIOR`` matches.

    Levels that were never ``used`` say nothing and stay as they are.
    """

    def expected(c: Comparing, before: Comparing) -> Comparing:
        keys = [key for key in _trained(c) if (c.feature, key) in used]
        total = sum(counts.get((c.feature, key), 0.0) for key in keys)
        if not total:
            return c
        whole = sum(before.levels[key].m for key in keys)
        levels = dict(c.levels)
        for key in keys:
            share = before.levels[key].m / whole
            m = (counts.get((c.feature, key), 0.0) + _PRIOR * share) / (total + _PRIOR)
            level = replace(levels[key], m=round(min(0.999, max(1e-5, m)), 6))
            if level.overrule is not None and level.base > _MILD:
                level = replace(level, overrule=None)
            levels[key] = level
        return replace(c, levels=levels)

    return replace(
        plan,
        comparisons=tuple(
            expected(c, before) for c, before in zip(plan.comparisons, prior.comparisons, strict=True)
        ),
    )


def _kin(rows: Sequence[Seen], plan: KindModel) -> int:
    """How much relatives may share, from pairs alike in home and surname whose given names differ.

    Where what relatives do not share says that such pairs are mostly one person, the list has few
    relatives, and the cap rises by the odds.
    """
    same = others = 1.0
    own_alone = replace(plan, kin=0)
    for pair in rows:
        keys = {s.key for s in pair.rows if s.feature == "name"}
        if "given" not in keys or pair.kin <= plan.kin:
            continue
        own = _weigh(pair, own_alone)
        if own > _TELLING:
            same += 1
        elif own < -_TELLING:
            others += 1
    return plan.kin + max(0, round(100 * math.log2(same / others)))


def _counted(kind: Kind, profiles: Sequence[Profile], model: Model) -> Model:
    """The model with what is counted over the entities that it finds, not over their mentions."""
    entity = resolve_all(profiles, (), model).entity
    together = _together(profiles, entity, model.together) if kind is Kind.PERSON else model.together
    return replace(model, tables=_tables(kind, profiles, model, entity), together=together)


def _together(profiles: Sequence[Profile], entity: Mapping[str, str], prior: int) -> int:
    """How many centibits given and family name tell twice: how much oftener than by chance two entities
    that share one share the other too (mutual information of order two, by counting pairs); ``prior`` is
    worth ``_COLLISIONS``."""
    found = {}
    for profile in profiles:
        name = names.parse(next(iter(profile.features.get("name", ())), ""))
        if name.given and name.family:
            found[entity[profile.id]] = (name.given[0], name.family[0])
    counted = (Counter(a for a, _ in found.values()), Counter(b for _, b in found.values()))
    a, b, both = (sum(n * (n - 1) // 2 for n in c.values()) for c in (*counted, Counter(found.values())))
    chance = a * b / max(1.0, len(found) * (len(found) - 1) / 2)
    twice = (both + _COLLISIONS * math.exp2(prior / 100)) / (chance + _COLLISIONS)
    return max(0, min(_TWICE, round(100 * math.log2(twice))))


_COLLISIONS: Final = 10
"""Pairs of entities of one whole name, by chance, that the model trained from is worth."""
_TWICE: Final = 400


def _tables(
    kind: Kind, profiles: Sequence[Profile], model: Model, entity: Mapping[str, str]
) -> dict[str, Table]:
    """Frequency tables counted over entities, the model's own as prior."""
    holders: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    total: dict[str, set[str]] = defaultdict(set)
    for profile in profiles:
        for table, value in _values(kind, profile):
            holders[table][value].add(entity[profile.id])
            total[table].add(entity[profile.id])
    tables = dict(model.tables)
    for name, counted in holders.items():
        prior, n = model.tables[name], len(total[name])
        bits = dict(prior.bits)
        for value, entities in counted.items():
            if len(entities) >= _SEEN_OFTEN or value in bits:
                bits[value] = prior.after(value, len(entities), n)
        tables[name] = Table(bits, prior.rare)
    return tables


def _values(kind: Kind, profile: Profile) -> Iterable[tuple[str, str]]:
    """What a profile has of each table's values."""
    features = profile.features
    if kind is Kind.PERSON:
        for text in features.get("name", ()):
            name = names.parse(text)
            yield from (("given", t) for t in name.given)
            yield from (("family", t) for t in name.family or name.given)
    else:
        for text in features.get("name", ()):
            yield from (("word", w) for w in organisations.parse(text).words)
    yield from told_beside(profile)


_ENOUGH: Final = 20.0
"""Matching pairs below which the weights of the model trained from are better than what they tell."""
_RUN_AWAY: Final = 2.0
"""How many times the matches of the first round the last may have: where weights and odds soften each other
without end, what is learnt are namesakes, branches and series, not matches."""
_SEVERAL: Final = 0.1
"""Share of the candidate pairs that must have two features or more to compare."""
_SEEN_BY_CHANCE: Final = 5
_TELLING: Final = 500
"""Centibits of what relatives do not share from which a pair counts as one person, or as two."""
