"""Countries by their names in several languages, as ISO 3166 codes of two letters."""

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


@lru_cache(maxsize=16_384)
def country(text: str) -> str:
    """The code of a country given by code or name; another text as it is, folded."""
    plain = fold(text)
    if len(plain) == 2:
        return plain.upper()
    return _codes().get(plain.removeprefix("the "), plain)
