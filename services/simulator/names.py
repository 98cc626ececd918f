"""The names that the simulated people bear: eight naming cultures, each name with its romanisations.

In ``names.csv`` a name stands as ``first/second/third=original script``: equivalent spellings, the
commonest first. All combinations are made up at random; no real person is meant.
"""

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from random import Random
from typing import Final


@dataclass(frozen=True, slots=True)
class Spelled:
    """One name in its romanisations, and in its own script where that is not Latin."""

    latin: tuple[str, ...]
    script: str = ""


@dataclass(frozen=True, slots=True)
class Culture:
    """A naming culture: how often its people occur, where they come from, and what names are made of."""

    code: str
    share: int
    countries: tuple[str, ...]
    male: tuple[Spelled, ...]
    female: tuple[Spelled, ...]
    family: tuple[Spelled, ...]


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's true name; how a report spells it is up to ``noise.spell``."""

    culture: str
    given: Spelled
    middle: Spelled | None
    family: tuple[Spelled, ...]
    male: bool


_STEMS: Final = (
    "Ash Black Bent Brad Brook Burn Cald Clay Cran Dal East Elm Fair Glen Green Hal Hart Hazel Holl Kings "
    "Lang Lind Mar Mill Nor Oak Pem Ray Red Rock Sand Shel Stan Stone Thorn Wake West Whit Win Wood"
)
_ENDINGS: Final = (
    "worth ford ley ton well wood burn by field man more ridge shaw stead wick er cott land bourne grove"
)


@lru_cache(maxsize=1)
def cultures() -> tuple[Culture, ...]:
    """The naming cultures of ``names.csv``; their shares sum to 100."""
    text = files(__package__).joinpath("names.csv").read_text(encoding="utf-8")
    parts: dict[tuple[str, int], dict[str, str]] = {}
    for row in csv.DictReader(text.splitlines()):
        parts.setdefault((row["culture"], int(row["share"])), {})[row["part"]] = row["names"]
    return tuple(
        Culture(
            code, share, tuple(p["countries"].split()), *(_names(p[k]) for k in ("male", "female", "family"))
        )
        for (code, share), p in parts.items()
    )


def _names(table: str) -> tuple[Spelled, ...]:
    found = []
    for entry in table.split():
        latin, _, script = entry.partition("=")
        found.append(
            Spelled(tuple(s.replace("-", " ") if s[0].islower() else s for s in latin.split("/")), script)
        )
    return tuple(found)


@lru_cache(maxsize=1)
def _compound_families() -> tuple[Spelled, ...]:
    return tuple(Spelled((stem + ending,)) for stem in _STEMS.split() for ending in _ENDINGS.split())


@lru_cache(maxsize=1)
def _deck() -> tuple[Culture, ...]:
    return tuple(c for c in cultures() for _ in range(c.share))


def draw_culture(rng: Random) -> Culture:
    """A naming culture by its share of the population."""
    deck = _deck()
    return deck[int(rng.random() * len(deck))]


def draw_family(rng: Random, culture: Culture) -> Spelled:
    """A family name: few are common, many are rare."""
    if culture.code == "en" and rng.random() < 0.5:
        return rng.choice(_compound_families())
    return _zipf(rng, culture.family)


def draw_name(rng: Random, culture: Culture, families: tuple[Spelled, ...]) -> PersonName:
    """A person's name within a family whose surnames are given."""
    male = rng.random() < 0.72
    given = _zipf(rng, culture.male if male else culture.female)
    middle = None
    if rng.random() < _MIDDLE[culture.code]:
        middle = rng.choice(culture.male if male or culture.code == "ru" else culture.female)
        middle = None if middle == given else middle
        if middle is not None and culture.code == "ru":
            middle = _patronymic(middle, male)
    return PersonName(culture.code, given, middle, families, male)


def _patronymic(father: Spelled, male: bool) -> Spelled:
    def derive(name: str) -> str:
        soft = name[-1] in "iy"
        return (name[:-1] if soft else name) + ("e" if soft else "o") + ("vich" if male else "vna")

    return Spelled(tuple(derive(n) for n in father.latin))


_MIDDLE: Final = {"en": 0.6, "es": 0.4, "ar": 0.5, "ru": 0.7, "zh": 0.0, "vi": 0.7, "ko": 0.0, "pt": 0.3}


def _zipf(rng: Random, values: tuple[Spelled, ...]) -> Spelled:
    """Early values are about four times as frequent as late ones."""
    return values[int(rng.random() ** 1.6 * len(values))]
