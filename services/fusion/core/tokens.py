"""Words of names: how alike two of them are, and which word of one name answers which of the other."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from shared.normalise.eastern import code
from shared.normalise.names import PARTICLES
from shared.normalise.nicknames import groups

GIVEN: Final = "g"
FAMILY: Final = "f"
UNKNOWN: Final = "?"

_SOUNDS: Final = (
    ("tsch", "c"), ("shch", "s"), ("sch", "s"), ("dzh", "j"), ("tch", "c"), ("dsch", "j"),
    ("kh", "k"), ("gh", "g"), ("zh", "j"),
    ("sh", "s"), ("ch", "c"), ("ph", "f"), ("th", "t"), ("dh", "d"), ("ck", "k"), ("ts", "s"), ("tz", "s"),
    ("dj", "j"), ("q", "k"), ("w", "v"), ("x", "ks"), ("z", "s"),
)  # fmt: skip
_SILENT: Final = re.compile(r"[aeiouyhj]+")
_DOUBLED: Final = re.compile(r"(.)\1+")


class Token(NamedTuple):
    """A word of a name: its role, its bits of rarity in centibits, and what makes it comparable.

    ``code``: the levelled syllables of a word of a Chinese or Korean name, empty for others.
    """

    text: str
    role: str
    bits: int
    forms: frozenset[str]
    sound: str
    particle: bool
    code: str = ""


class Match(NamedTuple):
    """A word of each side, their level, and the bits of the value: of two spellings the mean."""

    a: str
    b: str
    level: str
    bits: int
    roles: str


@lru_cache(maxsize=32_768)
def sound(text: str) -> str:
    """The consonants of a word, romanisation levelled: ``nooristani`` and ``nuristani`` are ``nrstn``."""
    for spelled, heard in _SOUNDS:
        text = text.replace(spelled, heard)
    return _DOUBLED.sub(r"\1", _SILENT.sub("", text))


@lru_cache(maxsize=32_768)
def token(text: str, role: str, bits: int) -> Token:
    """The comparable form of a word."""
    particle = text in PARTICLES
    worth = _PARTICLE_BITS if particle else _LETTER_BITS if len(text) == 1 else bits
    heard = sound(text[2:] if len(text) > 6 and text.startswith(("al", "el")) else text)
    return Token(text, role, worth, groups().get(text, frozenset()), heard, particle)


@lru_cache(maxsize=16_384)
def eastern(word: Token) -> Token:
    """A word of a Chinese or Korean name, comparable by its syllables too."""
    levelled = code(word.text) if len(word.text) > 2 else ""
    return word._replace(forms=word.forms | {f"~{levelled}"}, code=levelled) if levelled else word


_PARTICLE_BITS: Final = 30
_LETTER_BITS: Final = 350


RANK: Final = {
    "same": 0, "form": 1, "spelling": 2, "typo": 3, "close": 4, "joined": 5, "initial": 6, "start": 7,
    "other sex": 8, "alike": 8, "different": 9,
}  # fmt: skip


@lru_cache(maxsize=32_768)
def level(a: Token, b: Token) -> str:  # noqa: PLR0911  # one return for each level
    """How alike two words are: a key of ``RANK``."""
    x, y = a.text, b.text
    if x == y:
        return "same"
    short, long = (x, y) if len(x) <= len(y) else (y, x)
    if len(short) == 1:
        return "initial" if long[0] == short else "different"
    if x.isdigit() or y.isdigit():
        return "different"
    one_name = not a.forms.isdisjoint(b.forms) and _one_name(a, b)
    alike = JaroWinkler.similarity(x, y)
    if alike < 0.7 and (a.sound != b.sound or len(a.sound) <= 3):
        return "form" if one_name else "different"
    found = _spelled(a, b, alike, OSA.distance(x, y, score_cutoff=8))
    if one_name:
        return "spelling" if found == "spelling" else "form"
    if found and found != "other sex" and _syllabic(a) and _syllabic(b):
        return "alike"
    known = max(a.bits, b.bits) < _KNOWN
    if found:
        return "different" if found == "typo" and known else found
    if len(short) >= 3 and long.startswith(short):
        return "start"
    return "alike" if alike >= 0.85 and not known else "different"


def _one_name(a: Token, b: Token) -> bool:
    """Whether two forms stand for one name: all that one can stand for, the other can; Fred is no Will."""
    shared = a.forms & b.forms
    return (
        a.sound == b.sound
        or len(shared) in {2, 3, min(len(a.forms), len(b.forms))}
        or not shared.isdisjoint({a.text, b.text, f"~{code(a.text)}"})
    )


def _spelled(a: Token, b: Token, alike: float, distance: int) -> str:
    """The level of two words that differ in letters; empty where they differ in too many."""
    shorter, longer = sorted((len(a.text), len(b.text)))
    if a.sound == b.sound and (len(a.sound) > 2 or alike >= 0.85) and distance <= _spread(a.sound, longer):
        return "other sex" if _other_sex(a, b) else "spelling"
    if distance == 1 and shorter >= 4:
        return "typo"
    return "close" if distance == 2 and shorter >= 7 else ""


def _spread(heard: str, length: int) -> int:
    """Letters in which two spellings of one sound may differ: romanisations of long names differ in many."""
    return max(1, length // (2 if len(heard) > 3 else 3))


def _other_sex(a: Token, b: Token) -> bool:
    """Whether one is the other's feminine, and both are known names that are none of a family: Roberta."""
    short, long = (a, b) if len(a.text) < len(b.text) else (b, a)
    if long.text != short.text.removesuffix("o") + "a" or short.text.endswith(("ov", "ev", "sky", "ski")):
        return False
    return FAMILY not in {a.role, b.role} and all(t.bits < _KNOWN or t.forms for t in (a, b))


