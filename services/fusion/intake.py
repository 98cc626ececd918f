"""From records to arrivals: parse, digest, normalise, and the rules of versions. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from services.fusion.core.profile import Normalised
from services.fusion.resolver import Resolver
from shared.contracts.handling import audience_of
from shared.contracts.judgement import Judgement
from shared.contracts.report import Report
from shared.errors import Poison
from shared.log import Record

_RECEIVED: Final = b'"received_at":"'
_NOTHING: Final = Normalised((), ())


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record of ``reports.v1``, parsed. ``version`` None: a tombstone, the report is expunged.

    ``profiles`` names one profile per resolved mention, so equal ones repeat.
    """

    record: Record
    report_id: str
    version: int | None
    digest: bytes
    live: bool
    audience: str
    normalised: Normalised
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where in the log, and when, something was said last."""

    position: int
    at_ms: int

    def precedes(self, other: "Moment") -> bool:
        """Whether ``other`` came later: by offset or, after a move to another log, by time.

        A worker that lost its partition without noticing may bring an old record after newer ones.
        Versions guard reports against that; tombstones have none, so this does.
        """
        return other.position > self.position or other.at_ms > self.at_ms


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored of a report: its newest version; ``digest`` empty where it was expunged."""

    version: int
    digest: bytes
    live: bool
    moment: Moment
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict on a judgement record; ``verdict`` None: withdrawn, or one that changes nothing here."""

    judgement_id: str
    moment: Moment
    a: str | None
    b: str | None
    same: bool | None


def arrive(record: Record, resolver: Resolver) -> Arrival:
    """Parse and normalise one record of ``reports.v1``; raises ``Poison`` on what can never parse."""
    report_id = record.key.replace("-", "")
    if record.value is None:
        _check_id(report_id, record.key)
        return Arrival(record, report_id, None, b"", False, "*", _NOTHING, ())
    try:
        report = Report.from_json(record.value)
    except ValidationError as error:
        raise Poison(f"not a report: {_first(error)}") from error
    if report.report_id != record.key:
        raise Poison(f"the key {record.key!r} is not the report's id {report.report_id!r}")
    _check_id(report_id, record.key)
    audience = audience_of(report)
    live = report.action != "RETRACT"
    normalised = resolver.normalise(report, audience) if live else _NOTHING
    profiles = tuple(m.profile.id for m in normalised.mentions if m.profile is not None)
    digest = content_digest(record.value)
    return Arrival(record, report_id, report.version, digest, live, audience.key(), normalised, profiles)


def content_digest(raw: bytes) -> bytes:
    """16 bytes that tell versions apart by content: all but the moment at which they were received."""
    start = raw.find(_RECEIVED)
    if start >= 0:
        end = raw.index(b'"', start + len(_RECEIVED))
        raw = raw[:start] + raw[end:]
    return hashlib.blake2b(raw, digest_size=16).digest()


def fold(
    standing: Standing | None, arrivals: Sequence[Arrival]
) -> tuple[Standing | None, Arrival | None, list[tuple[Record, Poison]]]:
    """Apply arrivals of one report in order: what then stands, the arrival it comes from, the refused.

    A repeated version with the same content and an outdated version change nothing; the same version with
    other content is refused. A retracted or expunged version stays known, so that older ones cannot return.
    """
    winner: Arrival | None = None
    refused: list[tuple[Record, Poison]] = []
    for arrival in arrivals:
        moment = moment_of(arrival.record)
        if arrival.version is None:
            if standing is not None and standing.digest and standing.moment.precedes(moment):
                standing, winner = Standing(standing.version, b"", False, moment, ()), arrival
        elif standing is None or arrival.version > standing.version:
            standing = Standing(arrival.version, arrival.digest, arrival.live, moment, arrival.profiles)
            winner = arrival
        elif arrival.version == standing.version and standing.digest not in (b"", arrival.digest):
            message = f"version {arrival.version} of this report came before, with other content"
            refused.append((arrival.record, Poison(message, step="version")))
    return standing, winner, refused


def moment_of(record: Record) -> Moment:
    """Where and when the log took a record."""
    return Moment(record.position.offset, record.timestamp_ms)


def decide(record: Record) -> Decision:
    """Parse one record of ``judgements.v1``; raises ``Poison`` on what can never parse.

    A judgement for the author's agency alone leaves the whole picture as it is, as does an unsure one.
    """
    judgement_id = record.key.replace("-", "")
    _check_id(judgement_id, record.key)
    nothing = Decision(judgement_id, moment_of(record), None, None, None)
    if record.value is None:
        return nothing
    try:
        judgement = Judgement.from_json(record.value)
    except ValidationError as error:
        raise Poison(f"not a judgement: {_first(error)}") from error
    if judgement.own_agency_only or judgement.verdict == "UNSURE" or judgement.a == judgement.b:
        return nothing
    a, b = sorted((judgement.a, judgement.b))
    return Decision(judgement_id, moment_of(record), a, b, judgement.verdict == "SAME")


def _check_id(digits: str, key: str) -> None:
    try:
        valid = len(digits) == 32 and len(bytes.fromhex(digits)) == 16
    except ValueError:
        valid = False
    if not valid:
        raise Poison(f"the key {key!r} is not a UUID")


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = "/".join(str(part) for part in first["loc"])
    return f"{place or 'the document'}: {first['msg']}"
