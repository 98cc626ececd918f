"""Names of persons: from any script and notation to comparable tokens, with what is known of their order."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from shared.normalise.eastern import join_syllables, split_native
from shared.normalise.text import fold

_TITLES: Final = """
    mr mrs ms miss mx dr prof professor sir dame lord lady rev reverend hon honourable honorable baronet
    bt bart 1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th 13th 14th esq sr sra srta herr frau monsieur
    madame mme mlle signor signora senor senora prasident praesident presidente president gospodin tovarisch
    lic ing arq dna engr sgt lt capt col maj gen cpl det cmdr adm insp supt knight"""
TITLES: Final = frozenset(_TITLES.split())
"""Titles that are never a name, even alone."""

_HONORIFICS: Final = """
    doctor fr judge sen senator rep gov captain colonel major general lieutenant sergeant
    corporal officer agent detective admiral don viscount earl duke baron baroness marquess marquis
    marchioness count countess viscountess duchess
    sheikh shaikh shaykh sheik hajji haji hajj hadji maulavi mawlawi maulawi mullah mulla qari sayyid syed
    ustad imam emir"""
HONORIFICS: Final = TITLES | frozenset(_HONORIFICS.split())
"""Words before or after a name that say little of who it is; dropped unless nothing else would remain."""

SUFFIXES: Final = {
    "jr": "jr", "junior": "jr", "jnr": "jr", "hijo": "jr", "ii": "ii", "2nd": "ii", "iii": "iii",
    "3rd": "iii", "iv": "iv", "4th": "iv", "sr": "sr", "senior": "sr", "snr": "sr", "padre": "sr",
}  # fmt: skip
"""Generational suffixes: they tell father from son."""

_DEGREES: Final = frozenset(
    ["phd", "md", "esq", "esquire", "cpa", "jd", "mba", "dds", "dvm", "rn", "obe", "mbe", "cbe", "kbe"]
)

PARTICLES: Final = frozenset(
    [
        "de",
        "del",
        "dela",
        "la",
        "las",
        "los",
        "el",
        "al",
        "ad",
        "an",
        "ar",
        "as",
        "at",
        "ul",
        "ur",
        "ud",
        "der",
        "den",
        "dem",
        "van",
        "von",
        "vom",
        "zu",
        "zum",
        "zur",
        "ten",
        "ter",
        "te",
        "da",
        "das",
        "do",
        "dos",
        "di",
        "du",
        "des",
        "le",
        "lo",
        "y",
        "e",
        "i",
        "bin",
        "ibn",
        "ben",
        "bint",
        "binti",
        "binte",
        "ould",
        "wuld",
        "abu",
        "abou",
        "umm",
        "bou",
        "st",
        "saint",
        "san",
        "santa",
        "mac",
        "mc",
        "fitz",
        "af",
        "av",
        "zu",
        "na",
        "ap",
        "of",
        "the",
        "and",
        "oglu",
        "ogly",
        "kyzy",
        "qizi",
    ]
)
"""Small words inside names that come and go between spellings: they weigh next to nothing alone."""

SERVANT: Final = "abdul"
"""The word for servant in Arabic names, however it is joined: Abdelkarim, Abd al-Karim, Abdurrahman."""
_SERVANTS: Final = frozenset(
    {"abd", "abdul", "abdel", "abdal", "abdol", "abdoul", "abdur", "abder", "abdus", "abdun"}
)
_ARTICLES: Final = frozenset(
    {"al", "el", "ul", "ar", "er", "ur", "as", "es", "us", "an", "en", "un", "az", "ad"}
)
_SERVANT_OF: Final = re.compile(
    r"^abd(?:ou|[aeoui])(?:l(?!l?ah|la$)|([rsntdz])(?=\1)|(?=rahman|rahim|rashid|salam|samad|nasir))(?=\w{4})"
)
_COMMA: Final = re.compile(r"\s*,\s*")
_BRACKETS: Final = re.compile(r"\(([^)]*)\)|\"([^\"]+)\"|“([^”]+)”")
_CAMEL: Final = re.compile(r"(?<=[a-z]{2})(?=[A-Z][a-z])")
_KEEP_CAMEL: Final = re.compile(r"\b(Mac|Mc|De|Di|La|Le|Van|Fitz|O|D|Du|Des|Von|St)(?=[A-Z])")


class PersonName(NamedTuple):
    """A name's tokens in lower-case ASCII; ``ordered``: it is known which are the family's.

    Where that is not known, all tokens stand in ``given`` in the order written. ``suffix`` is empty or
    one of jr, sr, ii, iii, iv.
    """

    given: tuple[str, ...]
    family: tuple[str, ...]
    suffix: str
    ordered: bool

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens, given names first."""
        return self.given + self.family

    def __str__(self) -> str:
        """Canonical text, the inverse of ``parse``: ``family, given, suffix`` or ``tokens`` as written."""
        if not self.ordered:
            return " ".join(self.given) + (f", , {self.suffix}" if self.suffix else "")
        text = f"{' '.join(self.family)}, {' '.join(self.given)}"
        return f"{text}, {self.suffix}" if self.suffix else text