_KNOWN: Final = 1400
"""Bits below which a name is in the tables for certain."""


def _syllabic(word: Token) -> bool:
    """Whether a word belongs to a Chinese or Korean name: there another syllable is another name."""
    return bool(word.code)


class Alignment(NamedTuple):
    """The words that answer each other, and those that answer none, of either side."""

    matches: list[Match]
    left: list[Token]
    right: list[Token]


def align(a: Sequence[Token], b: Sequence[Token]) -> Alignment:
    """Pair the words of two names, best level first, then words of one role, then in order."""
    left, right = list(a), list(b)
    matches: list[Match] = []
    for x in a:
        for y in right:
            if x.text == y.text:
                matches.append(Match(x.text, y.text, "same", min(x.bits, y.bits), x.role + y.role))
                left.remove(x)
                right.remove(y)
                break
    if left and right:
        _join(a, b, left, right, matches)
    if left and right:
        _pair(left, right, matches)
    return Alignment(matches, left, right)


def _pair(left: list[Token], right: list[Token], matches: list[Match]) -> None:
    """Pair what is alike but not equal."""
    ranked = []
    for i, x in enumerate(left):
        for j, y in enumerate(right):
            rank = RANK[level(x, y)]
            if rank < 8:
                ranked.append((rank, x.role != y.role, abs(i - j), i, j))
    ranked.sort()
    used_left: set[int] = set()
    used_right: set[int] = set()
    for _, _, _, i, j in ranked:
        if i in used_left or j in used_right:
            continue
        used_left.add(i)
        used_right.add(j)
        x, y = left[i], right[j]
        found = "particle" if x.particle and y.particle else level(x, y)
        if x.particle != y.particle:
            bits = max(x.bits, y.bits)
        else:
            bits = min(x.bits, y.bits) if found == "form" else (x.bits + y.bits) // 2
        matches.append(Match(x.text, y.text, found, bits, x.role + y.role))
    left[:] = [x for i, x in enumerate(left) if i not in used_left]
    right[:] = [y for j, y in enumerate(right) if j not in used_right]


def _join(
    a: Sequence[Token], b: Sequence[Token], left: list[Token], right: list[Token], matches: list[Match]
) -> None:
    """Pair one word with several that together spell it."""
    for one, many, whole in ((left, right, b), (right, left, a)):
        if len(whole) < 2:
            continue
        lengths = [len(t.text) for t in whole]
        for x in tuple(one):
            run = _spelling(x, whole, lengths)
            if run is None or not any(t in many for t in run):
                continue
            one.remove(x)
            for t in run:
                if t in many:
                    many.remove(t)
            bits = max(x.bits, sum(t.bits for t in run if not t.particle))
            known = sum(m.bits for m in matches if any(t.text in {m.a, m.b} for t in run))
            spelled = " ".join(t.text for t in run)
            matches.append(Match(x.text, spelled, "joined", max(0, bits - known), x.role + run[0].role))


def _spelling(one: Token, words: Sequence[Token], lengths: Sequence[int]) -> tuple[Token, ...] | None:
    """The two or three neighbouring ``words`` that spell ``one``, give or take one letter or by syllables;
    ``lengths`` are the words'."""
    text = one.text
    length, slack = len(text), int(len(text) >= _LONG)
    for n in (2, 3):
        for i in range(len(words) - n + 1):
            near = -slack <= sum(lengths[i : i + n]) - length <= slack
            if not near and not one.code:
                continue
            run = tuple(words[i : i + n])
            joined = "".join([t.text for t in run])
            if (
                joined == text
                or (one.code and code(joined) == one.code)
                or (near and slack and OSA.distance(joined, text, score_cutoff=1) <= 1)
            ):
                return run
    return None


_LONG: Final = 8
"""Letters from which two words may spell a third with one letter wrong."""
