"""SOD's reports: target identifiers, toll records, intercept summaries, tips, nexus statements."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from services.simulator.envelope import Slip, envelope, stamp
from services.simulator.mentions import Cast, Draft
from services.simulator.population import World

PROVIDERS: Final = ("Mesa Wireless", "Lonestar Mobile", "Bluewave", "Coastal Cellular")
Contacts = Sequence[tuple[datetime, str, bool, int]]
"""Calls as (when, other number, outgoing, seconds)."""


def toll(
    slip: Slip, world: World, who: int, calls: Contacts = (), which: int = 0, *, subscriber: bool = False
) -> Draft:
    """The calls of a person's number; invented ones with acquaintances where none are given."""
    rng, cast = slip.rng, Cast(world, slip.rng)
    target = world.phone(who, which) or world.phone(who % 10_000) or ""
    start, end = slip.at - timedelta(days=14), slip.at
    chosen = sorted(calls) or acquaintances(slip, world, who, start)
    cast.number(target, "TARGET")
    records = []
    for at, other, outgoing, seconds in chosen:
        records.append(
            {
                "at": stamp(at),
                "dir": "OUT" if outgoing else "IN",
                "other": other,
                "seconds": seconds,
                "kind": "SMS" if seconds == 0 else "VOICE",
            }
        )
    for other in dict.fromkeys(other for _, other, _, _ in chosen):
        cast.number(other)
    if calls:
        start, end = min(start, chosen[0][0]), max(end, chosen[-1][0])
    body = envelope(slip, "SOD.TOLL") | {
        "target_number": target,
        "provider": rng.choice(PROVIDERS),
        "period": {"start": stamp(start), "end": stamp(end)},
        "records": records,
        "record_count": len(records),
        "file_sha256": sha256(slip.number.encode()).hexdigest(),
    }
    if subscriber or rng.random() < 0.5:
        body["subscriber"] = cast.person(who, "ASSOCIATE", documents=0.1)
    return Draft(body | cast.payload(), cast.truth)


def acquaintances(
    slip: Slip, world: World, who: int, start: datetime
) -> list[tuple[datetime, str, bool, int]]:
    """Some calls with the few numbers that a person talks to."""
    rng = slip.rng
    near = [(who + step) % world.people for step in (1, 2, 5, 7, 30, 55, 144)]
    numbers = [n for i in near[: 2 + int(rng.random() * 4)] if (n := world.phone(i))]
    if not numbers:
        numbers = [world.phone(0) or ""]
    calls = []
    for _ in range(2 + int(rng.random() * 8)):
        at = start + timedelta(seconds=int(rng.random() * 1_200_000))
        seconds = 0 if rng.random() < 0.3 else int(rng.random() ** 2 * 1_200) + 1
        calls.append((at, rng.choice(numbers), rng.random() < 0.55, seconds))
    return sorted(calls)
