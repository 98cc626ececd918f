"""From what was stored to messages of ``resolutions.v1``; bytes that ``Resolution.from_json`` reads. Pure.

A report's message says what the report is: its version, mentions, profiles, links, and the components of
profiles that it brought. It is written with the report (T1). What fusing changed in components follows in
messages of its own (T3), which may be cut: the first part of a component is ``full``, the others add to it.
Pairs that are possibly the same belong to no component and have messages of their own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import orjson

from services.fusion.core.profile import Comparison, Normalised
from services.fusion.intake import Arrival
from services.fusion.values import Component, Scored, Settled
from shared.contracts.topics import H_SCHEMA, H_TRACEPARENT
from shared.log import NewRecord

T = TypeVar("T")
SCHEMA: Final = "resolution/1"
_PART: Final = 200
"""Pairs or members in one part of a component."""
_GONE: Final = 5_000
_MESSAGE: Final = 400
"""Pairs and members in one message: some 200 kB, far below what a log takes."""


def headers_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a message that a record with ``headers`` caused."""
    found = {H_SCHEMA: SCHEMA}
    if trace := headers.get(H_TRACEPARENT):
        found[H_TRACEPARENT] = trace
    return found


@dataclass(frozen=True, slots=True)
class Stamp:
    """The model that every message names."""

    model: str
    threshold: int

    def of(self, key: str, version: int) -> dict[str, Any]:
        """What every message begins with."""
        return {"key": key, "version": version, "model": self.model, "threshold": self.threshold}


def report_message(
    arrival: Arrival, report_version: int, singles: Sequence[str], stamp: dict[str, Any]
) -> NewRecord:
    """A report's message; ``stamp`` is ``Stamp.of`` its id, ``singles`` the profiles that it brought."""
    body: dict[str, Any] = stamp | {
        "report_id": stamp["key"],
        "report_version": report_version,
        "audience": arrival.audience,
        "accepted_at_ms": arrival.record.timestamp_ms,
    }
    if arrival.live and arrival.record.value is not None:
        body["report"] = orjson.Fragment(arrival.record.value)
        body.update(_content(arrival.normalised))
        body["components"] = [single_state(i, stamp["version"]) for i in singles]
        body["possible_of"] = singles
    else:
        body["live"] = False
    return NewRecord(stamp["key"], orjson.dumps(body), headers_of(arrival.record.headers))


def _content(normalised: Normalised) -> dict[str, Any]:
    """Profiles, mentions and links as their states."""
    profiles = {m.profile.id: m.profile for m in normalised.mentions if m.profile is not None}
    return {
        "profiles": [
            {
                "profile_id": p.id,
                "kind": p.kind,
                "audience": p.audience,
                "label": p.label,
                "features": orjson.Fragment(p.content),
            }
            for p in profiles.values()
        ],
        "mentions": [
            {"local_id": m.local_id, "kind": m.kind, "role": m.role, "profile_id": m.profile and m.profile.id}
            for m in normalised.mentions
        ],
        "links": [
            {
                "source": link.source,
                "target": link.target,
                "type": link.type,
                "confidence": link.confidence,
                "source_local_id": link.source_local_id,
                "target_local_id": link.target_local_id,
            }
            for link in normalised.links
        ],
    }


def single_state(profile_id: str, version: int) -> dict[str, Any]:
    """The component of a profile that stands alone."""
    members = [{"profile_id": profile_id, "entity_id": profile_id}]
    return {"component_id": profile_id, "version": version, "full": True, "members": members}


def settled_messages(
    body: dict[str, Any], headers: Mapping[str, str], settled: Settled
) -> Iterator[NewRecord]:
    """What T3 changed, as messages of bounded size; ``body`` is ``Stamp.of``.

    They share one key, so that they stay in order.
    """
    threshold = body["threshold"]
    states = (part for c in settled.components for part in component_states(c, settled.version, threshold))
    yield from component_messages(body, headers, states)
    for part in _parts(settled.gone, _GONE):
        yield _message(body, headers, gone=part)
    yield from possible_messages(body, headers, settled.possible, settled.whole)


def component_messages(
    body: dict[str, Any], headers: Mapping[str, str], states: Iterable[dict[str, Any]]
) -> Iterator[NewRecord]:
    """Component states as messages."""
    parts: list[dict[str, Any]] = []
    size = 0
    for part in states:
        parts.append(part)
        size += len(part["members"]) + len(part["pairs"])
        if size >= _MESSAGE:
            yield _message(body, headers, components=parts)
            parts, size = [], 0
    if parts:
        yield _message(body, headers, components=parts)


def possible_messages(
    body: dict[str, Any], headers: Mapping[str, str], possible: Sequence[Scored], whole: Sequence[str]
) -> Iterator[NewRecord]:
    """Pairs that are possibly the same, and the profiles of which they are all."""
    for ids in _parts(whole, _GONE):
        yield _message(body, headers, possible_of=ids)
    for pairs in _parts(possible, _MESSAGE):
        yield _message(body, headers, possible=[pair_state(s, body["threshold"]) for s in pairs])


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _message(body: dict[str, Any], headers: Mapping[str, str], **content: Sequence[Any]) -> NewRecord:
    return NewRecord(body["key"], orjson.dumps(body | content), headers_of(headers))


def component_states(component: Component, version: int, threshold: int) -> Iterator[dict[str, Any]]:
    """A component's state, cut: the first part is ``full`` where the whole is, the others add to it."""
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
    """What a comparison worth telling says."""
    if comparison.contradicted:
        return "CONTRADICTED"
    return "SAME" if comparison.weight >= threshold else "POSSIBLE"
