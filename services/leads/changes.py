"""From messages to rows: what ``resolutions.v1`` and ``judgements.v1`` say of the picture. Pure.

Rows carry the resolver's versions, and the newest of a key holds: messages may come twice and in any order
across partitions.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import lz4.block
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.leads.access import agency_audience, audience_id, standing
from services.leads.clock import NO_REPORT, ms
from services.leads.screen import Clues, clues_of_mention, clues_of_report
from services.leads.search import identifiers, name_keys
from shared.contracts.entities import Kind
from shared.contracts.handling import OPEN, Audience
from shared.contracts.judgement import Judgement
from shared.contracts.resolution import LinkState, MemberState, MentionState, ProfileState
from shared.contracts.topics import JUDGEMENTS
from shared.errors import Poison
from shared.log import Record

STEP: Final = "project"
Row = dict[str, Any]


class Pair(BaseModel):
    """A ``PairState`` whose evidence stays as it is."""

    a: str
    b: str
    weight: int
    verdict: str
    evidence: list[dict[str, Any]] = []


class Component(BaseModel):
    """A ``ComponentState``."""

    component_id: str
    version: int
    full: bool
    split: bool = False
    members: tuple[MemberState, ...]
    pairs: tuple[Pair, ...] = ()


class Incoming(BaseModel):
    """A ``Resolution`` as read here: its report stays as it is, for ingest and fusion have checked it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    report_id: str | None = None
    live: bool = True
    audience: str = "*"
    report: dict[str, Any] | None = None
    profiles: tuple[ProfileState, ...] = ()
    mentions: tuple[MentionState, ...] = ()
    links: tuple[LinkState, ...] = ()
    components: tuple[Component, ...] = ()
    gone: tuple[str, ...] = ()
    possible: tuple[Pair, ...] = ()
    possible_of: tuple[str, ...] = ()
    version: int
    model: str = ""
    threshold: int | None = None
    accepted_at_ms: int | None = None


@dataclass(slots=True)
class Changes:
    """What a batch of messages says, by table and key; of several states of one key the newest is kept."""

    audiences: dict[int, str] = field(default_factory=dict)
    models: dict[str, Row] = field(default_factory=dict)
    reports: dict[str, Row] = field(default_factory=dict)
    mentions: dict[str, list[Row]] = field(default_factory=dict)
    links: dict[str, list[Row]] = field(default_factory=dict)
    clues: dict[str, list[tuple[str, Clues]]] = field(default_factory=dict)
    """What each report gives to rules about the profiles that it mentions, by report."""
    profiles: dict[str, Row] = field(default_factory=dict)
    members: dict[str, Row] = field(default_factory=dict)
    pairs: dict[tuple[str, str], Row] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    """Since when a profile's possible pairs are told anew, by profile."""
    shaken: set[str] = field(default_factory=set)
    """Components of several profiles: what they look like to their neighbours may change."""
    judgements: dict[str, Row | None] = field(default_factory=dict)
    """By id; without a body: withdrawn; None: withdrawn, and came before this batch."""
    accepted: dict[str, int] = field(default_factory=dict)
    """When the oldest report that touches a profile was accepted, by profile."""

    report_accepted: dict[str, int] = field(default_factory=dict)
    """When the version that a report's row reflects was accepted, by report."""

    def touch(self, profile_ids: Iterable[str], accepted_ms: int) -> None:
        """Remember that these profiles' entities are to be evaluated."""
        for p in profile_ids:
            self.accepted[p] = min(accepted_ms, self.accepted.get(p, NO_REPORT))


def read(record: Record, changes: Changes) -> None:
    """Add what one record says; raises ``Poison``."""
    try:
        if record.position.topic == JUDGEMENTS.name:
            _judgement(record, changes)
        elif record.value is not None:
            _resolution(Incoming.model_validate(orjson.loads(record.value)), record.timestamp_ms, changes)
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        raise Poison(f"{record.position.topic}: {error}", step=STEP) from error


