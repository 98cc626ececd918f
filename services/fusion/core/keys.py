"""Blocking keys: a profile's, from its content and the model alone.

A rule takes base components, then extends with the next component that is present until the key is rare
enough; the key is a hash of the set of (component, value), so agreeing mentions extend alike.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import orjson
import xxhash

from services.fusion.core.components import COMPONENTS, INITIALS, NAME, PAIR, WORD, Component, Features
from services.fusion.core.model import Model
from services.fusion.core.profile import Profile
from shared.contracts.entities import Kind
from shared.normalise import places
from shared.normalise.identifiers import is_scoped


class Rule(NamedTuple):
    """The base components, all needed, and the order in which a key is extended."""

    base: tuple[str, ...]
    extension: tuple[str, ...]


@lru_cache(maxsize=256)
def rule(text: str) -> Rule:
    """Read ``base | extension``."""
    base, _, extension = text.partition("|")
    return Rule(tuple(base.split()), tuple(extension.split()))


@lru_cache(maxsize=64)
def _rules(texts: tuple[str, ...]) -> Mapping[str, tuple[Rule, ...]]:
    """The rules by what they take: whole names, a word with initials, two words."""
    rules = [rule(text) for text in texts]
    return {
        NAME: tuple(r for r in rules if "p" not in r.base),
        WORD: tuple(r for r in rules if "p" in r.base and not {"q", "i"} & set(r.base)),
        INITIALS: tuple(r for r in rules if "p" in r.base and "i" in r.base),
        PAIR: tuple(r for r in rules if "p" in r.base and "q" in r.base),
    }


def keys_of(profile: Profile, model: Model) -> tuple[int, ...]:
    """The profile's keys: signed 64-bit, distinct, ascending; none for what must never match."""
    return _keys(profile.kind, profile.content, model)


@lru_cache(maxsize=16_384)
def _keys(kind: Kind, content: bytes, model: Model) -> tuple[int, ...]:
    features: Features = orjson.loads(content)
    if "ncii" in features:
        return ()
    plan = model.kinds[kind]
    scope = kind.value
    found = {
        _hash(scope, f"{name}:{_number(kind, name, value)}")
        for name in plan.identifiers
        if name in features and name not in _SPECIAL
        for value in features[name]
    }
    if kind in COMPONENTS:
        found.update(
            _hash(scope, f"mailbox {name}") for name in map(_mailbox, features.get("email", ())) if name
        )
    rules = _rules(plan.rules)
    components = COMPONENTS.get(kind)
    if components is not None:
        for values, taken in components(features, model):
            _ruled(scope, values, rules[taken], model.bits, found)
    if kind is Kind.LOCATION:
        found.update(_hash(scope, text) for text in _location(features))
    elif kind is Kind.VEHICLE:
        found.update(_hash(scope, f"bare plate {v.rpartition(':')[2]}") for v in features.get("plate", ()))
    return tuple(sorted(found))


_SPECIAL: Final = frozenset({"address", "point"})
_WITH_ISSUER: Final = frozenset({"plate", "account", "handle"})
"""Numbers that many issuers give out alike: their keys keep the issuer."""


def _mailbox(email: str) -> str:
    """The name before an address's @, where it is long enough to tell: the rest is mistyped as often."""
    name = email.partition("@")[0]
    return name if len(name) >= _LONG else ""


_LONG: Final = 6


def _number(kind: Kind, name: str, value: str) -> str:
    """A number without its issuer, which one of two lists may not know."""
    if kind not in COMPONENTS or name in _WITH_ISSUER or not is_scoped(name):
        return value
    return value.rpartition(":")[2]


def _hash(kind: str, text: str) -> int:
    """A signed 64-bit hash of the kind and ``text``."""
    unsigned = xxhash.xxh3_64_intdigest(f"{kind}\x1f{text}".encode())
    return unsigned - (1 << 64) if unsigned >= 1 << 63 else unsigned


def _ruled(
    kind: str, values: Mapping[str, Component], rules: Sequence[Rule], needed: int, found: set[int]
) -> None:
    """Add the key of each rule that these components satisfy.

    Of components that refine one another only the finest counts towards the bits.
    """
    for base, extension in rules:
        finest: dict[str, int] = {}
        for c in base:
            value = values.get(c)
            if value is None:
                break
            for part, bits in value[1]:
                if bits > finest.get(part, -1):
                    finest[part] = bits
        else:
            chosen = list(base)
            total = sum(finest.values())
            for c in extension:
                if total >= needed:
                    break
                value = values.get(c)
                if value is None or c in chosen:
                    continue
                chosen.append(c)
                for part, bits in value[1]:
                    gain = bits - finest.get(part, 0)
                    if gain > 0:
                        finest[part] = bits
                        total += gain
            if total >= needed:
                chosen.sort()
                found.add(_hash(kind, "\x1f".join([f"{c}={values[c][0]}" for c in chosen])))


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
