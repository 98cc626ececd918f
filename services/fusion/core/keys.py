"""Blocking keys: a profile's, from its content and the model alone.

A rule takes base components, then extends with the next component that is present until the key is rare
enough; the key is a hash of the set of (component, value), so agreeing mentions extend alike.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import orjson
import xxhash

from services.fusion.core.model import KindModel, Model, Table
from services.fusion.core.profile import Profile
from shared.contracts.entities import Kind
from shared.normalise import dates, names, organisations, places
from shared.normalise.names import PARTICLES

Features = Mapping[str, tuple[str, ...]]
Component = tuple[str, tuple[tuple[str, int], ...]]
"""A value, and the bits in centibits of each part of the content that it tells."""


class Rule(NamedTuple):
    """The base components, all needed, and the order in which a key is extended."""

    base: tuple[str, ...]
    extension: tuple[str, ...]


@lru_cache(maxsize=256)
def rule(text: str) -> Rule:
    """Read ``base | extension``."""
    base, _, extension = text.partition("|")
    return Rule(tuple(base.split()), tuple(extension.split()))


def keys_of(profile: Profile, model: Model) -> tuple[int, ...]:
    """The profile's keys: signed 64-bit, distinct, ascending; none for what must never match."""
    return _keys(profile.kind, profile.content, model)


@lru_cache(maxsize=16_384)
def _keys(kind: Kind, content: bytes, model: Model) -> tuple[int, ...]:
    features: Features = orjson.loads(content)
    if "ncii" in features:
        return ()
    plan = model.kinds[kind]
    found = {
        _hash(kind, (f"{name}:{value}",))
        for name in plan.identifiers
        for value in features.get(name, ())
        if name not in _SPECIAL
    }
    for values in _COMPONENTS.get(kind, _none)(features, model):
        found.update(_ruled(kind, values, plan, model.bits))
    if kind is Kind.LOCATION:
        found.update(_hash(kind, (text,)) for text in _location(features))
    if kind is Kind.VEHICLE:
        found.update(_hash(kind, ("bare plate", v.rpartition(":")[2])) for v in features.get("plate", ()))
    return tuple(sorted(found))


_SPECIAL: Final = frozenset({"address", "point"})


def _hash(kind: Kind, parts: Iterable[str]) -> int:
    """A signed 64-bit hash of the kind and ``parts``."""
    unsigned = xxhash.xxh3_64_intdigest("\x1f".join((kind.value, *parts)).encode())
    return unsigned - (1 << 64) if unsigned >= 1 << 63 else unsigned


def _ruled(kind: Kind, values: Mapping[str, Component], plan: KindModel, needed: int) -> Iterable[int]:
    """The key of each rule that these components satisfy."""
    for text in plan.rules:
        base, extension = rule(text)
        if any(c not in values for c in base):
            continue
        chosen: list[str] = list(base)
        bits = _bits(chosen, values)
        for c in extension:
            if bits >= needed:
                break
            if c in values and c not in chosen:
                chosen.append(c)
                bits = _bits(chosen, values)
        if bits >= needed:
            yield _hash(kind, sorted({f"{c}={values[c][0]}" for c in chosen}))


def _bits(chosen: Iterable[str], values: Mapping[str, Component]) -> int:
    """The bits of a set of components; of those that refine one another only the finest counts."""
    finest: dict[str, int] = {}
    for c in chosen:
        for part, bits in values[c][1]:
            finest[part] = max(bits, finest.get(part, 0))
    return sum(finest.values())


def _none(_features: Features, _model: Model) -> Iterable[dict[str, Component]]:
    return ()


def _person(features: Features, model: Model) -> Iterable[dict[str, Component]]:
    """The components of each of a person's names, with what is known of birth, home and work."""
    common: dict[str, Component] = {}
    for text in features.get("dob", ())[:2]:
        _date(text, common)
    _place(features, model.tables["place"], common)
    for text in features.get("occupation", ())[:1]:
        common["o"] = (text, (("o", 700),))
    given, family = model.tables["given"], model.tables["family"]
    texts = (*features.get("name", ()), *features.get("alias", ()))[:8]
    for text in texts:
        values = dict(common)
        _name(text, given, family, values)
        yield values
    if not texts:
        yield common


