"""Two profiles compared: evidence rows that sum to the weight. Pure; a function of content and model."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from services.fusion.core import compare_names as by_name
from services.fusion.core import compare_values as by_value
from services.fusion.core.model import Comparing, Model
from services.fusion.core.profile import Comparison, Profile
from services.fusion.core.tally import Recorder, Seen, Step, Tally
from shared.contracts.entities import Kind
from shared.normalise import identifiers

Score = Callable[[Any, Any, Step, Tally], None]

COMPARATORS: Final[dict[str, Score]] = {
    "person_name": by_name.person_name,
    "organisation_name": by_name.organisation_name,
    "birth_date": by_value.birth_date,
    "equal": by_value.equal,
    "overlap": by_value.overlap,
    "words": by_value.words,
    "identifier": by_value.identifier,
    "number": by_value.number,
    "crossed": by_value.crossed,
    "plate": by_value.plate,
    "email": by_value.email,
    "year": by_value.year,
    "address": by_value.address,
    "point": by_value.point,
}
"""The functions that a model's comparisons name; their docstrings are what the user reads."""

_KIN: Final = "others of one home or address would share this"
_POPULATION: Final = "by how many there are"


Read = Callable[[Mapping[str, Sequence[str]]], Any]


class Plan(NamedTuple):
    """A kind's comparisons made ready; ``readers``: by feature, the place of each it takes part in, and how
    that one's values are read."""

    steps: tuple[Step, ...]
    scores: tuple[Score, ...]
    readers: Mapping[str, Sequence[tuple[int, Read]]]


@lru_cache(maxsize=128)
def _plan(kind: Kind, model: Model) -> Plan:
    """The comparisons of ``kind``, ready to run."""
    specs = model.kinds[kind].comparisons
    steps = tuple(
        Step(
            c.feature,
            c.levels,
            {key: level.base for key, level in c.levels.items()},
            {key: level.rarity for key, level in c.levels.items()},
            model.tables.get(c.table),
            c.most,
            c.kin,
            c.least,
            c.home,
            model.together if c.comparator == "person_name" else 0,
        )
        for c in specs
    )
    readers: dict[str, list[tuple[int, Read]]] = defaultdict(list)
    for i, c in enumerate(specs):
        read = _reader(c, model)
        for feature in _TOGETHER.get(c.comparator, (c.feature,)):
            readers[feature].append((i, read))
    scores = tuple(COMPARATORS[c.comparator] for c in specs)
    return Plan(steps, scores, readers)


_TOGETHER: Final = {
    "person_name": ("name", "alias"),
    "organisation_name": ("name", "alias"),
    "crossed": by_value.PAPERS,
}
"""The features that one comparison takes together."""


def _reader(spec: Comparing, model: Model) -> Read:
    """How a comparison's values are made ready, once per profile."""
    if spec.comparator == "person_name":
        return lambda features: by_name.read_person(features, model.tables)
    if spec.comparator == "organisation_name":
        return lambda features: by_name.read_organisation(features, model.tables)
    if spec.comparator == "crossed":
        return by_value.read_papers
    read = {
        "birth_date": by_value.read_dates,
        "address": by_value.read_places,
        "point": by_value.read_points,
    }.get(spec.comparator)
    if read is None:
        return lambda features: tuple(features[spec.feature])
    return lambda features: read(spec.feature, features)


@lru_cache(maxsize=16_384)
def _ready(kind: Kind, content: bytes, model: Model) -> Mapping[int, Any]:
    """The values of a profile's content made ready, by the place of the comparison, in order."""
    features = orjson.loads(content)
    if "ncii" in features:
        return {}
    readers = _plan(kind, model).readers
    chosen = dict(one for f in features for one in readers.get(f, ()))
    found = ((i, chosen[i](features)) for i in sorted(chosen))
    return {i: value for i, value in found if value is not None}


def compare(a: Profile, b: Profile, model: Model) -> Comparison:
    """The weight of ``a`` and ``b`` being one entity, in centibits, with the rows that sum to it.

    Features that only one has count nothing. ``contradicted``: a level held that one entity cannot show,
    and nothing outweighs it. Raises ``KeyError`` for kinds that are never resolved.
    """
    if a.kind is not b.kind:
        raise ValueError(f"a {a.kind} and a {b.kind} are never compared")
    swapped = b.content < a.content
    first, second = (b.content, a.content) if swapped else (a.content, b.content)
    tally = _tally(a.kind, first, second, model)
    evidence = tally.weight - model.kinds[a.kind].prior
    contradicted = tally.overrule is not None and evidence < tally.overrule
    return Comparison(tally.weight, contradicted, tally.told(swapped=swapped))


def self_weight(kind: Kind, content: bytes, model: Model) -> int:
    """The weight of a mention against its like: below the threshold it is too weak to name anyone."""
    return _tally(kind, content, content, model).weight


def is_weak(kind: Kind, features: Mapping[str, Sequence[str]], content: bytes, model: Model) -> bool:
    """Whether a mention names nobody: no number of it does alone, nor does all of it weigh enough."""
    alone = _alone(kind, model)
    for feature, values in features.items():
        if feature in alone and (alone[feature] or identifiers.valid(feature, values[0])):
            return False
    return _is_light(kind, content, model)


@lru_cache(maxsize=128)
def _alone(kind: Kind, model: Model) -> Mapping[str, bool]:
    """The identifiers that reach the threshold alone; True: also with a wrong check digit."""
    needed = model.needed(kind)
    return {
        c.feature: c.levels["invalid"].base >= needed
        for c in model.kinds[kind].comparisons
        if "invalid" in c.levels and not c.kin and c.levels["same"].base >= needed
    }


@lru_cache(maxsize=16_384)
def _is_light(kind: Kind, content: bytes, model: Model) -> bool:
    return self_weight(kind, content, model) < model.threshold


def seen(a: Profile, b: Profile, model: Model) -> Seen:
    """What the comparison of two profiles saw, for estimating its weights."""
    recorder = Recorder()
    _run(a.kind, a.content, b.content, model, recorder)
    return recorder.seen()


def _tally(kind: Kind, a: bytes, b: bytes, model: Model) -> Tally:
    tally = Tally()
    _run(kind, a, b, model, tally)
    of_kind = model.kinds[kind]
    if tally.kin > of_kind.kin:
        tally.adjust("kin", _KIN, of_kind.kin - tally.kin)
    if of_kind.prior:
        tally.adjust("population", _POPULATION, of_kind.prior)
    return tally


def _run(kind: Kind, a: bytes, b: bytes, model: Model, tally: Tally) -> None:
    """Run every comparison for which both have a value."""
    steps, scores, _ = _plan(kind, model)
    theirs = _ready(kind, b, model)
    for i, value in _ready(kind, a, model).items():
        other = theirs.get(i)
        if other is not None:
            scores[i](value, other, steps[i], tally)
