"""How officers write things down: spellings, swapped and partial dates, typing errors."""

from datetime import date
from random import Random
from typing import Any, Final

from services.simulator.names import PersonName, Spelled

_NEAR: Final = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "j": "hk", "k": "jl", "l": "kp", "m": "kn", "n": "bm", "o": "ip", "p": "ol", "r": "et", "s": "ad",
    "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "xs",
}  # fmt: skip
"""Neighbours on the keyboard."""

ADULTS: Final = 2005
"""No slip makes anybody younger than born in this year: children are no subjects of reports."""
_CONFUSED: Final = str.maketrans("O0I1S5B8Z2", "0O1I5S8B2Z")
"""Characters that readers and officers take for one another on a plate."""


def _spelling(rng: Random, name: Spelled) -> str:
    """The commonest romanisation three times in four, otherwise any."""
    if len(name.latin) == 1 or rng.random() < 0.75:
        return name.latin[0]
    return rng.choice(name.latin)


def typo(rng: Random, text: str) -> str:
    """``text`` with one slip: two letters transposed, one left out, doubled or mistyped."""
    if len(text) < 4:
        return text
    at = 1 + int(rng.random() * (len(text) - 2))
    kind = rng.random()
    if kind < 0.35:
        return f"{text[:at]}{text[at + 1]}{text[at]}{text[at + 2 :]}"
    if kind < 0.6:
        return text[:at] + text[at + 1 :]
    if kind < 0.75:
        return text[: at + 1] + text[at:]
    return text[:at] + rng.choice(_NEAR.get(text[at].lower(), "e")) + text[at + 1 :]


def misread(rng: Random, plate: str) -> str:
    """A plate with one confusable character taken for its double, where it has one."""
    places = [i for i, c in enumerate(plate) if c in "O0I1S5B8Z2"]
    if not places:
        return plate
    at = rng.choice(places)
    return plate[:at] + plate[at].translate(_CONFUSED) + plate[at + 1 :]


def written_date(rng: Random, day: date) -> str | None:
    """A birth date as reports give it: whole, partial, swapped, off by a digit, or not at all."""
    draw = rng.random()
    if draw < 0.70:
        return day.isoformat()
    if draw < 0.78:
        return f"{day:%Y}"
    if draw < 0.82:
        return f"{day:%Y-%m}"
    if draw < 0.85 and day.day <= 12:
        return f"{day:%Y-%d-%m}"
    if draw < 0.87:
        year = day.year + rng.choice((-1, 1, 10, -10))
        return f"{min(year, ADULTS)}-{day:%m}-{min(day.day, 28):02d}"
    return None if draw < 0.97 else day.isoformat()


def written_name(rng: Random, name: PersonName, suffix: str) -> dict[str, Any]:
    """The name fields of a person mention, spelled as one of many officers would."""
    given, families = _spelling(rng, name.given), [_spelling(rng, f) for f in name.family]
    family = _family(rng, name.culture, families)
    middle = _middle(rng, name)
    if rng.random() < 0.06:
        family = typo(rng, family) if rng.random() < 0.6 else family
        given = typo(rng, given) if rng.random() < 0.5 else given
    fields: dict[str, Any] = {}
    if rng.random() < 0.35:
        fields["given_names"] = f"{given} {middle}" if middle else given
        fields["family_names"] = family
    else:
        fields["full_name"] = _whole(rng, name.culture, given, middle, family)
    if suffix and rng.random() < 0.7:
        fields["suffix"] = suffix
    if name.given.script and rng.random() < 0.2:
        fields["original_script"] = _script(name)
    if rng.random() < 0.06:
        other = rng.choice(name.given.latin)
        fields["aka"] = [f"{other} {rng.choice(name.family[0].latin)}"]
    return fields


def _family(rng: Random, culture: str, families: list[str]) -> str:
    """Spanish surnames come in twos: both, the first alone, joined by a hyphen, or swapped."""
    if culture != "es" or len(families) < 2:
        return families[0]
    draw = rng.random()
    if draw < 0.60:
        return f"{families[0]} {families[1]}"
    if draw < 0.90:
        return families[0]
    return f"{families[0]}-{families[1]}" if draw < 0.96 else f"{families[1]} {families[0]}"


def _middle(rng: Random, name: PersonName) -> str:
    if name.middle is None:
        return ""
    draw = rng.random()
    if draw < 0.45:
        return ""
    spelled = _spelling(rng, name.middle)
    return spelled if draw < 0.7 or name.culture in ("ru", "vi") else f"{spelled[0]}."


def _whole(rng: Random, culture: str, given: str, middle: str, family: str) -> str:
    """The name in one field: western order, family name first, or in capitals."""
    inner = f"{given} {middle}" if middle else given
    draw = rng.random()
    if culture in ("zh", "ko") and draw < 0.6:
        return f"{family} {given}"
    if culture == "vi" and draw < 0.6:
        return f"{family} {middle} {given}" if middle else f"{family} {given}"
    if draw > 0.85:
        return f"{family.upper()}, {inner.upper()}"
    return f"{inner} {family}".upper() if draw > 0.75 else f"{inner} {family}"


def _script(name: PersonName) -> str:
    family = name.family[0].script
    if not family:
        return name.given.script
    return family + name.given.script if name.culture in ("zh", "ko") else f"{name.given.script} {family}"
