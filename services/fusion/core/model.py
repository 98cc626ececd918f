"""The resolver's model: comparisons, levels, weights, frequencies and key rules, as data.

Weights are integers in centibits (1/100 bit), so that sums are exact on every machine. A level's weight
is ``log2(m / u)`` plus ``rarity`` percent of the bits of the value that agrees: m is how often the level
holds for two mentions of one entity; u how often by chance (Fellegi and Sunter 1969), relative to the
value's own frequency where rarity takes part.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from hashlib import blake2b
from importlib import resources
from pathlib import Path
from typing import Any, Final

from shared.contracts.entities import Kind
from shared.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Level:
    """One outcome of a comparison, in words, with its m and u.

    ``overrule``: it contradicts, and keeps two profiles apart unless their weight reaches so many centibits.
    """

    label: str
    m: float
    u: float
    rarity: int = 0
    overrule: int | None = None

    @property
    def base(self) -> int:
        """The part of the weight that does not depend on the value, in centibits."""
        return round(100 * math.log2(self.m / self.u))


@dataclass(frozen=True, slots=True)
class Comparing:
    """How one feature is compared: ``comparator`` names the function, ``levels`` its outcomes.

    ``table`` names the frequency table of its values. ``most`` caps what the feature can add, ``least``
    what it can take off, in centibits; ``kin``: percent of the weight that relatives of one household
    share too, and ``home`` that brothers and sisters do, whose given names differ; ``holders``,
    ``exclusive`` and ``stable`` state the prior in words: how many entities hold one value, whether one
    may have two, whether it stays.
    """

    feature: str
    comparator: str
    levels: Mapping[str, Level]
    table: str = ""
    most: int = 100_000
    kin: int = 0
    holders: str = "many"
    exclusive: bool = False
    stable: bool = True
    least: int = -100_000
    home: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Bits of each known value, in centibits; ``rare`` is for every other."""

    bits: Mapping[str, int]
    rare: int

    def of(self, value: str) -> int:
        """The bits of ``value``."""
        return self.bits.get(value, self.rare)

    def after(self, value: str, count: int, total: int) -> int:
        """The bits of ``value`` once ``count`` of ``total`` entities were seen to have it."""
        before = math.exp2(-self.of(value) / 100)
        return round(-100 * math.log2((count + _ENTITIES * before) / (total + _ENTITIES)))


_ENTITIES: Final = 300.0
"""Entities of evidence that a frequency table is worth."""


@dataclass(frozen=True, slots=True)
class KindModel:
    """The comparisons and key rules of one kind of entity.

    A rule is ``base components | extension order``; ``identifiers`` are the features whose every value
    is a key of its own. ``prior``: centibits that every pair has for it, or against it, before anything is
    compared: the fewer entities there are, the less agrees by chance. ``kin`` caps what surname, home and
    telephone add together, for relatives share them, and offices those of another firm.
    """

    comparisons: tuple[Comparing, ...]
    rules: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    prior: int = 0
    kin: int = 1500


_MAKING: Final = 2
"""Raised whenever equal content and model give other keys than before, so that no database keeps both."""
_USUAL: Final = 25_000
"""Records of the list that the packaged threshold is made for."""
_SHORT: Final = 100
"""Centibits that a pair needs less in a shorter list, at most."""


