"""A world for tests of the picture: invented reports in, the resolver's messages out, by the reference."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.fusion.core.compare import compare
from services.fusion.core.model import Model, load
from services.fusion.core.normalise import normalise
from services.fusion.core.profile import Link, Profile
from services.fusion.core.reference import pairs_of
from shared.contracts.handling import Audience, audience_of
from shared.contracts.judgement import Judgement
from shared.contracts.report import Report, report_id_of
from shared.contracts.resolution import (
    ComponentState,
    LinkState,
    MemberState,
    MentionState,
    PairState,
    ProfileState,
    Resolution,
)
from shared.contracts.topics import JUDGEMENTS, RESOLUTIONS
from shared.log import Position, Record
from shared.partition import Judged, Pair, partition

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMESPACE = UUID("6f1c9b52-7d7e-4f0f-9e0a-000000000000")


def report(no: str, agency: str = "TXZZZ0001", feed: str = "EPIC", **given: Any) -> Report:
    """An invented report; ``given`` overrides fields, ``handling`` and ``facts`` are merged."""
    content: dict[str, Any] = {
        "report_id": report_id_of(agency, no),
        "feed": feed,
        "schema": "EPIC.SEIZURE/1",
        "source_report_no": no,
        "action": "INSERT",
        "version": 1,
        "received_at": NOW - timedelta(days=1),
        "event_start": NOW - timedelta(days=2),
        "originator": {"agency_id": agency, "contact_name": "Duty Desk", "phone": "+19155550100"},
        "case_no": f"C-{agency}",
        "legal_basis": {"kind": "BORDER_SEARCH", "reference": "19 USC 1581"},
        "evaluation": {"reliability": "A", "credibility": "1"},
        "retention": {"class": "OBSERVATION", "review_by": "2026-05-01", "retain_until": "2026-05-30"},
    }
    content |= given
    content["handling"] = {"cui": "CUI", "tlp": "GREEN", "share": "GREEN"} | given.get("handling", {})
    content["facts"] = {"kind": "SEIZURE"} | given.get("facts", {})
    return Report.model_validate(content)


@dataclass
class World:
    """Live reports and judgements; every change gives the message that fusion would send."""

    model: Model = field(default_factory=load)
    reports: dict[str, Report] = field(default_factory=dict)
    judgements: dict[str, Judgement] = field(default_factory=dict)
    version: int = 0
    offset: int = 0
    sent: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)
    profiles: dict[str, Profile] = field(default_factory=dict)

    def put(self, given: Report) -> Record:
        """Insert or update a report."""
        self.reports[given.report_id] = given
        return self._message(given.report_id)

    def retract(self, report_id: str) -> Record:
        """Withdraw a report."""
        del self.reports[report_id]
        return self._message(report_id)

    def judge(
        self, a: str, b: str, verdict: str, agency: str = "TXZZZ0001", *, own: bool = False
    ) -> list[Record]:
        """Decide about two profiles: the judgement, and what fusion says of it."""
        a, b = sorted((a, b))
        said = Judgement(
            judgement_id=str(uuid5(NAMESPACE, f"{a}{b}{verdict}{agency}{own}")),
            a=a,
            b=b,
            verdict=verdict,  # type: ignore[arg-type]
            reason="seen in person",
            author="analyst",
            agency=agency,
            own_agency_only=own,
            at=NOW,
        )
        self.judgements[said.judgement_id] = said
        return [
            self._record(JUDGEMENTS.name, said.judgement_id, said.to_json()),
            self._message(said.judgement_id, is_report=False),
        ]

    def withdraw(self, judgement_id: str) -> list[Record]:
        """Take a judgement back."""
        del self.judgements[judgement_id]
        return [
            self._record(JUDGEMENTS.name, judgement_id, None),
            self._message(judgement_id, is_report=False),
        ]

    def _message(self, key: str, *, is_report: bool = True) -> Record:
        self.version += 1
        live = self.reports.get(key)
        normalised = normalise(live, audience_of(live), self.model) if live else None
        profiles = {
            m.profile.id: m.profile
            for r in self.reports.values()
            for m in normalise(r, audience_of(r), self.model).mentions
            if m.profile
        }
        gone = sorted(self.profiles.keys() - profiles.keys())
        pairs = pairs_of(profiles.values(), self.model)
        possible, whole = self._possible(profiles, pairs)
        self.profiles = profiles
        mentions = normalised.mentions if normalised else ()
        fresh = {m.profile.id: m.profile for m in mentions if m.profile}
        message = Resolution(
            key=key,
            report_id=key if is_report else None,
            live=live is not None,
            audience=audience_of(live).key() if live else "*",
            report=live,
            profiles=tuple(_profile(p) for p in fresh.values()),
            mentions=tuple(
                MentionState(
                    local_id=m.local_id,
                    kind=m.kind,
                    role=m.role,
                    profile_id=m.profile.id if m.profile else None,
                )
                for m in mentions
            ),
            links=tuple(_link(x) for x in (normalised.links if normalised else ())),
            components=tuple(self._components(profiles, [p for p in pairs if self._decides(p)])),
            gone=tuple(gone),
            possible=tuple(self._pair(p, profiles) for p in possible),
            possible_of=tuple(whole),
            version=self.version,
            model=self.model.version,
            accepted_at_ms=1_000 + self.version,
        )
        return self._record(RESOLUTIONS.name, key, message.to_json())

    def _decides(self, pair: Pair) -> bool:
        return pair.contradicted or pair.weight >= self.model.threshold

    def _possible(
        self, profiles: Mapping[str, Profile], pairs: Sequence[Pair]
    ) -> tuple[list[Pair], list[str]]:
        """The possible pairs to tell, and the profiles of which they are all."""
        now = {(p.a, p.b): p for p in pairs if not self._decides(p)}
        ceased = {i for ends in self.told - now.keys() for i in ends if i in profiles}
        whole = ceased | (profiles.keys() - self.profiles.keys())
        told, self.told = self.told, set(now)
        return [p for ends, p in now.items() if ends not in told or not whole.isdisjoint(ends)], sorted(whole)

    def _components(self, profiles: Mapping[str, Profile], pairs: Sequence[Pair]) -> Iterable[ComponentState]:
        """The components that differ from what was last said of their members."""
        judged = [
            Judged(j.a, j.b, j.verdict == "SAME")
            for j in self.judgements.values()
            if j.verdict != "UNSURE" and not j.own_agency_only
        ]
        widths = {p.id: Audience.parse(p.audience).width for p in profiles.values()}
        entity = partition(widths, pairs, judged, self.model.threshold).entity
        for members in _connected(profiles, pairs):
            inside = [p for p in pairs if p.a in members and p.b in members]
            state = (
                tuple(MemberState(profile_id=m, entity_id=entity[m]) for m in sorted(members)),
                tuple(self._pair(p, profiles) for p in inside),
            )
            if all(self.sent.get(m) == state for m in members):
                continue
            self.sent.update(dict.fromkeys(members, state))
            yield ComponentState(
                component_id=min(members),
                version=self.version,
                full=True,
                split=len({entity[m] for m in members}) > 1,
                members=state[0],
                pairs=state[1],
            )

    def _pair(self, pair: Pair, profiles: Mapping[str, Profile]) -> PairState:
        verdict = "SAME" if pair.weight >= self.model.threshold else "POSSIBLE"
        found = compare(profiles[pair.a], profiles[pair.b], self.model)
        return PairState(
            a=pair.a,
            b=pair.b,
            weight=pair.weight,
            verdict="CONTRADICTED" if pair.contradicted else verdict,  # type: ignore[arg-type]
            evidence=found.rows,
        )

    def _record(self, topic: str, key: str, value: bytes | None) -> Record:
        self.offset += 1
        return Record(Position(topic, hash(key) % 4, self.offset), key, value, {}, 0)


def _link(x: Link) -> LinkState:
    return LinkState(
        source=x.source,
        target=x.target,
        type=x.type,
        confidence=x.confidence,
        source_local_id=x.source_local_id,
        target_local_id=x.target_local_id,
    )


def _profile(p: Profile) -> ProfileState:
    return ProfileState(
        profile_id=p.id, kind=p.kind, audience=p.audience, label=p.label, features=dict(p.features)
    )


def _connected(profiles: Mapping[str, Profile], pairs: Iterable[Pair]) -> list[set[str]]:
    """Connected sets over the pairs that are not contradicted."""
    home = {p: {p} for p in profiles}
    for pair in pairs:
        if not pair.contradicted and home[pair.a] is not home[pair.b]:
            joined = home[pair.a] | home[pair.b]
            for p in joined:
                home[p] = joined
    return list({min(s): s for s in home.values()}.values())
