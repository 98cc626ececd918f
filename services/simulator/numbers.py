"""Identifying numbers with right check digits: VIN, plate, bank routing, CURP, container, IMO, Luhn."""

from datetime import date
from random import Random
from typing import Final

from services.simulator.names import PersonName

_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
_VIN_VALUES: Final = {c: int(c) for c in "0123456789"} | dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ",
        (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
        strict=True,
    )
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_YEARS: Final = "456789ABCDEFGHJKLMNPRS"
_CURP_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
_PLAIN: Final = str.maketrans("ÁÉÍÓÚÜÑáéíóúüñ", "AEIOUUXaeiouux")


def luhn(payload: str) -> str:
    """``payload`` with its Luhn check digit (IMEI, ICCID)."""
    total = 0
    for position, char in enumerate(reversed(payload)):
        value = int(char) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{payload}{-total % 10}"


def plate(rng: Random) -> str:
    """A plate of three letters and four digits."""
    n = int(rng.random() * 23**3 * 10_000)
    letters, digits = divmod(n, 10_000)
    a, rest = divmod(letters, 529)
    b, c = divmod(rest, 23)
    return f"{_LETTERS[a]}{_LETTERS[b]}{_LETTERS[c]}{digits:04d}"


def vin(rng: Random, year: int) -> str:
    """A vehicle identification number with its check digit (49 CFR 565)."""
    head = rng.choice(("1FT", "1GC", "2T1", "3VW", "4T1", "5N1", "JHM", "KND"))
    middle = "".join(rng.choices("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", k=5))
    tail = f"{_VIN_YEARS[min(max(year - 2004, 0), 21)]}{rng.choice(_LETTERS)}{int(rng.random() * 1e6):06d}"
    bare = f"{head}{middle}0{tail}"
    rest = sum(_VIN_VALUES[c] * w for c, w in zip(bare, _VIN_WEIGHTS, strict=True)) % 11
    return f"{head}{middle}{'X' if rest == 10 else rest}{tail}"


def aba(which: int) -> str:
    """An invented bank's routing number with its check digit."""
    digits = f"11190{which:03d}"
    total = sum(int(d) * (3, 7, 1)[i % 3] for i, d in enumerate(digits))
    return f"{digits}{-total % 10}"


def curp(rng: Random, name: PersonName, born: date) -> str:
    """A Mexican population registry code of this name, birth date and a check digit."""
    first, second = (_plain(f.latin[0]) for f in (*name.family, *name.family)[:2])
    given = _plain(name.given.latin[0])
    vowel = next((c for c in first[1:] if c in "AEIOU"), "X")
    consonants = "".join(
        next((c for c in part[1:] if c not in "AEIOU"), "X") for part in (first, second, given)
    )
    state = rng.choice(("CH", "BC", "TS", "SL", "JC", "SR", "NL"))
    century = "0" if born.year < 2000 else "A"
    initials, sex = f"{first[0]}{vowel}{second[0]}{given[0]}", "H" if name.male else "M"
    bare = f"{initials}{born:%y%m%d}{sex}{state}{consonants}{century}"
    total = sum((18 - i) * _CURP_ALPHABET.index(c) for i, c in enumerate(bare))
    return f"{bare}{-total % 10}"


def _plain(name: str) -> str:
    letters = "".join(c for c in name.translate(_PLAIN).upper() if "A" <= c <= "Z")
    return letters or "X"


def container(rng: Random) -> str:
    """A freight container number with its check digit (ISO 6346)."""
    bare = f"{rng.choice(('SYN', 'IVT', 'QXZ'))}U{int(rng.random() * 1e6):06d}"
    total = 0
    for i, char in enumerate(bare):
        value = int(char) if char.isdigit() else _container_value(char)
        total += value << i
    return f"{bare}{total % 11 % 10}"


def _container_value(char: str) -> int:
    """Letters count from 10, passing over the multiples of 11."""
    value = 10
    for _ in range(ord(char) - ord("A")):
        value += 1
        if value % 11 == 0:
            value += 1
    return value + (1 if value % 11 == 0 else 0)


def imo(rng: Random) -> str:
    """A ship's IMO number with its check digit."""
    bare = f"{int(rng.random() * 900_000) + 100_000}"
    return f"{bare}{sum(int(d) * (7 - i) for i, d in enumerate(bare)) % 10}"
