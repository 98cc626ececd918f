"""Names of organisations: words, and the legal form apart."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Final, NamedTuple

from shared.normalise.text import fold

_FILE: Final = "data/legal_forms.csv"
_LONGEST: Final = 8
_SMALL: Final = frozenset(
    {"the", "of", "and", "for", "de", "la", "el", "los", "las", "del", "y", "et", "und", "le", "les", "da",
     "do", "e", "a", "an", "in", "al", "ul", "lil", "wa", "number", "no", "nr", "du", "des",
     "dei", "di", "dell"}
)  # fmt: skip
_ONES: Final = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen twenty"""
FRAMES: Final = frozenset({"group", "holdings", "company"})
"""Words that one list writes and another leaves out."""
NAMES_TOO: Final = frozenset({"dell", "e"})
"""Small words that, first in a name, are names."""
_NUMBERS: Final = {w: str(n) for n, w in enumerate(_ONES.split())} | {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "1st": "1", "2nd": "2",
    "3rd": "3", "4th": "4", "5th": "5", "1er": "1", "primer": "1", "primera": "1",
}  # fmt: skip
_TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_SPELLINGS: Final = {
    "organisation": "organization", "centre": "center", "intl": "international", "int": "international",
    "bros": "brothers", "mfg": "manufacturing", "svcs": "services", "svc": "services", "serv": "services",
    "assn": "association", "assoc": "association", "dept": "department", "govt": "government",
    "natl": "national", "univ": "university", "mgmt": "management", "hldgs": "holdings", "hldg": "holdings",
    "holding": "holdings", "grp": "group", "gruppe": "group", "grupo": "group", "groupe": "group",
    "tech": "technology", "technologies": "technology", "ind": "industries", "industry": "industries",
    "inds": "industries", "transportes": "transport", "trans": "transport", "comercializadora": "trading",
    "usa": "us", "banking": "bank", "banco": "bank", "banque": "bank", "amp": "and", "labour": "labor",
    "defence": "defense", "st": "saint",
}  # fmt: skip


_FILED: Final = re.compile(r"\s*[/\\]\s*[a-z]{2,3}\s*([/\\]?)\s*$", re.IGNORECASE)
"""What a registry of filings writes behind a name that it holds twice: ``/DE/``, ``/NEW/``, ``/CA``."""
_GLUED: Final = re.compile(r"(?<=[a-z]{3})(?=[A-Z]{2,4}\b)")


def _filed(text: str) -> str:
    """The name before a registry's mark; a word with two letters behind one slash stays whole: ``AP/MA``."""
    mark = _FILED.search(text)
    if mark is None or not (mark[1] or " " in text[: mark.start()].strip()):
        return text
    return text[: mark.start()] or text


def _glued(text: str) -> str:
    """``SiemensAG`` as two words."""
    return _GLUED.sub(" ", text) if not text.isupper() else text


_NATIVE_FORMS: Final = re.compile(
    "股份有限公司|有限责任公司|有限責任公司|有限公司|公司|株式会社|有限会社|合同会社|주식회사|유한회사"
)
"""Legal forms of scripts that write words together."""


class OrganisationName(NamedTuple):
    """The words of a name in lower-case ASCII, and its legal form (a short form of the table, or empty)."""

    words: tuple[str, ...]
    form: str

    def __str__(self) -> str:
        """Canonical text, the inverse of ``parse``: ``acme trucking, llc``."""
        return f"{' '.join(self.words)}, {self.form}" if self.form else " ".join(self.words)


