"""Words of names: how alike two of them are, and which word of one name answers which of the other."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from shared.normalise.names import PARTICLES
from shared.normalise.nicknames import groups

GIVEN: Final = "g"
FAMILY: Final = "f"
UNKNOWN: Final = "?"

_SOUNDS: Final = (
    ("sch", "s"), ("shch", "s"), ("tsch", "c"), ("tch", "c"), ("kh", "k"), ("gh", "g"), ("zh", "j"),
    ("sh", "s"), ("ch", "c"), ("ph", "f"), ("th", "t"), ("dh", "d"), ("ck", "k"), ("ts", "s"), ("tz", "s"),
    ("dj", "j"), ("q", "k"), ("w", "v"), ("x", "ks"), ("z", "s"),
)  # fmt: skip
_SILENT: Final = re.compile(r"[aeiouyhj]+")
_DOUBLED: Final = re.compile(r"(.)\1+")


class Token(NamedTuple):
    """A word of a name: its role, its bits of rarity in centibits, and what makes it comparable."""

    text: str
    role: str
    bits: int
    forms: frozenset[str]
    sound: str
    particle: bool


class Match(NamedTuple):
    """A word of each side, their level, and the bits of the value: the mean where the two differ."""

    a: str
    b: str
    level: str
    bits: int
    roles: str


@lru_cache(maxsize=65_536)
def sound(text: str) -> str:
    """The consonants of a word, romanisation levelled: ``nooristani`` and ``nuristani`` are ``nrstn``."""
    for spelled, heard in _SOUNDS:
        text = text.replace(spelled, heard)
    return _DOUBLED.sub(r"\1", _SILENT.sub("", text))


@lru_cache(maxsize=65_536)
def token(text: str, role: str, bits: int) -> Token:
    """The comparable form of a word."""
    particle = text in PARTICLES
    worth = _PARTICLE_BITS if particle else _LETTER_BITS if len(text) == 1 else bits
    return Token(text, role, worth, groups().get(text, frozenset()), sound(text), particle)


_PARTICLE_BITS: Final = 30
_LETTER_BITS: Final = 350


RANK: Final = {
    "same": 0, "form": 1, "spelling": 2, "typo": 3, "close": 4, "joined": 5, "initial": 6, "start": 7,
    "alike": 8, "different": 9,
}  # fmt: skip


@lru_cache(maxsize=262_144)
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
    if not a.forms.isdisjoint(b.forms):
        return "form"
    alike = JaroWinkler.similarity(x, y)
    if alike < 0.7:
        return "different"
    distance = OSA.distance(x, y, score_cutoff=4)
    if a.sound == b.sound and distance <= max(1, len(long) // 3) and (len(a.sound) > 2 or alike >= 0.85):
        return "spelling"
    if distance == 1 and len(short) >= 4:
        return "typo"
    if distance == 2 and len(short) >= 7:
        return "close"
    if len(short) >= 3 and long.startswith(short):
        return "start"
    return "alike" if alike >= 0.85 else "different"


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
        bits = max(x.bits, y.bits) if x.particle != y.particle else (x.bits + y.bits) // 2
        found = "particle" if x.particle and y.particle else level(x, y)
        matches.append(Match(x.text, y.text, found, bits, x.role + y.role))
    left[:] = [x for i, x in enumerate(left) if i not in used_left]
    right[:] = [y for j, y in enumerate(right) if j not in used_right]


def _join(
    a: Sequence[Token], b: Sequence[Token], left: list[Token], right: list[Token], matches: list[Match]
) -> None:
    """Pair one word with several that together spell it."""
    for one, many, whole in ((left, right, b), (right, left, a)):
        for x in list(one):
            run = _spelling(x.text, whole)
            if run is None or not any(t in many for t in run):
                continue
            one.remove(x)
            for t in run:
                if t in many:
                    many.remove(t)
            bits = max(x.bits, sum(t.bits for t in run if not t.particle))
            known = sum(m.bits for m in matches if any(t.text in {m.a, m.b} for t in run))
            matches.append(
                Match(
                    x.text,
                    " ".join(t.text for t in run),
                    "joined",
                    max(0, bits - known),
                    x.role + run[0].role,
                )
            )


def _spelling(text: str, words: Sequence[Token]) -> tuple[Token, ...] | None:
    """The two or three neighbouring ``words`` that spell ``text``, give or take one letter."""
    for n in (2, 3):
        for i in range(len(words) - n + 1):
            run = tuple(words[i : i + n])
            joined = "".join(t.text for t in run)
            if joined == text or (
                len(text) >= 8
                and abs(len(joined) - len(text)) <= 1
                and OSA.distance(joined, text, score_cutoff=1) <= 1
            ):
                return run
    return None
