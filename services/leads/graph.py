"""The neighbourhood of an entity: whom the visible reports link to it, and to whom these are linked."""

from collections.abc import Iterable
from typing import Any, Final

from services.leads.entity import Entity
from services.leads.reading import Look
from services.leads.report_store import LinkRow, dashed, newest_links

FAN: Final = 25
"""Newest links of each profile, in each direction, that are followed."""
SHOWN: Final = 20
"""Newest reports that an edge names."""


def neighbourhood(look: Look, start: Entity, hops: int, limit: int) -> tuple[dict[str, Any], set[str]]:
    """``{nodes, edges, cut}`` up to ``hops`` links away with at most ``limit`` nodes, and the reports used.

    Nearer entities come first, of equally near ones those linked by the newest report.
    """
    nodes: dict[str, tuple[Entity, int]] = {start.entity_id: (start, 0)}
    edges: dict[tuple[str, str, str], list[LinkRow]] = {}
    left_out: set[str] = set()
    frontier = [start]
    for hop in range(1, hops + 1):
        rows = newest_links(look.conn, [p for e in frontier for p in e.profile_ids], FAN, look.now_ms)
        known = look.picture([p for x in rows for p in (x.source, x.target)]).entity_of
        reached: list[Entity] = []
        for x in rows:
            source, target = known.get(x.source), known.get(x.target)
            if source is None or target is None or source.entity_id == target.entity_id:
                continue
            for e in (source, target):
                if e.entity_id not in nodes:
                    if len(nodes) >= limit:
                        left_out.add(e.entity_id)
                        continue
                    nodes[e.entity_id] = (e, hop)
                    reached.append(e)
            found = edges.setdefault((source.entity_id, target.entity_id, x.type), [])
            if x not in found:
                found.append(x)
        frontier = reached
    shown = {k: rows for k, rows in edges.items() if k[0] in nodes and k[1] in nodes}
    body = {
        "nodes": [_node(e, hop) for e, hop in nodes.values()],
        "edges": [_edge(k, rows) for k, rows in sorted(shown.items())],
        "cut": {"nodes": len(left_out), "edges": len(edges) - len(shown), "links_per_profile": FAN},
    }
    return body, {x.report_id for rows in shown.values() for x in rows}


def _node(entity: Entity, hops: int) -> dict[str, Any]:
    return {
        "entity_id": entity.entity_id,
        "kind": entity.kind.value,
        "label": entity.label,
        "hops": hops,
        "profiles": len(entity.members),
    }


def _edge(key: tuple[str, str, str], rows: Iterable[LinkRow]) -> dict[str, Any]:
    newest = sorted(rows, key=lambda x: (-x.event_ms, x.report_id))
    return {
        "source": key[0],
        "target": key[1],
        "type": key[2],
        "confidence": max(x.confidence for x in newest) / 1000,
        "reports": [dashed(r) for r in dict.fromkeys(x.report_id for x in newest)][:SHOWN],
    }
