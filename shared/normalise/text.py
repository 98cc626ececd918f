"""Text folded to what comparison needs: lower-case ASCII words, whatever script they came in."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from shared.normalise.scripts import romanised

_APOSTROPHES: Final = re.compile(r"['’‘ʼʻ`´ʿʾ′\"]")
_OTHER: Final = re.compile(r"[^a-z0-9]+")
_LETTERS: Final = str.maketrans({"ø": "o", "Ø": "o", "ı": "i", "ъ": "", "ь": "", "Ъ": "", "Ь": ""})


@lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """``text`` as lower-case ASCII words; apostrophes vanish, other marks separate words."""
    if not text.isascii():
        text = anyascii(romanised(unicodedata.normalize("NFKC", text)).translate(_LETTERS))
    return _OTHER.sub(" ", _APOSTROPHES.sub("", text.lower())).strip()


def compact(text: str) -> str:
    """``text`` as upper-case ASCII letters and digits only: the form of most numbers on documents."""
    return fold(text).replace(" ", "").upper()
