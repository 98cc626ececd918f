"""From a view and what the rules found in it to a lead: everything that its reader needs, in words. Pure.

Every part comes from the view, so from what its viewers may see; its times are those of its reports. The
network around the subject is added when the lead is read (``network``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from anyascii import anyascii

from services.leads import marking, network
from services.leads.access import until
from services.leads.clock import ms
from services.leads.rules import RULES, findings
from services.leads.rules.admissible import admissible
from services.leads.rules.events import place_of
from services.leads.rules.finding import Finding
from services.leads.rules.words import listed
from services.leads.scoring import Band, Score, confidence, score
from services.leads.view import View
from shared.contracts.entities import Kind
from shared.contracts.report import Report

TYPES: Final[Mapping[Kind, str]] = {
    Kind.PERSON: "PERSON",
    Kind.ORGANIZATION: "ORGANIZATION",
    Kind.ACCOUNT: "ACCOUNT",
    Kind.VEHICLE: "CONVEYANCE",
    Kind.VESSEL: "CONVEYANCE",
    Kind.AIRCRAFT: "CONVEYANCE",
    Kind.CONTAINER: "CONVEYANCE",
    Kind.LOCATION: "PLACE",
}
"""Type of a lead by its subject's kind; any other kind is an IDENTIFIER."""
FRESH: Final = timedelta(days=7)
"""A lead is evaluated again after so long, for weights fall by the day."""
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:interlock:lead")
_TITLES: Final = {rule.number: rule.title for rule in RULES}
_ACTIONS: Final[Mapping[Band, str]] = {
    Band.URGENT: "Call the owning agencies today, before anybody acts on the subject.",
    Band.HIGH: "Call the owning agencies this week and agree who leads.",
    Band.ROUTINE: "Review the evidence and the gaps; call the owning agencies if it holds.",
    Band.HELD: "Keep: too little to act on. It rises by itself when more is reported.",
}


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead to store: ``score`` in hundredths; ``tags`` are what lists filter by; times in milliseconds."""

    lead_id: str
    subject: str
    score: int
    updated_ms: int
    reconsider_ms: int
    tags: frozenset[str]
    item: dict[str, Any]
    body: dict[str, Any]


def lead_id_of(entity_id: str) -> str:
    """The id of the lead about an entity: equal for all who know the entity by this id."""
    return str(uuid5(_NAMESPACE, entity_id))


def lead_of(view: View) -> Lead | None:
    """The lead about the view's subject; None where no rule fires, or not enough does."""
    readable = admissible(view)
    if readable is None:
        return None
    found = findings(readable)
    reports = {r.report_id: r for r in readable.reports}
    scored = score(found, reports, view.now) if found else None
    if scored is None:
        return None
    item = _item(readable, found, scored)
    body = item | _details(readable, found, scored)
    updated = max(r.received_at for r in readable.reports)
    return Lead(
        item["lead_id"],
        view.subject.entity_id,
        scored.value,
        ms(updated),
        ms(_reconsider(readable, scored)),
        _tags(item),
        item,
        body,
    )


def _reconsider(view: View, scored: Score) -> datetime:
    """When time alone changes the lead: its band falls, a report ends, or the score is not fresh."""
    falls = datetime(scored.decays_on.year, scored.decays_on.month, scored.decays_on.day, tzinfo=UTC)
    ends = min(until(r) for r in view.reports)
    return max(view.now + timedelta(hours=1), min(falls, ends, view.now + FRESH))