def _resolution(message: Incoming, sent_ms: int, changes: Changes) -> None:
    """What a message says; what no report caused is as old as its message."""
    accepted = sent_ms if message.accepted_at_ms is None else message.accepted_at_ms
    if message.threshold is not None:
        row: Row = {"name": message.model, "threshold": message.threshold, "version": message.version}
        _newest(changes.models, message.model, row)
    if message.report_id is not None:
        _report(message, accepted, changes)
    for p in message.profiles:
        audience = Audience.parse(p.audience)
        _newest(changes.profiles, p.profile_id, _profile(p, audience, message.version), "content_version")
        changes.audiences[audience_id(p.audience)] = p.audience
    for p_id in message.gone:
        _newest(changes.profiles, p_id, _profile(None, OPEN, message.version, p_id), "content_version")
    for p_id in (*message.gone, *message.possible_of):
        changes.told[p_id] = max(message.version, changes.told.get(p_id, 0))
    for pair in message.possible:
        _newest(changes.pairs, (pair.a, pair.b), _pair(pair, message.version))
    for c in message.components:
        _component(c, changes)
        changes.touch((m.profile_id for m in c.members), accepted)
    changes.touch((m.profile_id for m in message.mentions if m.profile_id), accepted)
    changes.touch(message.gone, accepted)


def _report(message: Incoming, accepted: int, changes: Changes) -> None:
    """The report's row, and those of its mentions and links; a withdrawn report keeps its number only."""
    report_id = str(message.report_id).replace("-", "")
    known = changes.reports.get(report_id)
    if known is not None and known["version"] > message.version:
        return
    content = message.report if message.live else None
    row: Row = {
        "report_id": report_id, "version": message.version, "live": False, "audience_id": 0, "feed": "",
        "agency": "", "kind": "", "predicated": False, "event_ms": 0, "until_ms": 0, "body": None,
    }  # fmt: skip
    changes.mentions[report_id], changes.links[report_id], changes.clues[report_id] = [], [], []
    if content is not None:
        number = audience_id(message.audience)
        changes.audiences[number] = message.audience
        row |= {
            "live": True,
            "audience_id": number,
            "feed": content["feed"],
            "agency": content["originator"]["agency_id"],
            "kind": content["facts"]["kind"],
            "predicated": (content.get("predicate") or {}).get("basis", "TIP_UNVETTED") != "TIP_UNVETTED",
            "event_ms": ms(datetime.fromisoformat(content["event_start"])),
            "until_ms": _until_ms(content),
            "body": orjson.dumps(content),
        }
        changes.mentions[report_id] = _mentions(message, row, content)
        changes.links[report_id] = _links(message, row)
        changes.clues[report_id] = _clues(message, content)
    changes.reports[report_id] = row
    changes.report_accepted[report_id] = accepted


def _mentions(message: Incoming, row: Row, content: dict[str, Any]) -> list[Row]:
    labels = {p.profile_id: p.label for p in message.profiles}
    persons = {p["local_id"]: p for p in content.get("persons", ())}
    nobody: dict[str, Any] = {}
    return [
        {
            "report_id": row["report_id"],
            "local_id": m.local_id,
            "profile_id": m.profile_id,
            "kind": m.kind.value,
            "role": m.role.value,
            "label": labels.get(m.profile_id, ""),
            "standing": standing(
                m.role.value,
                ncii=persons.get(m.local_id, nobody).get("ncii", False),
                juvenile=persons.get(m.local_id, nobody).get("juvenile", False),
            ),
            "event_ms": row["event_ms"],
            "until_ms": row["until_ms"],
        }
        for m in message.mentions
        if m.profile_id is not None
    ]


def _clues(message: Incoming, content: dict[str, Any]) -> list[tuple[str, Clues]]:
    given = clues_of_report(content)
    nowhere = {x["local_id"] for x in content.get("locations", ()) if not x.get("address")}
    return [
        (m.profile_id, clues_of_mention(given, m.role.value, nowhere=m.local_id in nowhere))
        for m in message.mentions
        if m.profile_id is not None
    ]


