"""``/v1/entities``: search by identifier, exact, or by name, ranked."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.leads.answers import listing, page, place
from services.leads.clock import stamp
from services.leads.disclosure import disclose
from services.leads.entity import Entity
from services.leads.entity_store import by_identifier, by_name
from services.leads.reading import Look, Reading
from services.leads.report_store import dashed, newest_mentions
from services.leads.schemas import HitList
from services.leads.search import NAMED, TIED, likeness, query
from services.leads.viewer import Viewer, reader
from shared.contracts.entities import Kind
from shared.normalise.identifiers import parse_text
from shared.problems import INVALID, PURPOSE, UNAUTHENTICATED, UNAVAILABLE, problem_responses

ENOUGH: Final = 200
"""Profiles found by selective keys that make the others unnecessary."""
MOST: Final = 250
"""Profiles, the most alike, of which the entities that a search by name gives are made."""
LEAST: Final = 55
"""Likeness, 0 to 100, below which a name is no hit."""


class Search(BaseModel):
    """The parameters of a search: ``identifier`` or ``name``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identifier: str | None = Field(None, max_length=200, description="exact, such as phone:+19155550142")
    name: str | None = Field(None, max_length=250, description="in any order, script or spelling; ranked")
    birth: str | None = Field(
        None,
        pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$",
        description="with name: YYYY, YYYY-MM, YYYY-MM-DD",
    )
    type: Kind | None = Field(None, description="only entities of this kind")
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(None, max_length=500, description="`next_cursor` of the page before")

    def scope(self) -> str:
        """What a cursor belongs to."""
        return "search " + self.model_dump_json(exclude={"cursor", "limit"})


def router(reading: Reading) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/entities", tags=["entities"])
    refusals = problem_responses(UNAUTHENTICATED, INVALID, PURPOSE, UNAVAILABLE)

    @routes.get("", response_model=HitList, summary="Who is this?", responses=refusals)
    def search(viewer: Annotated[Viewer, Depends(reader)], given: Annotated[Search, Query()]) -> Response:
        """By identifier, exact, however it is written; or by name and birth, the most alike first."""
        if (given.identifier is None) == (given.name is None):
            error = {"pointer": "/query/identifier", "message": "give either `identifier` or `name`"}
            raise INVALID.because("Give either `identifier` or `name`.", [error])
        after = place(given.scope(), given.cursor, (int, str))
        with reading.look(viewer.clearance) as look:
            found = _hits(look, given)
            rest = [h for h in found if after is None or h.order > (-after[0], after[1])][: given.limit + 1]
            profiles = [p for h in rest for p in h.entity.profile_ids]
            newest = newest_mentions(look.conn, profiles, 1, look.now_ms)
        rows = []
        used: set[str] = set()
        for h in rest:
            seen = max((m for p in h.entity.profile_ids for m in newest.get(p, ())), default=None)
            used.update([dashed(seen[1])] if seen else [])
            rows.append(([h.score, h.entity.entity_id], h.shown() | {"last_seen": seen and stamp(seen[0])}))
        disclose(viewer, "search", used)
        return listing(page(given.scope(), rows, given.limit))

    return routes


@dataclass(frozen=True, slots=True)
class _Hit:
    """An entity that answers, and how well; ``matched`` is feature and value."""

    entity: Entity
    score: int
    matched: tuple[str, str]

    @property
    def order(self) -> tuple[int, str]:
        """The best first, of equals the smallest id."""
        return (-self.score, self.entity.entity_id)

    def shown(self) -> dict[str, Any]:
        """As an item of the list."""
        feature, value = self.matched
        return {
            "entity_id": self.entity.entity_id,
            "kind": self.entity.kind.value,
            "label": self.entity.label,
            "score": self.score,
            "matched": {"feature": feature, "value": value},
        }


def _hits(look: Look, given: Search) -> list[_Hit]:
    """Everything that answers, in order."""
    if given.identifier is not None:
        found = _by_identifier(look, given.identifier)
    else:
        found = _by_name(look, given.name or "", given.birth)
    return [h for h in found if given.type is None or h.entity.kind is given.type]


def _by_identifier(look: Look, text: str) -> list[_Hit]:
    """The entities that hold an identifier: what it names first, then those it is tied to."""
    wanted = parse_text(text)
    if wanted is None:
        error = {"pointer": "/query/identifier", "message": "write type:value, such as phone:+19155550142"}
        raise INVALID.because("An identifier is written type:value.", [error])
    found = by_identifier(look.conn, wanted.text, look.sight, look.now_ms)
    entity_of = look.picture(found).entity_of
    entities = {e.entity_id: e for p in found if (e := entity_of.get(p)) is not None}
    hits = [
        _Hit(e, 90 if e.kind in NAMED and wanted.type in TIED else 100, (wanted.type, wanted.value))
        for e in entities.values()
    ]
    return sorted(hits, key=lambda h: h.order)


def _by_name(look: Look, name: str, birth: str | None) -> list[_Hit]:
    """The entities with a name like this one, the most alike first."""
    wanted = query(name, birth)
    if wanted is None:
        error = {"pointer": "/query/name", "message": "no legible word in it"}
        raise INVALID.because("A name needs at least one legible word.", [error])
    candidates: dict[str, bytes] = {}
    for keys in wanted.keys:
        if len(candidates) < ENOUGH:
            candidates |= by_name(look.conn, keys, look.sight, look.now_ms)
    alike = {p: likeness(wanted, orjson.loads(features)) for p, features in candidates.items()}
    fitting = sorted((p for p, how in alike.items() if how >= LEAST), key=lambda p: (-alike[p], p))
    chosen = frozenset(fitting[:MOST])
    hits = []
    for entity in look.picture(sorted(chosen)).entities():
        answers = [(-alike[m.profile_id], m.label) for m in entity.named if m.profile_id in chosen]
        if answers:
            hits.append(_Hit(entity, -min(answers)[0], ("name", min(answers)[1])))
    return sorted(hits, key=lambda h: h.order)
