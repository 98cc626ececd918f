"""The values that the steps of the protocol hand to each other."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.fusion.core.profile import Comparison, Profile

Key = int
"""A blocking key: signed 64-bit."""
Spot = tuple[int, str]
"""A key and an audience: what can be generic."""
Ends = tuple[str, str]
"""The two profiles of a pair, smaller id first."""


@dataclass(frozen=True, slots=True)
class Held:
    """An immutable profile with its keys, as the cache holds it."""

    profile: Profile
    keys: tuple[int, ...]
    width: int


@dataclass(slots=True)
class Work:
    """What some journal rows stand for: profiles and keys whose neighbourhood may have changed.

    ``ids`` names those rows, ``key`` the messages about them.
    ``fresh`` are profiles that this very run made, alone in their component since the version given;
    ``died`` those whose last mention it withdrew, None where that is not known any more (recovery).
    ``crossed`` are keys whose holders are all to be compared with each other; ``whole`` are the seeds of
    which pairs that were told may not count any more, so that all their possible pairs are told anew.
    """

    ids: list[str]
    key: str
    seeds: set[str]
    keys: set[int]
    crossed: set[int] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    fresh: dict[str, int] = field(default_factory=dict)
    died: set[str] | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scored:
    """A compared pair, ``a`` < ``b``, and keys that both profiles hold."""

    a: str
    b: str
    comparison: Comparison
    shared: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What T2 read: pairs worth remembering, as of ``version``, and pairs that a person judged the same."""

    version: int
    pairs: tuple[Scored, ...]
    judged: frozenset[Ends]
    judged_profiles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a profile stands: a row of ``assign``; size, split and version on the leader's row only.

    ``entity`` None = the leader's, so that a whole entity is renamed by one write.
    """

    profile: str
    leader: str
    entity: str | None
    size: int
    split: bool
    version: int


@dataclass(frozen=True, slots=True)
class Component:
    """A component after a change. ``full``: members and pairs are all there is; else what was added.

    ``members`` maps profiles to entities; ``size`` is the whole component's, ``entity`` its leader's.
    """

    leader: str
    full: bool
    size: int
    entity: str
    split: bool
    members: dict[str, str]
    pairs: tuple[Scored, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What T3 changed, under one version; ``gone`` are profiles that no live report holds any more.

    ``possible`` are pairs that are possibly the same, within a component or not; of ``whole`` they are all.
    """

    version: int
    components: tuple[Component, ...]
    gone: tuple[str, ...]
    possible: tuple[Scored, ...]
    whole: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.components or self.gone or self.possible or self.whole)


def ends(a: str, b: str) -> Ends:
    """The two ids in order."""
    return (a, b) if a < b else (b, a)


def pack_ids(ids: Iterable[str]) -> bytes:
    """Profile ids as 16 bytes each."""
    return bytes.fromhex("".join(ids))


def unpack_ids(packed: bytes) -> list[str]:
    """The inverse of ``pack_ids``."""
    digits = packed.hex()
    return [digits[i : i + 32] for i in range(0, len(digits), 32)]


def pack_keys(keys: Iterable[int]) -> bytes:
    """Keys as 8 bytes each, in this machine's order of bytes (which is that of all machines in use)."""
    return array("q", keys).tobytes()


def unpack_keys(packed: bytes) -> tuple[int, ...]:
    """The inverse of ``pack_keys``."""
    numbers = array("q")
    numbers.frombytes(packed)
    return tuple(numbers)
