"""Planted schemes and the rules: with every mention resolved to its true entity, rules fire as planted."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from services.ingest.feeds import FEEDS
from services.leads.rules import RULES, findings
from services.leads.rules.admissible import admissible
from services.leads.view import EntityView, LinkView, Sighting, View
from services.simulator.generate import DAYS, START, Planted, generate
from shared.contracts.entities import Kind
from shared.contracts.report import Report
from tests.leads.rule_world import label_of

NOW = datetime.combine(START, datetime.min.time(), UTC) + timedelta(days=DAYS + 1)
KINDS = {
    "person": Kind.PERSON, "vehicle": Kind.VEHICLE, "phone": Kind.PHONE, "account": Kind.ACCOUNT,
    "organization": Kind.ORGANIZATION, "location": Kind.LOCATION, "document": Kind.DOCUMENT,
    "device": Kind.DEVICE, "online": Kind.ONLINE,
}  # fmt: skip
KNOWN = {rule.number for rule in RULES}


class Picture:
    """Every live report, and the true entity of every mention."""

    def __init__(self, reports: int, seed: int) -> None:
        self.reports: dict[str, Report] = {}
        self.truth: dict[tuple[str, str], str] = {}
        self.entities: dict[str, EntityView] = {}
        self.of_entity: dict[str, set[str]] = defaultdict(set)
        self.planted: list[Planted] = []
        for s in generate(reports, seed):
            feed = FEEDS[s.feed]
            report = feed.to_report(feed.parse(orjson.dumps(s.payload), NOW), NOW)
            self.reports[report.report_id] = report
            for local_id, entity in s.truth.mentions.items():
                self.truth[report.report_id, local_id] = entity
            if s.planted:
                self.planted.append(s.planted)
        for report in self.reports.values():
            for mention in report.mentions():
                entity = self.truth.get((report.report_id, mention.local_id))
                if entity is not None:
                    self.of_entity[entity].add(report.report_id)
                    kind = KINDS[entity.partition(":")[0]]
                    self.entities.setdefault(entity, EntityView(entity, kind, label_of(mention)))

    def rules(self, entity: str) -> set[str]:
        """The rules that fire about a true entity."""
        if entity not in self.entities:
            return set()
        reports = sorted((self.reports[r] for r in self.of_entity[entity]), key=lambda r: r.event_start)
        sightings = tuple(
            Sighting(r.report_id, m.local_id, self.truth[r.report_id, m.local_id], str(m.role))
            for r in reports
            for m in r.mentions()
            if (r.report_id, m.local_id) in self.truth
        )
        entity_of = {(s.report_id, s.local_id): s.entity_id for s in sightings}
        links = tuple(
            LinkView(a, b, x.type, x.confidence, r.report_id)
            for r in reports
            for x in r.relations
            if (a := entity_of.get((r.report_id, x.source))) and (b := entity_of.get((r.report_id, x.target)))
        )
        view = View(self.entities[entity], tuple(reports), sightings, self.entities, links, NOW)
        readable = admissible(view)
        return set() if readable is None else {f.rule for f in findings(readable)}


@pytest.fixture(scope="module", params=[1, 2])
def picture(request: pytest.FixtureRequest) -> Picture:
    return Picture(3_000, request.param)


def test_planted_schemes_fire_on_their_subjects(picture: Picture) -> None:
    checked = 0
    for planted in picture.planted:
        scheme = planted.scheme
        expected = set(scheme.rule.split()) & KNOWN
        for subject in scheme.subjects if scheme.fires and expected else ():
            missing = expected - picture.rules(subject)
            assert not missing, f"{scheme.kind}: {missing} silent on {subject}, reports {planted.report_nos}"
            checked += 1
    assert checked > 30


def test_look_alikes_stay_silent(picture: Picture) -> None:
    checked = 0
    for planted in picture.planted:
        scheme = planted.scheme
        for subject in scheme.subjects if not scheme.fires else ():
            wrong = set(scheme.rule.split()) & picture.rules(subject)
            assert not wrong, f"{scheme.kind}: {wrong} fires on {subject}, reports {planted.report_nos}"
            checked += 1
    assert checked > 30


def test_everyday_reports_set_off_no_rule_about_cash_drugs_or_vehicles(picture: Picture) -> None:
    planted = {subject for p in picture.planted for subject in p.scheme.subjects}
    people = [e for e in picture.entities if e not in planted and e.startswith(("person:", "vehicle:"))]
    fired = [e for e in people if picture.rules(e) & {"L11", "L15", "L21"}]
    assert len(fired) <= len(people) // 50, fired
