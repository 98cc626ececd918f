"""The port to the core: all that the protocol must know of how profiles are made, found and compared."""

from typing import Protocol

from services.fusion.core.compare import compare
from services.fusion.core.keys import keys_of
from services.fusion.core.model import Model
from services.fusion.core.normalise import normalise
from services.fusion.core.profile import Comparison, Normalised, Profile, profile_from_content
from shared.contracts.entities import Kind
from shared.contracts.handling import Audience
from shared.contracts.report import Report


class Resolver(Protocol):
    """Pure: equal arguments give equal results, on every machine, for as long as ``version`` is the same.

    ``threshold`` and ``review`` are in centibits: pairs of at least ``threshold`` are the same, of at least
    ``review`` possibly the same. More than ``cap`` profiles of one audience make a key generic for it.
    """

    @property
    def version(self) -> str:
        """The model version."""
        ...

    @property
    def threshold(self) -> int:
        """Centibits from which a pair is the same."""
        ...

    @property
    def review(self) -> int:
        """Centibits from which a pair is possibly the same."""
        ...

    @property
    def cap(self) -> int:
        """How many profiles of one audience a key may have and still support pairs."""
        ...

    def normalise(self, report: Report, audience: Audience) -> Normalised:
        """The mentions of a report with their profiles, and its links."""
        ...

    def profile(self, id_: str, kind: Kind, audience: str, label: str, content: bytes) -> Profile:
        """A profile from its stored row."""
        ...

    def keys_of(self, profile: Profile) -> tuple[int, ...]:
        """The blocking keys: signed 64-bit, sorted, distinct."""
        ...

    def compare(self, a: Profile, b: Profile) -> Comparison:
        """Two profiles compared; ``a.id`` < ``b.id``."""
        ...


class CoreResolver:
    """The core under one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.version = model.version
        self.threshold = model.threshold
        self.review = model.review
        self.cap = model.cap

    def normalise(self, report: Report, audience: Audience) -> Normalised:
        """The mentions of a report with their profiles, and its links."""
        return normalise(report, audience, self._model)

    def profile(self, id_: str, kind: Kind, audience: str, label: str, content: bytes) -> Profile:
        """A profile from its stored row."""
        return profile_from_content(id_, kind, audience, label, content)

    def keys_of(self, profile: Profile) -> tuple[int, ...]:
        """The blocking keys of a profile."""
        return keys_of(profile, self._model)

    def compare(self, a: Profile, b: Profile) -> Comparison:
        """Two profiles compared."""
        return compare(a, b, self._model)
