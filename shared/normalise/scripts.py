"""Words of scripts that leave vowels out, in Latin letters: by a table of names, else letter by letter."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

_FILE: Final = "data/romanised.csv"
_ARABIC: Final = re.compile(r"[\u0621-\u065f\u0670-\u06d3\u200c]+")
_HEBREW: Final = re.compile(r"[\u05b0-\u05ea]+")
_MARKS: Final = re.compile(r"[\u064b-\u065f\u0670\u0640\u200c\u05b0-\u05c7]")
_SAME_LETTER: Final = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ؤ": "و", "ئ": "ي"}
)
_LETTERS: Final = {
    "ا": "a", "ب": "b", "ت": "t", "ث": "th", "ج": "j", "ح": "h", "خ": "kh", "د": "d", "ذ": "dh", "ر": "r",
    "ز": "z", "س": "s", "ش": "sh", "ص": "s", "ض": "d", "ط": "t", "ظ": "z", "ع": "a", "غ": "gh", "ف": "f",
    "ق": "q", "ك": "k", "ل": "l", "م": "m", "ن": "n", "ه": "h", "و": "w", "ي": "y", "ء": "", "پ": "p",
    "چ": "ch", "ژ": "zh", "گ": "g", "ہ": "h", "ڈ": "d", "ں": "n", "ے": "e", "ٹ": "t", "ڑ": "r", "ھ": "h",
    "א": "a", "ב": "b", "ג": "g", "ד": "d", "ה": "h", "ו": "v", "ז": "z", "ח": "h", "ט": "t", "י": "y",
    "כ": "k", "ך": "k", "ל": "l", "מ": "m", "ם": "m", "נ": "n", "ן": "n", "ס": "s", "ע": "a", "פ": "p",
    "ף": "f", "צ": "ts", "ץ": "ts", "ק": "k", "ר": "r", "ש": "sh", "ת": "t",
}  # fmt: skip
_VOWELS: Final = {"w": "u", "v": "u", "y": "i"}
"""What a letter that stands for a consonant or a long vowel is between consonants and at the end."""


@cache
def _table() -> Mapping[str, str]:
    """The usual Latin form of known words."""
    text = resources.files("shared.normalise").joinpath(_FILE).read_text("utf-8")
    rows = (line.partition(",") for line in text.splitlines() if line and not line.startswith("#"))
    return {word: latin for word, _, latin in rows}


_GREEK: Final = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]+")
_DIGRAPHS: Final = (
    ("ου", "ou"), ("ευ", "ev"), ("αυ", "av"), ("γκ", "g"), ("γγ", "ng"), ("γχ", "nch"), ("χ", "ch"),
    ("υ", "y"),
)  # fmt: skip


def _greek(word: str) -> str:
    """A Greek word with its pairs of letters as they are said: ``Γκουντούλης`` begins with ``Gou``."""
    plain = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))
    for letters, start in (("μπ", "b"), ("ντ", "d")):
        if plain.startswith(letters):
            plain = start + plain[2:]
    for letters, said in _DIGRAPHS:
        plain = plain.replace(letters, said)
    return plain


def romanised(text: str) -> str:
    """``text`` with Arabic and Hebrew words, and Greek pairs of letters, in Latin ones; else as it is."""
    text = _GREEK.sub(lambda m: _greek(m[0]), text)
    return _HEBREW.sub(lambda m: _word(m[0]), _ARABIC.sub(lambda m: _arabic(m[0]), text))


def _arabic(word: str) -> str:
    """An Arabic word, its article apart: ``الزرقاوي`` is ``al zrqawi``."""
    plain = _MARKS.sub("", word).translate(_SAME_LETTER)
    if plain not in _table():
        for article, latin in (("وال", "wa al "), ("لل", "lil "), ("ال", "al ")):
            if plain.startswith(article) and len(plain) > len(article) + 1:
                return latin + _word(plain.removeprefix(article))
    return _word(plain)


def _word(word: str) -> str:
    plain = _MARKS.sub("", word)
    return _table().get(plain) or spelled(plain)


def spelled(word: str) -> str:
    """A word letter by letter: long vowels where no consonant can stand."""
    letters = [_LETTERS.get(c, c) for c in word]
    for i in range(1, len(letters)):
        before, after = letters[i - 1], letters[i + 1] if i + 1 < len(letters) else ""
        if letters[i] in _VOWELS and before not in {"a", "u", "i"} and after not in {"a", "u", "i"}:
            letters[i] = _VOWELS[letters[i]]
    return "".join(letters)
