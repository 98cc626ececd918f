"""Sets: how leads are computed once for all viewers who see the same, and listed by one index scan.

A *combination* is the set of audiences that took part in what one subject's leads are computed from. The
viewers of a deployment see only a few distinct *visible parts* of it; a **set** is a combination with one
visible part. A lead row carries its set; which sets a viewer reads is worked out here, in memory.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import xxhash

from services.leads.access import Sight

Combination = frozenset[int]
"""Audience ids, among them usually 0: open."""

OPEN_SET: Final = 0
"""The set of everything that is open throughout: every viewer reads it."""
NOBODY: Final[Sight] = frozenset({0})
"""What a viewer sees whom nothing is released to: the open audience alone."""


def combination_id(combination: Combination) -> int:
    """A combination's id: 0 where it is open throughout, else 63 bits of its hash."""
    return 0 if combination <= NOBODY else _hash(combination)


def set_id(combination: Combination, part: Sight) -> int:
    """The id of the set that sees ``part`` of ``combination``."""
    return OPEN_SET if combination <= NOBODY else _hash(combination, part & combination)


def representatives(combination: Combination, sights: Iterable[Sight]) -> list[Sight]:
    """One sight for each distinct visible part of ``combination``, the first that gives it.

    When the combination grows these still stand for their parts, and others join them.
    """
    found: dict[Sight, Sight] = {}
    for sight in sights:
        if part := sight & combination:
            found.setdefault(part, sight)
    return list(found.values())


def sets_of(combinations: Mapping[int, Combination], sight: Sight) -> list[int]:
    """The ids of the sets that a viewer of this sight reads, sorted; the open set is always one."""
    return sorted({OPEN_SET} | {set_id(c, sight) for c in combinations.values() if c & sight})


def _hash(*groups: Iterable[int]) -> int:
    text = ";".join(",".join(str(i) for i in sorted(group)) for group in groups)
    return xxhash.xxh3_64_intdigest(text.encode()) >> 1 or 1
