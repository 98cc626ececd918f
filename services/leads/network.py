"""The subject's neighbourhood as a lead shows it: links up to two hops, and priority-list entries."""

from collections import defaultdict
from typing import Any, Final

from services.leads.view import LinkView, View

NODES: Final = 40
EDGES: Final = 80


def neighbourhood(view: View) -> dict[str, Any]:
    """``{nodes, edges, cut}``: entities by hops and id, relations with the reports that assert them."""
    hops = _hops(view)
    order = sorted(hops, key=lambda e: (hops[e], e))
    kept = set(order[:NODES])
    merged: dict[tuple[str, str, str], list[LinkView]] = defaultdict(list)
    for link in view.links:
        if link.source in kept and link.target in kept and link.source != link.target:
            merged[link.source, link.target, str(link.type)].append(link)
    edges = sorted(merged, key=lambda e: (min(hops[e[0]], hops[e[1]]), e))
    return {
        "nodes": [
            {
                "entity_id": e,
                "kind": str(view.entities[e].kind),
                "label": view.entities[e].label,
                "hops": hops[e],
            }
            for e in order[:NODES]
        ],
        "edges": [
            {
                "source": source,
                "target": target,
                "type": kind,
                "confidence": max(x.confidence for x in merged[source, target, kind]),
                "reports": sorted({x.report_id for x in merged[source, target, kind]}),
            }
            for source, target, kind in edges[:EDGES]
        ],
        "cut": len(order) > NODES or len(edges) > EDGES,
    }


def nexus(view: View) -> list[dict[str, Any]]:
    """Active entries of priority lists that the subject's reports name, at most two hops away."""
    hops = _hops(view)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for report in view.reports:
        for listing in report.facts.listings:
            entity = view.entity_of(report.report_id, listing.mention)
            if entity is None or listing.status != "ACTIVE" or entity.entity_id not in hops:
                continue
            found[listing.list, listing.entry_id] = {
                "list": listing.list,
                "entry_id": listing.entry_id,
                "label": entity.label,
                "hops": hops[entity.entity_id],
                "report_id": report.report_id,
            }
    return [found[key] for key in sorted(found)]


def _hops(view: View) -> dict[str, int]:
    """How many links away from the subject each entity is, up to two."""
    near: dict[str, set[str]] = defaultdict(set)
    for link in view.links:
        if link.source in view.entities and link.target in view.entities:
            near[link.source].add(link.target)
            near[link.target].add(link.source)
    hops = {view.subject.entity_id: 0}
    for distance in (1, 2):
        edge = [e for e, d in hops.items() if d == distance - 1]
        for entity in edge:
            for other in near[entity]:
                hops.setdefault(other, distance)
    return hops
