"""The core with its model, behind the port that the protocol speaks to."""

from services.fusion.core import compare, keys, normalise
from services.fusion.core.model import Model
from services.fusion.core.profile import Comparison, Normalised, Profile, profile_from_content
from shared.contracts.entities import Kind
from shared.contracts.handling import Audience
from shared.contracts.report import Report


class ModelledResolver:
    """A ``Resolver`` that is one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.version = model.version
        self.threshold = model.threshold
        self.review = model.review
        self.cap = model.cap

    def normalise(self, report: Report, audience: Audience) -> Normalised:
        """The mentions of a report with their profiles, and its links."""
        return normalise.normalise(report, audience, self._model)

    def profile(self, id_: str, kind: Kind, audience: str, label: str, content: bytes) -> Profile:
        """A profile from its stored row."""
        return profile_from_content(id_, kind, audience, label, content)

    def keys_of(self, profile: Profile) -> tuple[int, ...]:
        """The blocking keys."""
        return keys.keys_of(profile, self._model)

    def compare(self, a: Profile, b: Profile) -> Comparison:
        """Two profiles compared."""
        return compare.compare(a, b, self._model)