def _links(message: Incoming, row: Row) -> list[Row]:
    protected = {m.local_id for m in message.mentions if standing(m.role.value)}
    return [
        {
            "report_id": row["report_id"],
            "ordinal": i,
            "source": x.source,
            "target": x.target,
            "type": x.type.value,
            "confidence": round(x.confidence * 1000),
            "source_local_id": x.source_local_id,
            "target_local_id": x.target_local_id,
            "shown": protected.isdisjoint((x.source_local_id, x.target_local_id)),
            "event_ms": row["event_ms"],
            "until_ms": row["until_ms"],
        }
        for i, x in enumerate(message.links)
    ]


def _profile(state: ProfileState | None, audience: Audience, version: int, profile_id: str = "") -> Row:
    """What a profile says; without a state that it is gone."""
    if state is None:
        return {
            "profile_id": profile_id, "kind": "", "audience_id": 0, "width": 0, "features": b"",
            "content_version": version,
        }  # fmt: skip
    return {
        "profile_id": state.profile_id,
        "kind": state.kind.value,
        "audience_id": audience_id(state.audience),
        "width": audience.width,
        "features": orjson.dumps(state.features),
        "content_version": version,
    }


def search_rows(profile: Row) -> tuple[list[Row], list[Row]]:
    """The rows of the identifier and name indexes for a profile's row."""
    p, features = profile["profile_id"], orjson.loads(profile["features"])
    numbers = [{"value": v, "profile_id": p} for v in identifiers(features)]
    keys = name_keys(Kind(profile["kind"]), features)
    return numbers, [{"key": k, "audience_id": profile["audience_id"], "profile_id": p} for k in keys]


def _component(state: Component, changes: Changes) -> None:
    for m in state.members:
        row = {
            "profile_id": m.profile_id,
            "component_id": state.component_id,
            "split": state.split,
            "version": state.version,
        }
        _newest(changes.members, m.profile_id, row)
    for p in state.pairs:
        _newest(changes.pairs, (p.a, p.b), _pair(p, state.version))
    if not state.full or len(state.members) > 1 or state.pairs:
        changes.shaken.add(state.component_id)


def _pair(state: Pair, version: int) -> Row:
    return {
        "a": state.a,
        "b": state.b,
        "weight": state.weight,
        "verdict": state.verdict,
        "evidence": lz4.block.compress(orjson.dumps(state.evidence)),
        "version": version,
    }


def _judgement(record: Record, changes: Changes) -> None:
    key = record.key.replace("-", "")
    if record.value is None:
        known = changes.judgements.get(key)
        changes.judgements[key] = known and known | {"body": None}
        return
    known = changes.judgements.get(key, {"body": b""})
    if known is None or known["body"] is None:
        return  # withdrawn: its number is never used again
    judgement = Judgement.from_json(record.value)
    row = judgement_row(judgement)
    changes.judgements[key] = row
    changes.audiences[row["audience_id"]] = judgement_audience(judgement)


def judgement_audience(judgement: Judgement) -> str:
    """The audience key of a judgement itself: open, or its author's agency alone."""
    return agency_audience(judgement.agency).key() if judgement.own_agency_only else OPEN.key()


def judgement_row(judgement: Judgement) -> Row:
    """A judgement's row."""
    a, b = sorted((judgement.a, judgement.b))
    return {
        "judgement_id": judgement.judgement_id.replace("-", ""),
        "a": a,
        "b": b,
        "verdict": judgement.verdict,
        "agency": judgement.agency,
        "audience_id": audience_id(judgement_audience(judgement)),
        "body": judgement.to_json(),
    }


def _newest(states: dict[Any, Row], key: object, row: Row, version: str = "version") -> None:
    known = states.get(key)
    if known is None or row[version] >= known[version]:
        states[key] = row


def _until_ms(content: dict[str, Any]) -> int:
    """As ``access.until``, of a report that is not parsed."""
    last = date.fromisoformat(content["retention"]["retain_until"])
    end = datetime.combine(last, time(), UTC) + timedelta(days=1)
    expires = content["legal_basis"].get("expires")
    return ms(min(end, datetime.fromisoformat(expires)) if expires else end)
