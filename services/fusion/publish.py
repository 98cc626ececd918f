"""From what was stored to messages of ``resolutions.v1``; bytes that ``Resolution.from_json`` reads. Pure.

A report's message says what the report is: its version, mentions, profiles, links, and the components of
profiles that it brought. It is written with the report (T1). What fusing changed in components follows in
messages of its own (T3), which may be cut: the first part of a component is ``full``, the others add to it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from services.fusion.core.profile import Comparison
from services.fusion.intake import Arrival
from services.fusion.values import Component, Held, Scored, Settled
from shared.contracts.topics import H_SCHEMA, H_TRACEPARENT
from shared.log import NewRecord

SCHEMA: Final = "resolution/1"
_PART: Final = 200
"""Pairs or members in one part of a component."""
_MESSAGE: Final = 400
"""Pairs and members in one message: some 200 kB, far below what a log takes."""


def headers_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a message that a record with ``headers`` caused."""
    found = {H_SCHEMA: SCHEMA}
    if trace := headers.get(H_TRACEPARENT):
        found[H_TRACEPARENT] = trace
    return found


def report_body(arrival: Arrival, version: int, model: str) -> dict[str, Any]:
    """A report's message, but for its components; ``version`` is the report's own."""
    report_id = str(UUID(arrival.report_id))
    body: dict[str, Any] = {
        "key": report_id,
        "report_id": report_id,
        "report_version": version,
        "audience": arrival.audience,
        "model": model,
        "accepted_at_ms": arrival.record.timestamp_ms,
    }
    if not arrival.live or arrival.record.value is None:
        body["live"] = False
        return body
    normalised = arrival.normalised
    profiles = {m.profile.id: m.profile for m in normalised.mentions if m.profile is not None}
    body["report"] = orjson.Fragment(arrival.record.value)
    body["profiles"] = [
        {
            "profile_id": p.id,
            "kind": p.kind,
            "audience": p.audience,
            "label": p.label,
            "features": orjson.Fragment(p.content),
        }
        for p in profiles.values()
    ]
    body["mentions"] = [
        {"local_id": m.local_id, "kind": m.kind, "role": m.role, "profile_id": m.profile and m.profile.id}
        for m in normalised.mentions
    ]
    body["links"] = [
        {
            "source": link.source,
            "target": link.target,
            "type": link.type,
            "confidence": link.confidence,
            "source_local_id": link.source_local_id,
            "target_local_id": link.target_local_id,
        }
        for link in normalised.links
    ]
    return body


def report_message(arrival: Arrival, body: dict[str, Any], singles: Iterable[str], version: int) -> NewRecord:
    """A report's message; ``singles`` are profiles it brought, each alone in its component."""
    body["components"] = [
        {
            "component_id": i,
            "version": version,
            "full": True,
            "members": [{"profile_id": i, "entity_id": i}],
        }
        for i in singles
    ]
    body["version"] = version
    return NewRecord(body["key"], orjson.dumps(body), headers_of(arrival.record.headers))


def component_messages(
    settled: Settled, key: str, headers: Mapping[str, str], model: str, threshold: int
) -> Iterator[NewRecord]:
    """What T3 changed, as messages of bounded size under one key, so that they stay in order."""
    parts: list[dict[str, Any]] = []
    gone: Sequence[str] = settled.gone
    size = 0
    for component in settled.components:
        for part in _parts(component, settled.version, threshold):
            parts.append(part)
            size += len(part["members"]) + len(part["pairs"])
            if size >= _MESSAGE:
                yield _message(key, headers, model, settled.version, parts, ())
                parts, size = [], 0
    for start in range(0, max(len(gone), 1), 10_000):
        yield _message(key, headers, model, settled.version, parts, gone[start : start + 10_000])
        parts = []


def _message(
    key: str,
    headers: Mapping[str, str],
    model: str,
    version: int,
    parts: Sequence[dict[str, Any]],
    gone: Sequence[str],
) -> NewRecord:  # fmt: skip
    body = {"key": key, "components": parts, "gone": gone, "version": version, "model": model}
    return NewRecord(key, orjson.dumps(body), headers_of(headers))


def _parts(component: Component, version: int, threshold: int) -> Iterator[dict[str, Any]]:
    """A component's state, cut: members first, so that a reader knows them before their pairs."""
    members = [{"profile_id": i, "entity_id": e} for i, e in component.members.items()]
    for start in range(0, max(len(members), len(component.pairs), 1), _PART):
        yield {
            "component_id": component.leader,
            "version": version,
            "full": component.full and start == 0,
            "split": component.split,
            "members": members[start : start + _PART],
            "pairs": [pair_state(s, threshold) for s in component.pairs[start : start + _PART]],
        }


def pair_state(scored: Scored, threshold: int) -> dict[str, Any]:
    """A pair as ``PairState``."""
    return {
        "a": scored.a,
        "b": scored.b,
        "weight": scored.comparison.weight,
        "verdict": verdict(scored.comparison, threshold),
        "evidence": [
            {"feature": r.feature, "a": r.a, "b": r.b, "level": r.level, "weight": r.weight}
            for r in scored.comparison.rows
        ],
    }


def verdict(comparison: Comparison, threshold: int) -> str:
    """What a comparison worth remembering says."""
    if comparison.contradicted:
        return "CONTRADICTED"
    return "SAME" if comparison.weight >= threshold else "POSSIBLE"


__all__ = [
    "Held",
    "component_messages",
    "headers_of",
    "pair_state",
    "report_body",
    "report_message",
    "verdict",
]