@dataclass(frozen=True, eq=False)
class Model:
    """Everything that decides a weight or a key; ``version`` is the hash of all of it.

    ``threshold`` and ``review`` are in centibits: a pair at or above the first is the same, one between
    them is possible. ``cap`` is how many profiles of one audience may hold a key before it is generic;
    ``bits`` is how rare a key must be, in centibits. ``together`` is what two names of one person tell
    twice, for given and family names come from one language: keys and the comparison of names take it off.
    """

    kinds: Mapping[Kind, KindModel]
    tables: Mapping[str, Table]
    threshold: int = 1600
    review: int = 1000
    cap: int = 60
    bits: int = 1800
    together: int = 150
    note: str = ""

    def sized(self, records: int) -> "Model":
        """This model for a list of so many records.

        Keys become as rare as it needs: log2(records / 5) bits, at least 8. With twice the records twice as
        many names agree by chance, so a pair needs a bit more than in a list of 25,000. In a shorter one
        persons need one less at most, for how rare names are there is hardly known; organisations and ships
        need no less, for branches and series have one name.
        """
        records = max(records, 1)
        prior = round(100 * math.log2(_USUAL / records))
        kinds = {
            kind: replace(k, prior=min(prior, _SHORT if kind is Kind.PERSON else 0)) if k.rules else k
            for kind, k in self.kinds.items()
        }
        return replace(self, bits=max(800, round(100 * math.log2(records / 5))), kinds=kinds)

    def needed(self, kind: Kind) -> int:
        """What the evidence of a pair must weigh to be the same, in centibits."""
        return self.threshold - self.kinds[kind].prior

    @cached_property
    def version(self) -> str:
        """16 hex digits that change with any weight, table or rule, and with how keys are made."""
        content = self.as_dict() | {"making": _MAKING}
        content.pop("note")
        raw = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        return blake2b(raw, digest_size=8).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The model as plain values, the form of its file."""
        return {
            "note": self.note,
            "threshold": self.threshold,
            "review": self.review,
            "cap": self.cap,
            "bits": self.bits,
            "together": self.together,
            "kinds": {
                kind.value: {
                    "comparisons": [asdict(c) for c in k.comparisons],
                    "rules": list(k.rules),
                    "identifiers": list(k.identifiers),
                    "prior": k.prior,
                    "kin": k.kin,
                }
                for kind, k in self.kinds.items()
            },
            "tables": {name: {"rare": t.rare, "bits": dict(t.bits)} for name, t in self.tables.items()},
        }


def from_dict(content: Mapping[str, Any]) -> Model:
    """The inverse of ``Model.as_dict``; raises ``KeyError`` or ``TypeError`` on what is no model."""
    kinds = {}
    kin = content.get("kin", 1500)  # files of an earlier version have one for all kinds
    for name, k in content["kinds"].items():
        comparisons = tuple(
            Comparing(**{**c, "levels": {key: Level(**v) for key, v in c["levels"].items()}})
            for c in k["comparisons"]
        )
        kinds[Kind(name)] = KindModel(
            comparisons, tuple(k["rules"]), tuple(k["identifiers"]), k.get("prior", 0), k.get("kin", kin)
        )
    tables = {name: Table(t["bits"], t["rare"]) for name, t in content["tables"].items()}
    scalars = {k: v for k, v in content.items() if k not in {"kinds", "tables", "kin"}}
    return Model(kinds=kinds, tables=tables, **scalars)


def save(model: Model, path: Path) -> None:
    """Write ``model`` as JSON that a person can review and compare with the last."""
    path.write_text(json.dumps(model.as_dict(), indent=1, sort_keys=True) + "\n", "utf-8")


def load(path: Path | None = None) -> Model:
    """The model of a file, or the packaged one; raises ``Misconfigured`` on a file that is no model."""
    if path is None:
        return _packaged()
    try:
        return from_dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(
            f"{path} is no resolver model: {error!r}; `interlock train` writes one"
        ) from error


_TABLES: Final = ("given", "family", "word", "place", "country", "occupation")


@lru_cache(maxsize=1)
def _packaged() -> Model:
    """The default model: the priors of ``defaults`` and the packaged frequency tables."""
    from services.fusion.core.defaults import KINDS  # noqa: PLC0415  # defaults are written in this module's terms

    folder = resources.files("services.fusion.core").joinpath("data")
    tables = {name: read_table(folder.joinpath(f"{name}.csv").read_text("utf-8")) for name in _TABLES}
    return Model(kinds=KINDS, tables=tables, note="packaged")


def read_table(text: str) -> Table:
    """Read ``value,centibits`` lines; the line ``*`` gives the bits of unknown values."""
    bits: dict[str, int] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            value, _, number = line.rpartition(",")
            bits[value] = int(number)
    return Table(bits, bits.pop("*"))