def _name(text: str, given: Table, family: Table, values: dict[str, Component]) -> None:
    """Given name (a), family name (b), their prefixes, and the words in order of rarity (n1, n2, n3)."""
    name = names.parse(text)
    words = [t for t in name.tokens if t not in PARTICLES and len(t) > 1]
    if name.ordered:
        first, last = name.given, [t for t in name.family if t not in PARTICLES] or list(name.family)
    else:
        first, last = tuple(words[:1]), words[-1:] if len(words) > 1 else []
    if first:
        _prefixes("a", first[0], given.of(first[0]), (("a3", 3), ("a1", 1)), values)
    if last:
        _prefixes("b", last[0], family.of(last[0]), (("b4", 4), ("b1", 1)), values)
    ranked = sorted(((max(given.of(t), family.of(t)) // 50, t) for t in set(words)), reverse=True)
    for i, (bits, t) in enumerate(ranked[:3]):
        values[f"n{i + 1}"] = (t[:4], ((f"n{i + 1}", min(bits * 50, 1100)),))


_PREFIX_BITS: Final = {1: 400, 3: 750, 4: 900}


def _prefixes(
    name: str, word: str, bits: int, cuts: tuple[tuple[str, int], ...], values: dict[str, Component]
) -> None:
    values[name] = (word, ((name, bits),))
    for part, n in cuts:
        values[part] = (word[:n], ((name, min(bits, _PREFIX_BITS[n])),))


def _date(text: str, values: dict[str, Component]) -> None:
    """Date (d), year (y), month (m), day (dd), month and day (md)."""
    found = dates.parse(text)
    if found is None:
        return
    y, m, dd = ("y", 600), ("m", 350), ("dd", 480)
    values["y"] = (f"{found.year}", (y,))
    if found.month:
        values["m"] = (f"{found.month}", (m,))
    if found.day:
        values["dd"] = (f"{found.day}", (dd,))
        values["md"] = (f"{found.month}-{found.day}", (m, dd))
        values["d"] = (text, (y, m, dd))


def _place(features: Features, table: Table, values: dict[str, Component]) -> None:
    """Postcode (pi), its outward part (po), place (t)."""
    for text in features.get("address", ())[:1]:
        place = places.parse(text)
        if place.postcode:
            values["po"] = (place.postcode[:-3] or place.postcode, (("p", 700),))
            values["pi"] = (place.postcode, (("p", 1300),))
        if place.city:
            values["t"] = (place.city, (("t", table.of(place.city)),))
    for text in features.get("birth_place", ())[:1]:
        values["t"] = (text, (("t", table.of(text)),))


def _organization(features: Features, model: Model) -> Iterable[dict[str, Component]]:
    """The words of each name in order of rarity (w1 …), the first word's start (s4), place and postcode."""
    table = model.tables["word"]
    common: dict[str, Component] = {}
    _place(features, model.tables["place"], common)
    for text in features.get("flag", ()):
        common["f"] = (text, (("f", 300),))
    for text in (*features.get("name", ()), *features.get("alias", ()))[:8]:
        name = organisations.parse(text)
        values = dict(common)
        ranked = sorted(((table.of(t), t) for t in set(name.words)), reverse=True)
        for i, (bits, t) in enumerate(ranked[:4]):
            values[f"w{i + 1}"] = (t[:5], ((f"w{i + 1}", bits),))
        if len(name.words[0]) >= 4:
            values["s4"] = (name.words[0][:4], (("w1", 900),))
        yield values


def _location(features: Features) -> Iterable[str]:
    """House and street with the city or postcode; the cell of a point and the cells around it."""
    for text in features.get("address", ()):
        place = places.parse(text)
        yield f"house {place.street}|{place.postcode or place.city}"
        if place.postcode and place.city:
            yield f"house {place.street}|{place.city}"
    for text in features.get("point", ()):
        lat, _, lon = text.partition(",")
        row, column = round(float(lat) / _CELL), round(float(lon) / _CELL)
        low_row, low_column = int(float(lat) // _CELL), int(float(lon) // _CELL)
        yield f"cell a {row} {column}"
        yield f"cell b {low_row} {low_column}"
        yield f"cell c {row} {low_column}"
        yield f"cell d {low_row} {column}"


_CELL: Final = 0.002
"""Degrees of a cell of the four shifted grids: about 200 m; two points within 100 m share a cell of one."""

_COMPONENTS: Final = {Kind.PERSON: _person, Kind.ORGANIZATION: _organization, Kind.VESSEL: _organization}
