"""How common names, words, places and countries are in one list: what is rare elsewhere may be common in it.

Counted are different companions of a value (a family name's given names and years of birth), not rows, so
that one entity that is listed often makes none of its names common. Pure.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import xxhash

from services.fusion.core.model import Model, Table
from services.fusion.core.profile import Profile
from services.fusion.core.tokens import sound
from shared.contracts.entities import Kind
from shared.normalise import names, organisations, places
from shared.normalise.names import PARTICLES

_OFTEN: Final = 5
"""Companions that a value must have before it is believed to be common: spellings of one entity vary."""
_SPELLINGS: Final = 130
"""Centibits that counting overstates: other spellings of one entity count as other companions."""
_LONG: Final = 10_000
"""Entities of a list that the threshold is made for: in a shorter one, fewer pairs can agree by chance."""

_SHORTER: Final = 100
"""Centibits by which values are rarer, in effect, in a list of half that."""

Companions = Mapping[str, dict[str, set[int]]]
"""By table, and by value: the hashes of what it occurs with."""


def counted(profiles: Iterable[Profile], model: Model) -> Model:
    """The model whose values are as common as in this list, or in its own tables where that is more."""
    found: Companions = {name: defaultdict(set) for name in model.tables}
    entities: dict[str, set[int]] = defaultdict(set)
    for profile in profiles:
        if profile.kind is Kind.PERSON:
            _person(profile, found, entities)
        elif profile.kind in {Kind.ORGANIZATION, Kind.VESSEL}:
            _organisation(profile, found, entities)
    tables = {name: _table(table, found[name], len(entities[name])) for name, table in model.tables.items()}
    return replace(model, tables=tables)


def _table(table: Table, found: Mapping[str, set[int]], entities: int) -> Table:
    """The table with the values that are more common here."""
    bits = dict(table.bits)
    slack = _SPELLINGS + max(0, round(_SHORTER * math.log2(_LONG / max(entities, 1))))
    for value, companions in found.items():
        if len(companions) >= _OFTEN:
            here = table.after(value, len(companions), entities) + slack
            if here < table.of(value):
                bits[value] = max(0, here)
    return Table(bits, table.rare)


def _person(profile: Profile, found: Companions, entities: dict[str, set[int]]) -> None:
    """Each given name with the family name and year of birth, and the other way around."""
    features = profile.features
    year = next(iter(features.get("dob", ())), "")[:4]
    who = 0
    for text in features.get("name", ()):
        name = names.parse(text)
        words = [t for t in name.tokens if t not in PARTICLES and len(t) > 1]
        if not words:
            continue
        given, family = (name.given, name.family) if name.ordered else (words, words)
        first, last = sound(words[0]), sound(words[-1])
        who = _hash(first, last, year)
        entities["given"].add(who)
        entities["family"].add(who)
        for table, part in (("given", given), ("family", family)):
            for word in part:
                found[table][word].add(_hash(last if sound(word) == first else first, year))
    _where(profile, who, found, entities)


def _organisation(profile: Profile, found: Companions, entities: dict[str, set[int]]) -> None:
    """Each word with the other words of the name and the country."""
    features = profile.features
    number = next(iter(features.get("imo", features.get("flag", features.get("country", ())))), "")
    who = 0
    for text in features.get("name", ()):
        words = organisations.parse(text).words
        sounds = [sound(w) for w in words]
        who = _hash(*sounds, number)
        entities["word"].add(who)
        for i, word in enumerate(words):
            found["word"][word].add(_hash(*sounds[:i], *sounds[i + 1 :], number))
    _where(profile, who, found, entities)


def _where(profile: Profile, who: int, found: Companions, entities: dict[str, set[int]]) -> None:
    """Places, countries and occupations with whose they are."""
    for table, value in told_beside(profile):
        entities[table].add(who)
        found[table][value].add(who)


def told_beside(profile: Profile) -> Iterator[tuple[str, str]]:
    """What a profile tells beside names, as (table, value): places, countries and occupations."""
    features = profile.features
    cities = (places.parse(v).city for v in features.get("address", ()))
    yield from (("place", v) for v in (*features.get("birth_place", ()), *filter(None, cities)))
    yield from (("country", v) for v in features.get("country", ()))
    yield from (("occupation", v) for v in features.get("occupation", ()))


def _hash(*texts: str) -> int:
    return xxhash.xxh3_64_intdigest("\x1f".join(texts).encode())
