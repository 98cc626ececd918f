"""What a comparison gathers: evidence rows and their sum."""

from collections.abc import Mapping
from typing import NamedTuple

from services.fusion.core.model import Level, Table
from services.fusion.core.profile import Told


class Step(NamedTuple):
    """A row of the model made ready: by level base weights and percent of rarity; value table and caps.

    ``together``: what each further name of a person tells twice, in centibits.
    """

    feature: str
    levels: Mapping[str, Level]
    base: Mapping[str, int]
    rarity: Mapping[str, int]
    table: Table | None
    most: int
    kin: int
    least: int = -100_000
    home: bool = False
    together: int = 0


class Tally:
    """The rows of one pair of profiles."""

    __slots__ = ("kin", "namesakes", "overrule", "rows", "siblings", "weight")

    def __init__(self) -> None:
        self.rows: list[Told] = []
        self.weight = 0
        self.kin = 0
        self.namesakes = False
        self.siblings = False
        self.overrule: int | None = None

    def add(self, step: Step, key: str, a: str | None, b: str | None, bits: int = 0) -> int:
        """Add the row of level ``key`` for the values ``a`` and ``b``, whose rarity is ``bits`` centibits."""
        level = step.levels[key]
        weight = step.base[key] + step.rarity[key] * bits // 100
        self.rows.append((step.feature, a, b, level.label, weight))
        self.weight += weight
        if level.overrule is not None:
            self.overrule = max(level.overrule, self.overrule or 0)
        if weight > 0:
            if step.kin:
                self.kin += weight * step.kin // 100
            elif step.home and self.siblings:
                self.kin += weight
        return weight

    def adjust(self, feature: str, label: str, weight: int) -> None:
        """Add a row that corrects the sum of others."""
        self.rows.append((feature, None, None, label, weight))
        self.weight += weight

    def told(self, *, swapped: bool) -> tuple[Told, ...]:
        """The rows; ``swapped``: the sides in the other order."""
        if swapped:
            return tuple([(feature, b, a, label, weight) for feature, a, b, label, weight in self.rows])
        return tuple(self.rows)


class SeenRow(NamedTuple):
    """A level that held, and the rarity of the value in centibits."""

    feature: str
    key: str
    bits: int


class Seen(NamedTuple):
    """What a comparison saw: its levels, the sum of corrections, and what relatives would share."""

    rows: tuple[SeenRow, ...]
    correction: int
    kin: int


class Recorder(Tally):
    """A tally that also keeps which levels held."""

    __slots__ = ("_correction", "_seen")

    def __init__(self) -> None:
        super().__init__()
        self._seen: list[SeenRow] = []
        self._correction = 0

    def add(self, step: Step, key: str, a: str | None, b: str | None, bits: int = 0) -> int:
        """Add a row and remember its level."""
        self._seen.append(SeenRow(step.feature, key, bits))
        return super().add(step, key, a, b, bits)

    def adjust(self, feature: str, label: str, weight: int) -> None:
        """Add a correction and remember it."""
        self._correction += weight
        super().adjust(feature, label, weight)

    def seen(self) -> Seen:
        """What was seen so far."""
        return Seen(tuple(self._seen), self._correction, self.kin)