@lru_cache(maxsize=16_384)
def parse(canonical: str) -> PersonName:
    """The name that ``str(name)`` wrote."""
    parts = canonical.split(", ")
    suffix = parts[2] if len(parts) > 2 else ""
    if len(parts) == 1 or (suffix and not parts[1]):
        return PersonName(tuple(parts[0].split()), (), suffix, ordered=False)
    return PersonName(tuple(parts[1].split()), tuple(parts[0].split()), suffix, ordered=True)


def tokens(text: str) -> tuple[str, ...]:
    """The comparable tokens of a name as written, honorifics and suffixes gone: what search indexes."""
    name = person(text)
    return name.tokens if name else ()


@lru_cache(maxsize=16_384)
def person(
    full: str | None = None, given: str | None = None, family: str | None = None, suffix: str | None = None
) -> PersonName | None:
    """Read a name from its parts; None where nothing of it is legible.

    Given and family name where both are there; else ``full``, which knows its order when it has a comma
    (``García López, Juan``). Tokens of ``full`` that the parts lack are added as given names.
    """
    found = SUFFIXES.get(fold(suffix or ""), "")
    if given and family:
        first, a = _clean(given)
        last, b = _clean(family)
        extra = _extra(full, first, last)
        if first and last:
            return PersonName(first + extra, last, found or b or a, ordered=True)
        full = full or f"{given} {family}"
    text = full or " ".join(p for p in (given, family) if p)
    if not text:
        return None
    parts = [p for p in _COMMA.split(text) if p]
    while len(parts) > 1 and fold(parts[-1]) in SUFFIXES.keys() | _DEGREES:
        found = found or SUFFIXES.get(fold(parts.pop()), "")
    if len(parts) == 2:
        last, a = _clean(parts[0])
        first, b = _clean(parts[1])
        if first and last:
            return PersonName(first, last, found or a or b, ordered=True)
    words, a = _clean(split_native(" ".join(parts)))
    return PersonName(words, (), found or a, ordered=False) if words else None


def _extra(full: str | None, first: tuple[str, ...], last: tuple[str, ...]) -> tuple[str, ...]:
    """The tokens of ``full`` that neither part has: middle names."""
    if not full:
        return ()
    words, _ = _clean(_COMMA.sub(" ", full))
    known = {*first, *last}
    return tuple(w for w in words if w not in known)


@lru_cache(maxsize=16_384)
def _clean(text: str) -> tuple[tuple[str, ...], str]:
    """Tokens without honorifics, brackets and degrees, and the suffix found among them."""
    text = _BRACKETS.sub(" ", text) if _BRACKETS.sub(" ", text).strip() else text
    words = fold(_split_camel(join_syllables(text))).split()
    suffix = ""
    while len(words) > 1 and (words[-1] in SUFFIXES or words[-1] in _DEGREES):
        suffix = SUFFIXES.get(words.pop(), "") or suffix
    core = [w for w in _servants(words) if w not in HONORIFICS]
    kept = core or [w for w in words if w not in TITLES]
    return tuple(kept if all(map(str.isalpha, kept)) else map(_spelled_out, kept)), suffix


_FOR_LETTERS: Final = str.maketrans("01345789", "oieastbg")


def _spelled_out(word: str) -> str:
    """A word with the letters that its digits were read or written for (``sech1n``); no name has digits."""
    letters = sum(map(str.isalpha, word))
    return word.translate(_FOR_LETTERS) if letters > len(word) - letters else word


def _servants(words: list[str]) -> list[str]:
    """``abd al karim``, ``abdel karim`` and ``abdelkarim`` as ``abdul karim``."""
    if not any(w.startswith("abd") for w in words):
        return words
    found: list[str] = []
    for word in words:
        if word in _SERVANTS:
            found.append(SERVANT)
        elif not (found and found[-1] == SERVANT and word in _ARTICLES):
            found += _SERVANT_OF.sub(f"{SERVANT} ", word, count=1).split()
    return found


def _split_camel(text: str) -> str:
    """``SergeiLavrov`` as two words; ``McDonald`` and ``DeLaCruz`` stay whole."""
    if " " in text.strip() or not text.isascii() or text.isupper() or text.islower():
        return text
    return text if _KEEP_CAMEL.search(text) else _CAMEL.sub(" ", text)
