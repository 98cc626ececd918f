"""From a report to its mentions with profiles, and its links."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

import orjson

from services.fusion.core.compare import is_weak
from services.fusion.core.features import READERS
from services.fusion.core.model import Model
from services.fusion.core.profile import Link, MentionOf, Normalised, Profile
from shared.contracts.entities import Kind, Mention, Person, Relation, RelationType
from shared.contracts.handling import Audience
from shared.contracts.report import ENTITY_LISTS, Report

_LISTS: Final = tuple((name, kind, READERS.get(kind)) for name, kind in zip(ENTITY_LISTS, Kind, strict=True))
"""The entity lists of a report: name, kind, and what reads a mention's features (None: an item)."""
_TIES: Final = frozenset({
    RelationType.USES, RelationType.SUBSCRIBER_OF, RelationType.DRIVES, RelationType.OWNS, RelationType.HOLDS,
    RelationType.IDENTIFIED_BY, RelationType.LOCATED_AT,
})  # fmt: skip
"""Relations through which a thing's identifiers become features of the person or organisation."""
_OWNERS: Final = frozenset({Kind.PERSON, Kind.ORGANIZATION})
_TIED: Final = frozenset({
    Kind.PHONE, Kind.DEVICE, Kind.ONLINE, Kind.VEHICLE, Kind.ACCOUNT, Kind.DOCUMENT, Kind.LOCATION,
})  # fmt: skip
_NOT_TIED: Final = frozenset({"make", "model", "year", "colour", "area", "point", "port", "mile", "county"})
_PRIVATE: Final = "ncii"


def normalise(report: Report, audience: Audience, model: Model) -> Normalised:
    """The mentions of ``report`` with their profiles for ``audience``, and the links between them.

    Identifiers of things that the report ties to a person or organisation become that mention's
    features too. A mention too weak to match itself, and one that must never match, has its report and
    local id in its profile's hash.
    """
    found: dict[str, tuple[Kind, Mention, dict[str, set[str]] | None, str]] = {}
    for name, kind, read in _LISTS:
        for mention in getattr(report, name):
            features: dict[str, set[str]] | None = None
            label = ""
            if read is not None:
                features, label = read(mention)
            found[mention.local_id] = (kind, mention, features, label)
    _tie(report.relations, found)
    key = audience.key()
    profiles: dict[str, Profile] = {}
    mentions = []
    for local_id, (kind, mention, features, label) in found.items():
        profile = None
        if features:
            private = isinstance(mention, Person) and mention.ncii
            if private:
                features[_PRIVATE] = {"Y"}
            origin = f"{report.report_id}\n{local_id}"
            profile = make_profile(kind, key, label, features, (origin, private, model))
            profiles[local_id] = profile
        mentions.append(MentionOf(local_id, kind, mention.role, profile))
    return Normalised(tuple(mentions), _links(report.relations, profiles))


def make_profile(
    kind: Kind,
    audience: str,
    label: str,
    features: Mapping[str, Iterable[str]],
    weak: tuple[str, bool, Model],
) -> Profile:
    """The profile of these features; ``weak`` is (origin, never matched, model), see ``normalise``."""
    content, frozen = _content(features)
    origin, private, model = weak
    hashed = blake2b(digest_size=16)
    hashed.update(f"{kind.value}\n{audience}\n".encode())
    hashed.update(content)
    if private or is_weak(kind, frozen, content, model):
        hashed.update(f"\n{origin}".encode())
    return Profile(hashed.hexdigest(), kind, audience, label, frozen, content)


def _content(features: Mapping[str, Iterable[str]]) -> tuple[bytes, dict[str, tuple[str, ...]]]:
    frozen = {name: tuple(sorted(values)) for name, values in sorted(features.items()) if values}
    # A copy, because what orjson gives keeps the 4 kB that it was written into.
    return bytes(memoryview(orjson.dumps(frozen))), frozen


def _tie(
    relations: Iterable[Relation], found: Mapping[str, tuple[Kind, Mention, dict[str, set[str]] | None, str]]
) -> None:
    """Add what relations tie to persons and organisations to their features."""
    for relation in relations:
        if relation.type not in _TIES:
            continue
        owner, thing = found.get(relation.source), found.get(relation.target)
        if owner is None or thing is None or owner[0] not in _OWNERS or thing[0] not in _TIED:
            continue
        mine, its = owner[2], thing[2]
        if mine is None or its is None:
            continue
        for name, values in its.items():
            if name not in _NOT_TIED:
                mine.setdefault(name, set()).update(values)


def _links(relations: Iterable[Relation], profiles: Mapping[str, Profile]) -> tuple[Link, ...]:
    """The relations whose two ends are resolved."""
    return tuple(
        Link(profiles[r.source].id, profiles[r.target].id, r.type, r.confidence, r.source, r.target)
        for r in relations
        if r.source in profiles and r.target in profiles
    )
