"""Countries by their names in several languages, as ISO 3166 codes of two letters."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from shared.normalise.text import fold

_FILE: Final = "data/countries.csv"


@cache
def _codes() -> Mapping[str, str]:
    text = resources.files("shared.normalise").joinpath(_FILE).read_text("utf-8")
    rows = (line.split(",") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: code for code, *names in rows for name in names}


_CODES: Final = {"UK": "GB"}
"""Codes that are written for another."""
_BRACKETED: Final = re.compile(r"\([^)]*\)")


@lru_cache(maxsize=16_384)
def country(text: str) -> str:
    """The code of a country given by code, name or the word for its nationals; another text as it is, folded.

    Names may be turned around or have an addition: ``Korea, North``, ``Bolivia (Plurinational State of)``.
    """
    plain = fold(text)
    if len(plain) == 2:
        return _CODES.get(plain.upper(), plain.upper())
    codes = _codes()
    found = codes.get(plain.removeprefix("the "))
    if found is None:
        first, comma, rest = text.partition(",")
        turned = (_BRACKETED.sub(" ", text), f"{rest} {first}", first) if comma or "(" in text else ()
        found = next((codes[t] for t in map(fold, turned) if t in codes), None)
    return found or plain


def is_country(text: str) -> bool:
    """Whether ``text`` names a country, by more than two letters."""
    return len(text.strip()) > 2 and len(country(text)) == 2
