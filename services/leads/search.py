"""What a profile can be found by: its identifiers, and phonetic keys of its names. Pure.

Keys combine words, and words with the year of birth, so that common names stay selective; one code for
both databases.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Final

import jellyfish
import xxhash
from rapidfuzz import fuzz

from shared.contracts.entities import Kind
from shared.normalise import dates, names
from shared.normalise.text import fold

NAMED: Final = frozenset({Kind.PERSON, Kind.ORGANIZATION, Kind.VESSEL})
"""The kinds that are found by name."""
TIED: Final = frozenset({
    "phone", "imei", "meid", "imsi", "iccid", "mac", "email", "handle", "ip", "domain", "url", "wallet",
    "hash", "plate", "vin", "iban", "account",
})  # fmt: skip
"""Identifiers that name a thing of their own; persons and organisations hold them by a tie."""
_NAMES: Final = ("name", "alias")
_DESCRIPTIVE: Final = frozenset({
    "name", "alias", "dob", "sex", "country", "birth_place", "occupation", "registered", "make", "model",
    "year", "colour", "flag", "type", "address", "point", "port", "mile", "county", "area", "ncii",
})  # fmt: skip
"""Features that do not identify; every other is an identifier, named by its type."""
_WORDS: Final = 8
"""Words of a name that make keys."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search by name: its words, and the date of birth as far as it is known."""

    words: tuple[str, ...]
    birth: str | None = None

    @property
    def text(self) -> str:
        """The words as one text."""
        return " ".join(self.words)

    @property
    def keys(self) -> list[list[int]]:
        """Search keys, in groups from the most to the least selective."""
        sounds = _sounds(self.words)
        years = [f"{s}@{self.birth[:4]}" for s in sounds] if self.birth else []
        pairs = [f"{a}|{b}" for a, b in combinations(sounds, 2)]
        return [[_hash(k) for k in group] for group in (pairs, years, sounds) if group]


def identifiers(features: Mapping[str, Iterable[str]]) -> list[str]:
    """The identifiers among a profile's features, as ``type:value``."""
    return sorted(f"{name}:{v}" for name, vs in features.items() if name not in _DESCRIPTIVE for v in vs)


def name_keys(kind: Kind, features: Mapping[str, Sequence[str]]) -> list[int]:
    """The keys under which a profile is found by name."""
    if kind not in NAMED:
        return []
    years = {d[:4] for d in features.get("dob", ())}
    keys: set[str] = set()
    for words in written_names(features):
        sounds = _sounds(words)
        keys.update(sounds)
        keys.update(f"{a}|{b}" for a, b in combinations(sounds, 2))
        keys.update(f"{s}@{year}" for s in sounds for year in years)
    return sorted({_hash(k) for k in keys})


def written_names(features: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """The names and other names of a profile, each as its words."""
    return [tuple(fold(v).split()) for feature in _NAMES for v in features.get(feature, ())]


def query(name: str, birth: str | None) -> Query | None:
    """Read a search; None where the name has no legible word. ``birth`` is YYYY, YYYY-MM or YYYY-MM-DD."""
    words = names.tokens(name) or tuple(fold(name).split())
    parsed = dates.parse(birth) if birth else None
    return Query(words, str(parsed) if parsed else birth) if words else None


def likeness(wanted: Query, features: Mapping[str, Sequence[str]]) -> int:
    """How well a profile answers, 0 to 100: its best name, less where the birth date differs."""
    best = max((_name_likeness(wanted.text, " ".join(w)) for w in written_names(features)), default=0.0)
    known = features.get("dob", ())
    if not wanted.birth or not known:
        return round(best if not wanted.birth else best * 0.9)
    agree = max(_birth_likeness(wanted.birth, d) for d in known)
    return round(best * (0.5 + 0.5 * agree))


def _name_likeness(a: str, b: str) -> float:
    """Words in any order, a missing one forgiven in part."""
    return 0.6 * fuzz.token_sort_ratio(a, b) + 0.4 * fuzz.token_set_ratio(a, b)


def _birth_likeness(a: str, b: str) -> float:
    """1 where one date is the other or begins it; less for another day, 0 for another year."""
    if a.startswith(b) or b.startswith(a):
        return 1.0
    return 0.5 if a[:4] == b[:4] else 0.0


def _sounds(words: Iterable[str]) -> list[str]:
    return sorted({_sound(w) for w in list(words)[:_WORDS]})


@lru_cache(maxsize=65_536)
def _sound(word: str) -> str:
    return jellyfish.metaphone(word) or word


def _hash(key: str) -> int:
    return xxhash.xxh3_64_intdigest(key.encode()) >> 1
