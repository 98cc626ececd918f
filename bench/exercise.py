"""An invented exercise of the size of a national deconfliction pilot, and what must be found in it."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zlib import crc32

from shared.normalise import identifiers

STATES: Final = {
    "TX": (31.0, -99.0), "NM": (34.5, -106.0), "AZ": (34.2, -111.6), "CA": (36.5, -119.5),
    "NV": (39.3, -116.6), "CO": (39.0, -105.5), "OK": (35.5, -97.5), "KS": (38.5, -98.4),
    "LA": (31.0, -92.0), "GA": (32.7, -83.4), "FL": (28.6, -82.4), "IL": (40.0, -89.2),
    "OH": (40.3, -82.8), "NY": (42.9, -75.5), "WA": (47.4, -120.5), "MI": (44.3, -85.4),
}  # fmt: skip
AGENCIES: Final = [f"{state}ZZZ{n:04d}" for n, state in enumerate(list(STATES)[:14], 1)]
KINDS: Final = (
    "SEARCH_WARRANT",
    "ARREST",
    "BUY_BUST",
    "UC_MEET",
    "SURVEILLANCE",
    "CONTROLLED_DELIVERY",
    "RAID",
)
SYLLABLES: Final = [c + v for c in "bcdfgjlmnprstv" for v in "aeiou"]

Entry = tuple[str, dict[str, Any]]
"""An agency and what it submits."""
Pair = frozenset[str]
"""The references of two submissions that must meet."""


@dataclass
class Exercise:
    """Targets, events, and the pairs that must be found among them (``planted``, and ``truth`` in all)."""

    targets: list[Entry] = field(default_factory=list)
    events: list[Entry] = field(default_factory=list)
    planted: set[Pair] = field(default_factory=set)
    truth: set[Pair] = field(default_factory=set)
    phones: list[tuple[str, str]] = field(default_factory=list)


def phone_numbers(rng: random.Random) -> Iterator[str]:
    """Valid numbers of the range for fiction, each once."""
    areas = [a for a in range(201, 990) if identifiers.canonical("PHONE", f"+1{a}5550142").valid]
    numbers = [f"+1{a}55501{n:02d}" for a in areas for n in range(100)]
    rng.shuffle(numbers)
    yield from numbers


def exercise(targets: int, events: int, officers: int, start: datetime, seed: int = 7) -> Exercise:
    """The exercise over the week from ``start``; the same for the same seed."""
    rng = random.Random(seed)
    made = Exercise()
    phones = phone_numbers(rng)
    staff = [
        (AGENCIES[n % 14], f"SYN OFFICER {n:04d}", f"+1915555{100 + n % 100:04d}") for n in range(officers)
    ]
    plants = targets // 40
    for n in range(targets - plants):
        made.targets.append(_target(rng, f"T{n}", staff[n % officers], n, phones))
        made.phones += [
            (made.targets[-1][0], i["value"])
            for i in made.targets[-1][1]["identifiers"]
            if i["type"] == "PHONE"
        ]
    for n, (agency, body) in enumerate(rng.sample(made.targets, plants)):
        other = rng.choice([s for s in staff[:28] if s[0] != agency])
        twin = _base(f"P{n}", other) | _otherwise(rng, body)
        made.targets.append((other[0], twin))
        made.planted.add(frozenset({body["reference"], f"P{n}"}))
    rng.shuffle(made.targets)
    _events(rng, made, (events, staff, start))
    made.truth = made.planted | brute_force(made.events)
    return made


def _base(reference: str, officer: tuple[str, str, str]) -> dict[str, Any]:
    agency, name, phone = officer
    unit = f"{agency[:2]} UNIT {crc32(name.encode()) % 5}"
    return {
        "reference": reference, "unit": unit, "label": f"LABEL {reference}",
        "contact": {"name": name, "phone": phone}, "case_no": f"CASE {reference}",
    }  # fmt: skip


def _name(rng: random.Random) -> str:
    words = ["".join(rng.choices(SYLLABLES, k=3)).title() for _ in range(3)]
    return " ".join(words)


def _target(
    rng: random.Random, reference: str, officer: tuple[str, str, str], n: int, phones: Iterator[str]
) -> Entry:
    born = datetime(1950, 1, 1, tzinfo=UTC) + timedelta(days=n)
    body = _base(reference, officer) | {
        "names": [{"full_name": _name(rng), "birth": born.date().isoformat()}],
        "identifiers": [], "addresses": [],
    }  # fmt: skip
    kind = n % 4
    if kind == 0:
        body["identifiers"] = [{"type": "PASSPORT", "value": f"G{n:08d}", "issuer": "MX"}]
    elif kind == 1:
        body["identifiers"] = [{"type": "PLATE", "value": f"SYN{n:05d}", "issuer": "US-TX"}]
        body["addresses"] = [f"{n} Invented St Apt {n % 9 + 1}, El Paso, TX 79901"]
    else:
        body["identifiers"] = [{"type": "PHONE", "value": next(phones)}]
    return officer[0], body


def _otherwise(rng: random.Random, body: dict[str, Any]) -> dict[str, Any]:
    """One fact of a target as another agency writes it."""
    facts: list[dict[str, Any]] = []
    for i in body["identifiers"]:
        v = i["value"]
        written = f"({v[2:5]}) {v[5:8]}-{v[8:]}" if i["type"] == "PHONE" else f"{v[:3]}-{v[3:]}".lower()
        facts.append({"identifiers": [i | {"value": written}]})
    for x in body["names"]:
        words = x["full_name"].split()
        facts.append({"names": [x | {"full_name": f"{words[-1].upper()}, {' '.join(words[:-1])}"}]})
    facts += [{"addresses": [a.replace("St Apt ", "STREET #")]} for a in body["addresses"]]
    return rng.choice(facts)


def _events(
    rng: random.Random, made: Exercise, plan: tuple[int, list[tuple[str, str, str]], datetime]
) -> None:
    count, staff, start = plan
    plants = count // 25
    for n in range(count - plants):
        lat, lon = rng.choice(list(STATES.values()))
        at = start + timedelta(minutes=rng.randrange(7 * 24 * 60))
        place = (lat + rng.uniform(-1, 1), lon + rng.uniform(-1, 1))
        made.events.append(_event(rng, f"E{n}", rng.choice(staff), at, place))
    for n, (agency, body) in enumerate(rng.sample(made.events, plants)):
        other = rng.choice([s for s in staff[:28] if s[0] != agency])
        at = datetime.fromisoformat(body["starts_at"]) + timedelta(minutes=rng.randrange(-90, 90))
        metres, bearing = rng.uniform(0, 250), rng.uniform(0, 2 * math.pi)
        lat = body["lat"] + metres * math.cos(bearing) / 111_000
        lon = body["lon"] + metres * math.sin(bearing) / 111_000 / math.cos(math.radians(lat))
        made.events.append(_event(rng, f"Q{n}", other, at, (lat, lon)))
        made.planted.add(frozenset({body["reference"], f"Q{n}"}))


def _event(
    rng: random.Random,
    reference: str,
    officer: tuple[str, str, str],
    at: datetime,
    place: tuple[float, float],
) -> Entry:
    body = _base(reference, officer)
    del body["label"]
    ends = at + timedelta(hours=rng.choice([1, 2, 4]))
    return officer[0], body | {
        "type": rng.choice(KINDS), "starts_at": at.isoformat(), "ends_at": ends.isoformat(),
        "lat": place[0], "lon": place[1], "radius_m": rng.choice([290.0, 290.0, 800.0]),
    }  # fmt: skip


def brute_force(events: list[Entry]) -> set[Pair]:
    """Every pair that collides, by the definition and with nothing clever: on a sphere, all against all."""
    rows = sorted(
        (
            datetime.fromisoformat(b["starts_at"]), datetime.fromisoformat(b["ends_at"]), b["lat"], b["lon"],
            b["radius_m"], a, b["unit"], b["reference"],
        )
        for a, b in events
    )  # fmt: skip
    found, padded = set(), timedelta(hours=2)
    for n, one in enumerate(rows):
        for other in rows[n + 1 :]:
            if other[0] - one[1] > padded:
                if other[0] - one[0] > padded + timedelta(hours=4):
                    break
                continue
            if one[5] != other[5] and _haversine(one[2:4], other[2:4]) <= max(one[4], other[4]):
                found.add(frozenset({one[7], other[7]}))
    return found


def _haversine(a: tuple[float, float], b: tuple[float, float]) -> float:
    p, q = math.radians(a[0]), math.radians(b[0])
    h = math.sin((p - q) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(a[1] - b[1]) / 2) ** 2
    return 2 * 6_371_009 * math.asin(math.sqrt(h))
