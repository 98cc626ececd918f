"""What a comparison gathers: evidence rows and their sum."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from services.fusion.core.model import Level, Table
from shared.contracts.resolution import EvidenceRow

_SHOWN: Final = 200


class Step(NamedTuple):
    """A row of the model made ready: base weights by level, the value table and the cap."""

    feature: str
    levels: Mapping[str, Level]
    base: Mapping[str, int]
    table: Table | None
    most: int
    kin: int


class Tally:
    """The rows of one pair of profiles."""

    __slots__ = ("kin", "namesakes", "overrule", "rows", "weight")

    def __init__(self) -> None:
        self.rows: list[tuple[str, str | None, str | None, str, int]] = []
        self.weight = 0
        self.kin = 0
        self.namesakes = False
        self.overrule: int | None = None

    def add(self, step: Step, key: str, a: str | None, b: str | None, bits: int = 0) -> int:
        """Add the row of level ``key`` for the values ``a`` and ``b``, whose rarity is ``bits`` centibits."""
        level = step.levels[key]
        weight = step.base[key] + level.rarity * bits // 100
        self.rows.append((step.feature, a, b, level.label, weight))
        self.weight += weight
        if level.overrule is not None:
            self.overrule = max(level.overrule, self.overrule or 0)
        if step.kin and weight > 0:
            self.kin += weight * step.kin // 100
        return weight

    def adjust(self, feature: str, label: str, weight: int) -> None:
        """Add a row that corrects the sum of others."""
        self.rows.append((feature, None, None, label, weight))
        self.weight += weight

    def evidence(self, *, swapped: bool = False) -> tuple[EvidenceRow, ...]:
        """The rows as the contract shows them; ``swapped``: the sides in the other order."""
        if swapped:
            return tuple([_row(feature, b, a, label, weight) for feature, a, b, label, weight in self.rows])
        return tuple([_row(*row) for row in self.rows])


@lru_cache(maxsize=32_768)
def _row(feature: str, a: str | None, b: str | None, label: str, weight: int) -> EvidenceRow:
    """A row; rows are immutable and many pairs share theirs."""
    return EvidenceRow(
        feature=feature, a=a[:_SHOWN] if a else None, b=b[:_SHOWN] if b else None, level=label, weight=weight
    )