@cache
def legal_forms() -> Mapping[tuple[str, ...], str]:
    """Each spelling of a legal form, as words, and its short form."""
    found: dict[tuple[str, ...], str] = {}
    text = resources.files("shared.normalise").joinpath(_FILE).read_text("utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            head, *spellings = line.split(",")
            for spelling in (head, *spellings):
                found[tuple(spelling.split())] = head
    return found


@lru_cache(maxsize=16_384)
def organisation(text: str) -> OrganisationName | None:
    """Read an organisation's name; None where nothing of it is legible."""
    words = (
        fold(_NATIVE_FORMS.sub(r" \g<0> ", _glued(_filed(text)).replace("&", " and ")))
        .replace("united states", "us")
        .split()
    )
    if words and words[0] == "the" and len(words) > 1:
        words = words[1:]
    words, form = _strip_form(words)
    words, again = _strip_form(_join_letters(words))
    plain = _numbers([_SPELLINGS.get(w, w) for w in words])
    kept = [w for i, w in enumerate(plain) if w not in _SMALL or (not i and w in NAMES_TOO)]
    core = tuple(kept or plain)
    return OrganisationName(core, again if form in {"", "co"} and again else form) if core else None


@lru_cache(maxsize=16_384)
def parse(canonical: str) -> OrganisationName:
    """The name that ``str(name)`` wrote."""
    words, _, form = canonical.partition(", ")
    return OrganisationName(tuple(words.split()), form)


def _join_letters(words: list[str]) -> list[str]:
    """``a b c company`` (from A.B.C.) as ``abc company``."""
    found: list[str] = []
    run = ""
    for word in [*words, ""]:
        if len(word) == 1 and word.isalpha():
            run += word
            continue
        if run:
            found.append(run)
            run = ""
        if word:
            found.append(word)
    return found


def _strip_form(words: list[str]) -> tuple[list[str], str]:
    """Take the legal form off the end, else off the beginning; a name never loses its last word."""
    forms = legal_forms()
    form = ""
    stripped = True
    while stripped and len(words) > 1:
        stripped = False
        for n in range(min(_LONGEST, len(words) - 1), 0, -1):
            short = forms.get(tuple(words[-n:])) or (forms.get(("".join(words[-n:]),)) if n < 4 else None)
            if short:
                form, words, stripped = (form if form and short == "co" else short), words[:-n], True
                break
    for n in range(min(_LONGEST, len(words) - 1), 0, -1):
        short = forms.get(tuple(words[:n]))
        if short and (not form or len(words[0]) > 2) and (n > 1 or words[0] not in _WORDS_TOO):
            return words[n:], form or short
    return words, form


_WORDS_TOO: Final = frozenset({"sa", "as", "co", "at", "se", "ad", "no", "company", "limited", "corporation"})
"""Legal forms that, first in a name, are words or places rather than forms."""
_ROMANS: Final = "ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx"
_ROMAN: Final = {r: str(n) for n, r in enumerate(_ROMANS.split(), 2)}


def _numbers(words: list[str]) -> list[str]:
    """Number words as digits: ``forty four`` → ``44``, ``first`` → ``1``."""
    found: list[str] = []
    for i, word in enumerate(words):
        if i and word in _ROMAN:
            found.append(_ROMAN[word])
        elif word in _TENS:
            found.append(str(_TENS[word]))
        elif word in _NUMBERS:
            digit = _NUMBERS[word]
            tens = found[-1] if found else ""
            if len(digit) == 1 and tens in {"20", "30", "40", "50", "60", "70", "80", "90"}:
                found[-1] = str(int(tens) + int(digit))
            else:
                found.append(digit)
        else:
            found.append(word)
    return found


_VESSEL_PREFIXES: Final = frozenset(
    {"mv", "mt", "ms", "ss", "sv", "fv", "my", "rv", "tb", "hms", "uss", "mn", "fpv"}
)


_FORMER: Final = re.compile(r"^\s*(?:ex|formerly|f\.?k\.?a\.?|now)[\s:.-]+", re.IGNORECASE)


@lru_cache(maxsize=16_384)
def vessel(text: str) -> OrganisationName | None:
    """Read a ship's name: without its prefix (M/V), never with a legal form."""
    words = _join_letters(fold(_FORMER.sub("", text).replace("/", "")).split())
    if len(words) > 1 and words[0] in _VESSEL_PREFIXES:
        words = words[1:]
    plain = tuple(_numbers(words))
    return OrganisationName(plain, "") if plain else None
