"""The golden record: what is known of an entity, every value with the reports that say so. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.leads import marking
from services.leads.entity import Entity
from services.leads.heads import Head

SOURCES: Final = 20
"""Newest sources that are shown of one value."""


def golden(
    entity: Entity, heads: Mapping[str, Head], reports_of: Mapping[str, list[str]], count: int, *, cut: bool
) -> dict[str, Any]:
    """The record; ``reports_of`` gives each profile's newest reports, ``cut``: some are left out."""
    sources: dict[tuple[str, str], dict[str, Head]] = defaultdict(dict)
    for m in entity.named:
        for feature, values in m.values().items():
            for value in values:
                sources[feature, value].update(
                    {r: heads[r] for r in reports_of.get(m.profile_id, ()) if r in heads}
                )
    used = {r: heads[r] for rs in reports_of.values() for r in rs if r in heads}
    newest = _newest(used.values())
    return {
        "entity_id": entity.entity_id,
        "kind": entity.kind.value,
        "label": entity.label,
        "values": [
            {
                "feature": feature,
                "value": value,
                "sources": [h.source() for h in _newest(found.values())[:SOURCES]],
            }
            for (feature, value), found in sorted(sources.items())
            if feature != "ncii"
        ],
        "profiles": entity.profile_ids,
        "reports": {
            "count": count,
            "cut": cut,
            "first": newest[-1].at if newest else None,
            "last": newest[0].at if newest else None,
            "feeds": sorted({h.feed for h in newest}),
            "agencies": sorted({h.agency for h in newest}),
        },
        "contacts": contacts(newest),
        "marking": marking.derive(h.handling for h in newest).cui,
    }


def contacts(heads: Iterable[Head]) -> list[dict[str, Any]]:
    """Whom to call at each agency: the contact of its newest report."""
    newest: dict[str, Head] = {}
    for h in sorted(heads, key=lambda h: (h.received_at, h.report_id)):
        newest[h.agency] = h
    return [newest[agency].contact for agency in sorted(newest)]


def _newest(heads: Iterable[Head]) -> list[Head]:
    return sorted(sorted(heads, key=lambda h: h.report_id), key=lambda h: h.at, reverse=True)
