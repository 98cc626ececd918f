"""Blocking keys: a profile's, from its content and the model alone.

A rule takes base components, then extends with the next component that is present until the key is rare
enough; the key is a hash of the set of (component, value), so agreeing mentions extend alike.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import orjson
import xxhash

from services.fusion.core.compare_values import PAPERS
from services.fusion.core.components import COMPONENTS, INITIALS, NAME, PAIR, WORD, Component, Features
from services.fusion.core.model import Model
from services.fusion.core.profile import Profile
from shared.contracts.entities import Kind
from shared.normalise import places
from shared.normalise.identifiers import is_scoped

_NAMES: Final = frozenset("abpq")
"""Parts of a person's content that are names."""


class Rule(NamedTuple):
    """The base components, all needed, and the order in which a key is extended.

    ``twice``: how many names the base has beyond the first.
    """

    base: tuple[str, ...]
    extension: tuple[str, ...]
    twice: int


@lru_cache(maxsize=256)
def rule(text: str) -> Rule:
    """Read ``base | extension``."""
    needed, _, more = text.partition("|")
    base = tuple(needed.split())
    named = len({c[0] for c in base if c.rstrip("0123456789") in _NAMES})
    return Rule(base, tuple(c for c in more.split() if c not in base), max(0, named - 1))


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
        _hash(scope, f"{_paper(kind, name)}:{_number(kind, name, value)}")
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
            _ruled(scope, values, rules[taken], (model.bits, model.together), found)
    if kind is Kind.LOCATION:
        found.update(_hash(scope, text) for text in _location(features))
    return tuple(sorted(found))


_SPECIAL: Final = frozenset({"address", "point"})
_WITH_ISSUER: Final = frozenset({"plate", "account", "handle"})
"""Numbers that many issuers give out alike: the keys of who holds them keep the issuer."""


def _mailbox(email: str) -> str:
    """The name before an address's @, where it is long enough to tell: the rest is mistyped as often."""
    name = email.partition("@")[0]
    return name if len(name) >= _LONG else ""


_LONG: Final = 6


def _paper(kind: Kind, name: str) -> str:
    """The type of a number; one for all papers and registers, which agencies do not tell apart alike."""
    return "paper" if name in _PAPERS and kind in COMPONENTS else name


_PAPERS: Final = frozenset(PAPERS)


def _number(kind: Kind, name: str, value: str) -> str:
    """A number without its issuer, which one of two lists, or a plate reader, may not know."""
    kept = name in _WITH_ISSUER if kind in COMPONENTS else kind is not Kind.VEHICLE
    if kept or not is_scoped(name):
        return value
    return value.rpartition(":")[2]


def _hash(kind: str, text: str) -> int:
    """A signed 64-bit hash of the kind and ``text``."""
    unsigned = xxhash.xxh3_64_intdigest(f"{kind}\x1f{text}".encode())
    return unsigned - (1 << 64) if unsigned >= 1 << 63 else unsigned


def _ruled(
    kind: str,
    values: Mapping[str, Component],
    rules: Sequence[Rule],
    rare: tuple[int, int],
    found: set[int],
) -> None:
    """Add the key of each rule that these components satisfy; ``rare`` is the model's bits and together.

    Of components that refine one another only the finest counts towards the bits, and of two names less
    than their sum.
    """
    for one in rules:
        chosen = _chosen(values, one, rare)
        if chosen:
            found.add(_hash(kind, "\x1f".join([f"{c}={values[c][0]}" for c in chosen])))


def _chosen(values: Mapping[str, Component], one: Rule, rare: tuple[int, int]) -> list[str] | None:
    """The components of a rule's key, sorted; None where one is missing or all are not rare enough."""
    needed, together = rare
    finest: dict[str, int] = {}
    total = -together * one.twice
    for c in one.base:
        value = values.get(c)
        if value is None:
            return None
        for part, bits in value[1]:
            gain = bits - finest.get(part, 0)
            if gain > 0:
                finest[part] = bits
                total += gain
    chosen = list(one.base)
    for c in one.extension:
        if total >= needed:
            break
        value = values.get(c)
        if value is None:
            continue
        chosen.append(c)
        for part, bits in value[1]:
            gain = bits - finest.get(part, 0)
            if gain > 0:
                another = part in _NAMES and part not in finest and not _NAMES.isdisjoint(finest)
                total += gain - together if another else gain
                finest[part] = bits
    return sorted(chosen) if total >= needed else None


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
