"""The marking of what is derived from several reports: never weaker than any of them.

Categories are united (specified ones first, then by alphabet), the most restrictive limit and TLP hold, and
only those get it to whom every report with a release list may go.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shared.contracts.handling import Handling

LIMITS: Final = ("DL ONLY", "FED ONLY", "FEDCON", "NOCON", "AC", "AWP", "NOFORN", "DISPLAY ONLY", "REL TO")
"""Limited dissemination controls of 32 CFR 2002, the most restrictive first."""
TLP: Final = ("RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR")
"""TLP 2.0, the most restrictive first."""


@dataclass(frozen=True, slots=True)
class Marking:
    """A derived marking; ``release_to`` None = no report limits it by name."""

    cui: str
    tlp: str
    caveats: tuple[str, ...]
    release_to: tuple[str, ...] | None


_Terms = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""CUI and TLP markings, caveats and release list of a report."""


def derive(terms: Iterable[Handling]) -> Marking:
    """The marking of what is made from reports under these terms."""
    return _derived(frozenset((h.cui, h.tlp, h.caveats, h.release_to) for h in terms))


@lru_cache(maxsize=4_096)
def _derived(found: frozenset[_Terms]) -> Marking:
    categories: set[str] = set()
    limits: set[str] = set()
    for cui, *_ in found:
        for part in cui.split("//")[1:]:
            for marking in part.split("/"):
                (limits if _is_limit(marking) else categories).add(marking)
    plain = {c for c in categories if f"SP-{c}" not in categories}
    specified = sorted(c for c in plain if c.startswith("SP-"))
    basic = sorted(c for c in plain if not c.startswith("SP-"))
    controlled = any(cui.startswith("CUI") for cui, *_ in found)
    parts = ["CUI" if controlled else "UNCLASSIFIED", "/".join((*specified, *basic)), _strictest(limits)]
    listed = [set(release_to) for *_, release_to in found if release_to]
    return Marking(
        "//".join(p for p in parts if p),
        next((t for t in TLP if any(tlp == t for _, tlp, _, _ in found)), TLP[-1]),
        tuple(sorted({str(c) for _, _, caveats, _ in found for c in caveats})),
        tuple(sorted(set.intersection(*listed))) if listed else None,
    )


def _is_limit(marking: str) -> bool:
    return any(marking == limit or marking.startswith(f"{limit} ") for limit in LIMITS)


def _strictest(limits: set[str]) -> str:
    return min(
        limits, key=lambda m: (next(i for i, x in enumerate(LIMITS) if m.startswith(x)), m), default=""
    )
