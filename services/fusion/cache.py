"""Bounded memory of immutable things: profiles by id, comparisons by pair."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from services.fusion.core.profile import Comparison, Profile
from services.fusion.resolver import Resolver
from services.fusion.values import Ends, Held, Key, Scored
from shared.contracts.entities import Kind
from shared.contracts.handling import Audience

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """A dictionary of at most ``limit`` entries that forgets those unused for longest, half at a time."""

    def __init__(self, limit: int) -> None:
        self._half = max(1, limit // 2)
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value, or None."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self[key] = value
        return value

    def __setitem__(self, key: K, value: V) -> None:
        if len(self._young) >= self._half:
            self._old = self._young
            self._young = {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())


class Profiles:
    """Profiles with their keys, and comparisons, as one worker remembers them between batches."""

    def __init__(self, resolver: Resolver, *, profiles: int = 20_000, comparisons: int = 8_000) -> None:
        self.resolver = resolver
        self.cap = resolver.cap
        self.review = min(resolver.review, resolver.threshold)
        self._held: Bounded[str, Held] = Bounded(profiles)
        self._comparisons: Bounded[Ends, Comparison] = Bounded(comparisons)
        self.compared = 0

    def get(self, profile_id: str) -> Held | None:
        """What is remembered of a profile."""
        return self._held.get(profile_id)

    def hold(self, profiles: Iterable[Profile]) -> dict[str, Held]:
        """Remember profiles just made, working out the keys of those that are new here."""
        found: dict[str, Held] = {}
        for profile in profiles:
            held = self._held.get(profile.id)
            if held is None:
                held = Held(profile, self.resolver.keys_of(profile), Audience.parse(profile.audience).width)
                self._held[profile.id] = held
            found[profile.id] = held
        return found

    def restore(
        self, id_: str, kind: Kind, audience: str, label: str, content: bytes, keys: tuple[int, ...]
    ) -> Held:
        """Remember a profile from its stored row."""
        profile = self.resolver.profile(id_, kind, audience, label, content)
        held = Held(profile, keys, Audience.parse(audience).width)
        self._held[id_] = held
        return held

    def compare(self, a: Held, b: Held) -> Comparison:
        """The comparison of two profiles, in the order of their ids."""
        if a.profile.id > b.profile.id:
            a, b = b, a
        pair = (a.profile.id, b.profile.id)
        comparison = self._comparisons.get(pair)
        if comparison is None:
            self.compared += 1
            comparison = self.resolver.compare(a.profile, b.profile)
            self._comparisons[pair] = comparison
        return comparison

    def score(
        self, shared: Mapping[Ends, list[Key]], held: Mapping[str, Held], least: int
    ) -> Iterator[Scored]:
        """Compare each candidate pair once; those that weigh ``least`` or more, and the contradicted."""
        for (a, b), keys in shared.items():
            first, second = held.get(a), held.get(b)
            if first is None or second is None or first.profile.kind != second.profile.kind:
                continue
            comparison = self.compare(first, second)
            if comparison.contradicted or comparison.weight >= least:
                yield Scored(a, b, comparison, tuple(keys))
