"""The values that the core works on: mentions, profiles, links and comparisons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from shared.contracts.entities import Kind, RelationType, Role
from shared.contracts.resolution import EvidenceRow


@dataclass(frozen=True, slots=True)
class Profile:
    """The normalised, comparable content of a mention.

    ``id`` is 32 hex digits: a 128-bit hash of ``content`` and ``audience`` (and, for content too weak
    to match itself, of report and local id). ``content`` is the canonical JSON of ``features``: sorted
    names, each with its sorted canonical values.
    """

    id: str
    kind: Kind
    audience: str
    label: str
    features: Mapping[str, tuple[str, ...]]
    content: bytes


@dataclass(frozen=True, slots=True)
class MentionOf:
    """A mention of a report and its profile; None for items, which are never resolved."""

    local_id: str
    kind: Kind
    role: Role
    profile: Profile | None


@dataclass(frozen=True, slots=True)
class Link:
    """A relation between two profiles, as the report asserts it."""

    source: str
    target: str
    type: RelationType
    confidence: float
    source_local_id: str
    target_local_id: str


@dataclass(frozen=True, slots=True)
class Normalised:
    """What normalising one report gives."""

    mentions: tuple[MentionOf, ...]
    links: tuple[Link, ...]


Told = tuple[str, str | None, str | None, str, int]
"""A row of evidence in plain values: feature, value of each side, level, weight."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two profiles compared: ``weight`` in centibits is the sum of what is ``told``."""

    weight: int
    contradicted: bool
    told: tuple[Told, ...]

    @property
    def rows(self) -> tuple[EvidenceRow, ...]:
        """The evidence as the contract shows it; of most pairs nobody asks for it."""
        return tuple(
            [
                EvidenceRow(feature=f, a=_shown(a), b=_shown(b), level=n, weight=w)
                for f, a, b, n, w in self.told
            ]
        )


def _shown(value: str | None) -> str | None:
    return value[:_SHOWN] if value else None


_SHOWN: Final = 200
"""Characters of a value that evidence shows."""


def profile_from_content(profile_id: str, kind: Kind, audience: str, label: str, content: bytes) -> Profile:
    """The profile of a stored row; ``content`` is what ``Profile.content`` was."""
    features = {name: tuple(values) for name, values in orjson.loads(content).items()}
    return Profile(profile_id, kind, audience, label, features, content)
