"""What blocking rules are made of: the components of a profile's content, each with its bits of rarity."""

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import product
from typing import Final

from services.fusion.core.model import Model, Table
from services.fusion.core.tokens import sound
from shared.contracts.entities import Kind
from shared.normalise import dates, names, organisations, places
from shared.normalise.eastern import SURNAMES
from shared.normalise.eastern import code as syllables
from shared.normalise.names import PARTICLES
from shared.normalise.nicknames import initials

Features = Mapping[str, tuple[str, ...]]
Component = tuple[str, tuple[tuple[str, int], ...]]
"""A value, and the bits in centibits of each part of the content that it tells."""
Components = Iterable[tuple[Mapping[str, Component], str]]
"""The components of each name, and which rules apply to them."""

NAME: Final = "name"
WORD: Final = "word"
INITIALS: Final = "initials"
PAIR: Final = "pair"
"""What a rule takes: a whole name, one word, one word and the initials of the others, or two words."""

_CUTS: Final = {"a": (1, 3), "b": (1, 4)}
"""Lengths of the beginnings of given and family names that are components."""
_RARE: Final = 1400
"""Bits of a beginning or a sound that the tables do not know."""


class Shares:
    """How common beginnings and sounds of names are, added up from the model's tables."""

    def __init__(self, model: Model) -> None:
        self._tables = {"a": model.tables["given"], "b": model.tables["family"]}
        self.together = model.together
        starts: dict[str, float] = {}
        sounds: dict[str, float] = {}
        for part, table in self._tables.items():
            for word, bits in table.bits.items():
                share = 2.0 ** (-bits / 100)
                for n in _CUTS[part]:
                    key = f"{part}{word[:n]}"
                    starts[key] = starts.get(key, 0.0) + share
                code = code_of(word)
                sounds[code] = sounds.get(code, 0.0) + share / 2
        self._starts = {key: _centibits(share) for key, share in starts.items()}
        self._sounds = {key: _centibits(share) for key, share in sounds.items()}

    def whole(self, part: str, word: str) -> int:
        """Bits of a whole given (a) or family name (b)."""
        return self._tables[part].of(word)

    def start(self, part: str, beginning: str) -> int:
        """Bits of the beginning of one."""
        return self._starts.get(part + beginning, _RARE)

    def sound(self, code: str) -> int:
        """Bits of the sound of either."""
        return self._sounds.get(code, _RARE)


def _centibits(share: float) -> int:
    return max(0, min(_RARE, round(-100 * math.log2(share))))


@lru_cache(maxsize=8)
def shares_of(model: Model) -> Shares:
    """The shares of a model's names."""
    return Shares(model)


def person_components(features: Features, model: Model) -> Components:
    """The components of each of a person's names, with what is known of birth, home and work."""
    common: dict[str, Component] = {}
    for text in features.get("dob", ())[:2]:
        _date(text, common)
    _place(features, model.tables["place"], common)
    for text in features.get("occupation", ())[:1]:
        common["o"] = (text, (("o", 700),))
    shares = shares_of(model)
    texts = (*features.get("name", ()), *features.get("alias", ()))[:8]
    for text in texts:
        values = dict(common)
        words = _name(text, shares, values)
        yield values, NAME
        yield from _tokens(words, shares, common)
        if not common and len(words) > 2:  # nothing else could find Quilla feather
            for i in range(len(words) - 1):
                joined = (*words[:i], words[i] + words[i + 1], *words[i + 2 :])
                yield from _tokens(joined, shares, common)
    if not texts:
        yield common, NAME


def _name(text: str, shares: Shares, values: dict[str, Component]) -> tuple[str, ...]:
    """Put in given name (a), family name (b), their beginnings and the whole (j); the words of the name."""
    name = names.parse(text)
    words = tuple(dict.fromkeys(t for t in name.tokens if t not in PARTICLES))
    if len(words) == 1:  # Ben, in a name of two words, is no particle
        words = tuple(dict.fromkeys(name.tokens))
    if not SURNAMES.isdisjoint(words):
        words = tuple(dict.fromkeys(syllables(t) or t for t in words))
    full = [t for t in words if len(t) > 1]
    if name.ordered:
        first = list(name.given[:1])
        last = [t for t in name.family if t not in PARTICLES][:1] or list(name.family[:1])
    else:
        first, last = full[:1], full[-1:] if len(full) > 1 else []
    for part, found in (("a", first), ("b", last)):
        for word in found:
            values[part] = (word, ((part, shares.whole(part, word)),))
            for n in _CUTS[part]:
                values[f"{part}{n}"] = (word[:n], ((part, shares.start(part, word[:n])),))
    whole = sum(shares.sound(code_of(t)) for t in full) - shares.together * max(0, len(full) - 1)
    values["j"] = (sound("".join(full))[:8], (("j", max(0, whole)),))
    return words[:_WORDS]


def code_of(word: str) -> str:
    """The sound that token rules file a word by; an Arabic article joined to it (Alrashid) is left off."""
    if len(word) > 6 and word.startswith(("al", "el")):
        word = word[2:]
    return sound(word)[:4] or word[:3]