def _item(view: View, found: tuple[Finding, ...], scored: Score) -> dict[str, Any]:
    supporting = {e.report_id for f in found for e in f.evidence}
    used = [r for r in view.reports if r.report_id in supporting]
    titles = [_TITLES[f.rule] for f in found]
    return {
        "lead_id": lead_id_of(view.subject.entity_id),
        "title": f"{view.subject.label}: {listed(titles[:1] + [t.lower() for t in titles[1:]])}",
        "summary": _summary(found, used),
        "type": TYPES.get(view.subject.kind, "IDENTIFIER"),
        "subject": {
            "entity_id": view.subject.entity_id,
            "kind": str(view.subject.kind),
            "label": view.subject.label,
        },
        "score": scored.value / 100,
        "band": str(scored.band),
        "rules": [f.rule for f in found],
        "convergence": {
            "feeds": sorted({r.feed for r in used}),
            "agencies": sorted({r.originator.agency_id for r in used}),
            "states": sorted({s for r in used for s in _states(r)}),
        },
        "state": "CANDIDATE",
        "decay_date": scored.decays_on.isoformat(),
        "marking": marking.derive(r.handling for r in view.reports).cui,
        "releasable": scored.releasable,
        "reports": [r.report_id for r in used],
        "updated_at": _stamp(max(r.received_at for r in view.reports)),
    }


def _summary(found: tuple[Finding, ...], used: list[Report]) -> str:
    """Why it matters, in two sentences."""
    strongest = max(found, key=lambda f: (f.points, f.rule))
    agencies = sorted({r.originator.agency_id for r in used})
    if len(agencies) == 1:
        return f"{strongest.text} All of it comes from {agencies[0]}: ask others what they know."
    return f"{strongest.text} {listed(agencies)} each hold a part of it: none sees the whole alone."


def _states(report: Report) -> Iterable[str]:
    """US states in which the reported event took place."""
    place = place_of(report)
    if place is not None and place.state and place.country in (None, "US"):
        yield place.state
    yield from (t.branch_state for t in report.facts.transactions if t.branch_state)


def _details(view: View, found: tuple[Finding, ...], scored: Score) -> dict[str, Any]:
    reports = {r.report_id: r for r in view.reports}
    return {
        "marking": _marking(view.reports),
        "contributions": _contributions(found, scored),
        "evidence": _evidence(found, reports),
        "timeline": [_moment(r) for r in view.reports],
        "priority_list_nexus": network.nexus(view),
        "toc_flags": _flags(view),
        "confidence": asdict(confidence(found, reports)),
        "intelligence_gaps": _gaps(view, scored),
        "suggested_action": _ACTIONS[scored.band],
        "owning_agencies": _contacts(view.reports),
        "deconfliction": {"status": "NOT_CHECKED", "checked_at": None},
        "release": {"eligible": scored.releasable, "missing": list(scored.missing)},
        "tearline": _tearline(view.reports),
        "reviewer": None,
        "feedback": [],
    }


def _marking(reports: Iterable[Report]) -> dict[str, Any]:
    derived = marking.derive(r.handling for r in reports)
    return {
        "cui": derived.cui,
        "tlp": derived.tlp,
        "caveats": list(derived.caveats),
        "release_to": None if derived.release_to is None else list(derived.release_to),
    }


def _contributions(found: tuple[Finding, ...], scored: Score) -> list[dict[str, Any]]:
    by_rule = {f.rule: f for f in found}
    rows = []
    for row in scored.rows:
        finding = by_rule.get(row.rule)
        rows.append(
            {
                "rule": row.rule,
                "title": _TITLES.get(row.rule, "Cap"),
                "family": row.family,
                "points": row.points,
                "weight": row.weight,
                "value": row.value / 100,
                "text": row.text,
                "necessary": list(finding.necessary) if finding else [],
                "events": finding.events if finding else 0,
            }
        )
    return rows


def _evidence(found: tuple[Finding, ...], reports: Mapping[str, Report]) -> list[dict[str, Any]]:
    """One row per report, with the rules it supports and the fields they read, by time."""
    rules: dict[str, dict[str, None]] = {}
    fields: dict[str, dict[str, None]] = {}
    for finding in found:
        for e in finding.evidence:
            rules.setdefault(e.report_id, {})[finding.rule] = None
            fields.setdefault(e.report_id, {}).update(dict.fromkeys(e.fields))
    used = sorted((reports[r] for r in rules), key=lambda r: (r.event_start, r.report_id))
    return [
        {
            "report_id": r.report_id,
            "source_report_no": r.source_report_no,
            "feed": r.feed,
            "agency": r.originator.agency_id,
            "rules": list(rules[r.report_id]),
            "fields": list(fields[r.report_id]),
            "at": _stamp(r.event_start),
            "grade": f"{r.evaluation.reliability}{r.evaluation.credibility}",
            "basis": r.predicate.basis if r.predicate else None,
            "marking": r.handling.cui,
            "portions": [{"number": n, "marking": p.marking} for n, p in enumerate(r.portions, 1)],
        }
        for r in used
    ]


