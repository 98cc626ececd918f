"""A canonical report in the making: the payload's mentions, and what its type's own fields add.

Everything here was validated with the payload, so nothing is validated again: ``make`` sets the fields of
a model directly, which takes a tenth of the time of pydantic's ``model_construct``. A test parses every
example's canonical JSON back, strictly, and compares.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2s
from typing import Any, Final, TypeVar, overload

from pydantic import BaseModel

from shared.contracts.entities import (
    Account,
    Aircraft,
    Container,
    Currency,
    Device,
    Document,
    Drug,
    Firearm,
    Location,
    Mention,
    Online,
    Organization,
    Person,
    Phone,
    Relation,
    RelationType,
    Role,
    Vehicle,
    Vessel,
)  # fmt: skip
from shared.contracts.report import ENTITY_LISTS

M = TypeVar("M", bound=BaseModel)
N = TypeVar("N", bound=Mention)

LISTS: Final[Mapping[type[Mention], str]] = {
    Person: "persons", Organization: "organizations", Phone: "phones", Device: "devices",
    Online: "online", Vehicle: "vehicles", Vessel: "vessels", Aircraft: "aircraft",
    Container: "containers", Account: "accounts", Document: "documents", Location: "locations",
    Drug: "drugs", Currency: "currency", Firearm: "firearms",
}  # fmt: skip
"""The entity list in which a report keeps mentions of each model."""
FRESH: Final = "_"
"""Ids of mentions that the server adds begin with this; an agency's own may not."""

_set = object.__setattr__
_NOT_SIGNIFICANT = re.compile(r"[\W_]+")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.-]+")


@cache
def defaults(model: type[BaseModel]) -> Mapping[str, Any]:
    """Every field of ``model`` in order, with its default; None where it has none."""
    return {
        name: None if field.is_required() else field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
    }


def make(model: type[M], /, **values: Any) -> M:
    """A ``model`` of values that are valid already; the caller gives every mandatory field."""
    made = model.__new__(model)
    _set(made, "__dict__", {**defaults(model), **values})
    _set(made, "__pydantic_fields_set__", set(values))
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made


def changed(model: M, **values: Any) -> M:
    """A copy of ``model`` with some values replaced."""
    return make(type(model), **{**model.__dict__, **values})


@overload
def utc(at: datetime) -> datetime: ...
@overload
def utc(at: None) -> None: ...
def utc(at: datetime | None) -> datetime | None:
    """The same moment in UTC, which is how the canonical report tells time."""
    return None if at is None else at.astimezone(UTC)


def fresh_id(kind: str, value: str) -> str:
    """A local id for an added mention, made of what it is, so a later version gets the same one."""
    plain = _NOT_IN_ID.sub("", value)
    if len(plain) > 24 or not value.isascii():
        plain = blake2s(value.encode(), digest_size=6).hexdigest()
    return f"{FRESH}{kind}-{plain}"


def significant(text: str) -> str:
    """Letters and digits only, in capitals."""
    return _NOT_SIGNIFICANT.sub("", text.upper())


class Draft:
    """The mentions and relations of one report; ``own`` holds the payload's lists by name."""

    __slots__ = ("_added", "_indexes", "_own", "_relations", "_taken")

    def __init__(self, own: Mapping[str, Any]) -> None:
        self._own = own
        self._added: dict[str, list[Mention]] = {}
        self._taken: dict[str, Mention] = {}
        self._indexes: dict[tuple[type[Mention], str], dict[str, str]] = {}
        self._relations: dict[tuple[str, str, RelationType], Relation] = {}

    def add(self, model: type[Mention], local_id: str, /, **values: Any) -> str:
        """Add a mention and return its local id: ``local_id``, numbered where another mention has it."""
        made, number = make(model, local_id=local_id, **values), 2
        while (other := self._taken.get(made.local_id)) is not None:
            if other == made:
                return made.local_id
            made = changed(made, local_id=f"{local_id}.{number}")
            number += 1
        self._taken[made.local_id] = made
        self._added.setdefault(LISTS[model], []).append(made)
        return made.local_id

    def relate(
        self, source: str | None, relation: RelationType, target: str | None, basis: str | None = None
    ) -> None:
        """Assert a relation; nothing happens where an end is missing or both are one."""
        if source is not None and target is not None and source != target:
            key = (source, target, relation)
            self._relations[key] = make(Relation, source=source, target=target, type=relation, basis=basis)

    def mentions(self, model: type[N]) -> Iterator[N]:
        """The mentions of one kind: the agency's, then the added ones."""
        name = LISTS[model]
        yield from self._own[name]
        yield from self._added.get(name, ())  # type: ignore[misc]  # LISTS maps a model to its own list

    def same(self, model: type[Mention], field: str, value: str) -> str | None:
        """The agency's own mention whose ``field`` holds ``value``, however spaced and punctuated."""
        mentions = self._own[LISTS[model]]
        if not mentions:
            return None
        index = self._indexes.get((model, field))
        if index is None:
            index = self._indexes[model, field] = {}
            for mention in mentions:
                if there := getattr(mention, field):
                    index.setdefault(significant(there), mention.local_id)
        return index.get(significant(value) or value)

    def find(self, local_id: str | None) -> Mention | None:
        """The mention of this local id."""
        if local_id is None:
            return None
        if local_id in self._taken:
            return self._taken[local_id]
        return next((m for name in ENTITY_LISTS for m in self._own[name] if m.local_id == local_id), None)

    def with_role(self, *roles: Role) -> list[str]:
        """Local ids of the persons in one of ``roles``: all of the first role, then of the next."""
        return [p.local_id for role in roles for p in self.mentions(Person) if p.role == role]

    def content(self) -> dict[str, tuple[Any, ...]]:
        """The lists that grew, by name, and ``relations``; the agency's own relations stand first."""
        grown = {name: (*self._own[name], *added) for name, added in self._added.items()}
        if self._relations:
            own: tuple[Relation, ...] = self._own["relations"]
            said = {(r.source, r.target, r.type) for r in own}
            grown["relations"] = (*own, *(r for key, r in self._relations.items() if key not in said))
        return grown
