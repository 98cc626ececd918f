"""Invented pairs by what is hard about them: as many are judged right as before."""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from services.fusion.core.compare import compare
from services.fusion.core.keys import keys_of
from services.fusion.core.normalise import make_profile
from services.fusion.core.records import read_row
from shared.contracts.entities import Kind
from tests.fusion.core.people import MODEL

PAIRS = Path(__file__).resolve().parents[2] / "data" / "er" / "invented_pairs.jsonl"
LIST = replace(MODEL, bits=MODEL.sized(200_000).bits)
"""Keys as rare as among 200,000, the threshold as it is packaged."""


def right(pair: dict[str, object]) -> bool:
    """Whether two rows that need keys as rare would be joined, or kept apart, as they should."""
    kind = Kind(str(pair["kind"]).upper())
    a, b = (
        make_profile(kind, "*", side, read_row(pair[side], kind)[0], (side, False, LIST))  # type: ignore[arg-type]
        for side in ("a", "b")
    )
    found = compare(a, b, LIST)
    met = a.id == b.id or not set(keys_of(a, LIST)).isdisjoint(keys_of(b, LIST))
    return (met and not found.contradicted and found.weight >= LIST.threshold) is pair["same"]


def judged() -> dict[tuple[str, bool], list[bool]]:
    found: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    for line in PAIRS.read_text("utf-8").splitlines():
        pair = json.loads(line)
        found[pair["kind"], pair["same"]].append(right(pair))
    return found


@pytest.mark.parametrize(
    ("kind", "same", "share"),
    [
        ("person", True, 0.92),
        ("person", False, 0.92),
        ("organization", True, 0.82),
        ("organization", False, 0.94),
        ("vessel", True, 0.9),
        ("vessel", False, 1.0),
    ],
)
def test_hard_pairs_are_judged_as_well_as_before(kind: str, same: bool, share: float) -> None:
    outcomes = judged()[kind, same]
    assert sum(outcomes) / len(outcomes) >= share, f"{sum(outcomes)} of {len(outcomes)}"