def _moment(report: Report) -> dict[str, Any]:
    kind = str(report.facts.kind)
    return {
        "at": _stamp(report.event_start),
        "report_id": report.report_id,
        "feed": report.feed,
        "agency": report.originator.agency_id,
        "kind": kind,
        "text": report.facts.headline or kind.replace("_", " ").capitalize(),
        "marking": report.handling.cui,
    }


def _flags(view: View) -> list[dict[str, str]]:
    """Criteria that reports state about the subject himself."""
    return [
        {"flag": flag.flag, "evidence": flag.evidence, "report_id": r.report_id}
        for r in view.reports
        if not view.roles(r.report_id).isdisjoint({"SUBJECT", "LISTED", "TARGET"})
        for flag in r.facts.flags
    ]


def _gaps(view: View, scored: Score) -> list[str]:
    """What is not known: of the subject, of the evidence, and what reports themselves ask."""
    gaps = []
    near = {
        view.entities[x].kind for link in view.links for x in (link.source, link.target) if x in view.entities
    }
    if view.subject.kind is Kind.PERSON:
        if not view.subject.features.get("dob"):
            gaps.append("The date of birth is not known.")
        if Kind.PHONE not in near:
            gaps.append("No telephone is known.")
    if view.subject.kind in (Kind.VEHICLE, Kind.PHONE, Kind.ACCOUNT) and Kind.PERSON not in near:
        gaps.append("Nobody is known who uses it.")
    if len({r.originator.agency_id for r in view.reports}) == 1:
        gaps.append("Only one agency has reported.")
    gaps += [f"For a release: {missing}." for missing in scored.missing]
    asked = (gap for r in view.reports for gap in r.details.get("intelligence_gaps", ()))
    return list(dict.fromkeys((*gaps, *map(str, asked))))


def _contacts(reports: Iterable[Report]) -> list[dict[str, Any]]:
    """Whom to call at each agency: the contact of its newest report."""
    newest: dict[str, Report] = {}
    for r in sorted(reports, key=lambda r: (r.received_at, r.report_id)):
        newest[r.originator.agency_id] = r
    return [
        {
            "agency_id": agency,
            "unit": newest[agency].originator.unit,
            "contact_name": newest[agency].originator.contact_name,
            "phone": newest[agency].originator.phone,
            "email": newest[agency].originator.email,
            "after_hours_phone": newest[agency].originator.after_hours_phone,
        }
        for agency in sorted(newest)
    ]


def _tearline(reports: Iterable[Report]) -> str | None:
    """What may be passed on: the tearlines that originators wrote, and nothing else."""
    lines = dict.fromkeys(r.handling.tearline for r in reports if r.handling.tearline)
    return "\n".join(lines) or None


def _tags(item: dict[str, Any]) -> frozenset[str]:
    """What lists filter by, as ``name:value``."""
    convergence = item["convergence"]
    return frozenset(
        {f"type:{item['type']}", f"state:{item['state']}"}
        | {f"rule:{rule}" for rule in item["rules"]}
        | {f"feed:{feed}" for feed in convergence["feeds"]}
        | {f"agency:{agency}" for agency in convergence["agencies"]}
        | {f"state_code:{state}" for state in convergence["states"]}
        | {f"word:{word}" for word in words(item["subject"]["label"])}
    )


def words(text: str) -> list[str]:
    """The words of a text as lists search for them: Latin, lower case, letters and digits."""
    plain = "".join(c if c.isalnum() else " " for c in anyascii(text).lower())
    return list(dict.fromkeys(plain.split()))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