def _tokens(words: tuple[str, ...], shares: Shares, common: Mapping[str, Component]) -> Components:
    """The components of token rules: two words by sound (p, q); one word and the others' initials (p, i)."""
    coded = sorted([(code_of(t), t) for t in words if len(t) > 1])
    values = dict(common)  # one dictionary for all: whoever reads it is done before the next
    for n, (code, word) in enumerate(coded):
        values["p"] = (code, (("p", shares.sound(code)),))
        yield values, WORD
        for found in _others(word, words):
            values["i"] = (found, (("i", 350 * len(found)),))
            yield values, INITIALS
        for other, _ in coded[n + 1 :]:
            values["q"] = (other, (("q", shares.sound(other)),))
            yield values, PAIR


def _others(word: str, words: tuple[str, ...]) -> Iterable[str]:
    """The initials of the other words of a name of two or three, in order; those of its forms too (Bill)."""
    if 1 < len(words) <= _FEW:
        rest = list(words)
        rest.remove(word)
        yield from sorted({"".join(sorted(found)) for found in product(*map(initials, rest))})


_WORDS: Final = 4
"""Words of a name that token rules take."""
_FEW: Final = 3
"""Names of more words seldom agree in all their initials."""


def _date(text: str, values: dict[str, Component]) -> None:
    """Date (d), year (y), month (m), day (dd), month and day (md)."""
    found = dates.parse(text)
    if found is None:
        return
    y, m, dd = ("y", 600), ("m", 350), ("dd", 480)
    values["y"] = (f"{found.year}", (y,))
    if found.month:
        values["m"] = (f"{found.month}", (m,))
    if found.day:
        values["dd"] = (f"{found.day}", (dd,))
        values["md"] = (f"{found.month}-{found.day}", (m, dd))
        values["d"] = (text, (y, m, dd))


def _place(features: Features, table: Table, values: dict[str, Component]) -> None:
    """Postcode (pi), its outward part (po), place (t)."""
    for text in features.get("address", ())[:1]:
        place = places.parse(text)
        if place.postcode:
            values["po"] = (place.postcode[:-3] or place.postcode, (("po", 700),))
            values["pi"] = (place.postcode, (("po", 1300),))
        if place.city:
            values["t"] = (place.city, (("t", table.of(place.city)),))
    for text in features.get("birth_place", ())[:1]:
        values["t"] = (text, (("t", table.of(text)),))


def organisation_components(features: Features, model: Model) -> Components:
    """Sounds of each name: its words in order of rarity (w1 …), the whole (j), the beginning (s)."""
    table = model.tables["word"]
    common: dict[str, Component] = {}
    _place(features, model.tables["place"], common)
    for text in features.get("flag", ()):
        common["f"] = (text, (("f", 300),))
    for text in features.get("country", ())[:1]:
        common["c"] = (text, (("c", model.tables["country"].of(text) // 2),))
    for text in (*features.get("name", ()), *features.get("alias", ()))[:8]:
        name = organisations.parse(text)
        values = dict(common)
        ranked = sorted(((_bits(t, table), code_of(t)) for t in set(name.words)), reverse=True)
        for i, (bits, code) in enumerate(ranked[:4]):
            values[f"w{i + 1}"] = (code, ((f"w{i + 1}", bits),))
        values["j"] = (
            sound("".join(name.words))[:8] or text,
            (("j", sum(b for b, _ in ranked)),),
        )
        values.update(_initials(name.words))
        values["s"] = (sound(name.words[0])[:2] or name.words[0][:2], (("w1", _BEGINNING),))
        yield values, NAME
        for bits, code in ranked[1:_RARE_WORDS]:
            if bits >= model.bits:  # Philips, in Koninklijke Philips, is found by itself
                yield {"w1": (code, (("w1", bits),))}, NAME


def _bits(word: str, table: Table) -> int:
    """Bits of a word of an organisation's name; a letter tells little, though no table has it."""
    return min(table.of(word), _LETTER) if len(word) == 1 else table.of(word)


def _initials(words: tuple[str, ...]) -> Mapping[str, Component]:
    """The initials (n) of a name of three words or more, or the one word that may be such initials."""
    text = "".join(w[0] for w in words) if len(words) > 2 else words[0] if len(words) == 1 else ""
    return {"n": (text, (("n", _INITIAL * len(text)),))} if 3 <= len(text) <= 6 else {}


_LETTER: Final = 350
"""Bits of a single letter."""
_RARE_WORDS: Final = 3
"""Words of an organisation's name that are a key each, where each is rare enough by itself."""
_INITIAL: Final = 420
"""Bits of a letter of initials."""
_BEGINNING: Final = 850
"""Bits of the beginning of an organisation's name: a key by itself in short lists only."""

COMPONENTS: Final = {
    Kind.PERSON: person_components,
    Kind.ORGANIZATION: organisation_components,
    Kind.VESSEL: organisation_components,
}
"""The kinds that rules apply to."""
