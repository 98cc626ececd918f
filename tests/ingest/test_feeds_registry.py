"""What holds for every report type of every feed, so that a new feed is tested by being listed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.ingest.feeds import FEEDS
from services.ingest.feeds.base import Envelope, ReportType
from shared.contracts.report import ENTITY_LISTS, Report, report_id_of
from tests.ingest.feed_examples import CASES, NOW, TYPES, example, parse, pointers, problems, report

each_type = pytest.mark.parametrize("kind", TYPES, ids=lambda t: t.schema)
each_example = pytest.mark.parametrize(("schema", "number"), CASES)
OBSERVATIONS = {"EPIC.LPR/1", "EPIC.CROSSING/1", "BCSC.CMIR/1"}


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


def test_every_type_of_the_four_feeds_is_there() -> None:
    assert sorted(t.schema.partition("/")[0] for t in TYPES) == [
        "BCSC.ACS_MOVEMENT", "BCSC.CMIR", "BCSC.INQUIRY", "BCSC.SEIZURE",
        "EPIC.BIFS_PRODUCT", "EPIC.CROSSING", "EPIC.INQUIRY", "EPIC.LOOKOUT", "EPIC.LPR", "EPIC.SEIZURE",
        "OFC.CASE_LINK", "OFC.FINANCIAL", "OFC.LIST_UPDATE", "OFC.TARGET_PROFILE",
        "SOD.CNTOC_NEXUS", "SOD.INTERCEPT_SUMMARY", "SOD.TARGET_ID", "SOD.TIP", "SOD.TOLL",
    ]  # fmt: skip


def test_a_feed_lists_its_own_types_only() -> None:
    for code, feed in FEEDS.items():
        assert feed.code == code
        assert feed.title
        assert all(schema.startswith(f"{code}.") for schema in feed.types)


@each_type
def test_a_type_says_what_it_is_for_in_a_sentence(kind: ReportType) -> None:
    assert kind.doc.strip().splitlines()[0].endswith(".")
    assert kind.doc != Envelope.__doc__


@each_type
def test_a_type_has_an_example(kind: ReportType) -> None:
    assert kind.examples
    assert all(e["schema"] == kind.schema for e in kind.examples)


@each_example
def test_an_example_is_accepted(schema: str, number: int) -> None:
    assert problems(example(schema, number)) == []


@each_example
def test_the_canonical_report_is_valid_and_survives_its_json(schema: str, number: int) -> None:
    made = report(example(schema, number))
    assert Report.from_json(made.to_json()) == made


@each_example
def test_to_report_is_a_function_of_its_arguments(schema: str, number: int) -> None:
    assert report(example(schema, number)).to_json() == report(example(schema, number)).to_json()


@each_example
def test_the_canonical_report_keeps_the_envelope(schema: str, number: int) -> None:
    sent = example(schema, number)
    made = report(sent)
    agency = sent["originator"]["agency_id"]
    assert made.report_id == report_id_of(agency, sent["source_report_no"])
    assert (made.feed, made.schema_) == (schema.partition(".")[0], schema)
    assert (made.action, made.version, made.case_no) == ("INSERT", 1, sent["case_no"])
    assert made.received_at == NOW
    assert made.facts.kind == FEEDS[made.feed].types[schema].model.KIND
    assert made.event_start.utcoffset() == timedelta(0)


@each_example
def test_every_reference_of_the_canonical_report_points_at_a_mention(schema: str, number: int) -> None:
    made = report(example(schema, number))
    ids = [m.local_id for m in made.mentions()]
    assert len(ids) == len(set(ids))
    facts = made.facts
    pointed = {facts.place, facts.conveyance, facts.driver} - {None}
    pointed |= {end for r in made.relations for end in (r.source, r.target)}
    pointed |= {end for c in facts.calls for end in (c.source, c.target)}
    pointed |= {end for t in facts.transactions for end in (t.account, t.party)} - {None}
    pointed |= {listing.mention for listing in facts.listings}
    assert pointed <= set(ids)


@each_example
def test_the_agencys_mentions_pass_through(schema: str, number: int) -> None:
    sent = example(schema, number)
    made = report(sent)
    for name in ENTITY_LISTS:
        given = sent.get(name, [])
        if isinstance(given, list):
            kept = [m.local_id for m in getattr(made, name)]
            assert kept[: len(given)] == [m["local_id"] for m in given]


@each_example
def test_details_are_plain_json(schema: str, number: int) -> None:
    made = report(example(schema, number))
    assert json.loads(json.dumps(made.details)) == made.details


@each_type
def test_unknown_fields_are_refused_by_name(kind: ReportType) -> None:
    sent = example(kind.schema) | {"religion": "x"}
    assert pointers(sent) == ["/religion"]


@each_type
def test_every_object_of_the_schema_is_closed(kind: ReportType) -> None:
    for node in nodes(kind.json_schema()):
        if node.get("type") == "object" and "properties" in node:
            assert node["additionalProperties"] is False, node.get("title")


@each_type
def test_every_code_of_the_schema_has_a_meaning(kind: ReportType) -> None:
    schema = kind.json_schema()
    found = [node for node in nodes({k: v for k, v in schema.items() if k != "examples"}) if "enum" in node]
    assert found
    for node in found:
        meanings = node.get("x-meanings", {})
        assert set(meanings) == set(node["enum"]), node
        assert all(m and "\n" not in m for m in meanings.values())


@each_type
def test_the_schema_carries_the_examples_and_the_long_lists(kind: ReportType) -> None:
    schema = kind.json_schema()
    assert schema["examples"] == kind.examples
    assert len(schema["$defs"]["Predicate"]["properties"]["offence"]["enum"]) == 587


@each_type
def test_a_predicate_is_mandatory_but_for_observations(kind: ReportType) -> None:
    sent = example(kind.schema)
    sent.pop("predicate", None)
    wanted = [] if kind.schema in OBSERVATIONS else ["/predicate"]
    assert pointers(sent) == wanted
    assert ("predicate" in kind.json_schema()["required"]) == bool(wanted)


@each_type
def test_a_retraction_needs_only_the_identification(kind: ReportType) -> None:
    sent = example(kind.schema)
    least = {k: sent[k] for k in ("schema", "source_report_no", "originator", "case_no")}
    made = report({**least, "action": "RETRACT", "version": 2, "reason": "wrong vehicle"})
    assert (made.action, made.version, made.mentions(), made.relations) == ("RETRACT", 2, [], ())
    assert made.report_id == report(sent).report_id
    assert made.handling.share == "RED"
    own = "reason" in kind.model.own_fields()
    assert made.details == ({} if own else {"reason": "wrong vehicle"})
    assert Report.from_json(made.to_json()) == made


@each_type
def test_a_retraction_may_repeat_the_report_but_keeps_none_of_it(kind: ReportType) -> None:
    made = report(example(kind.schema) | {"action": "RETRACT", "version": 2})
    assert (made.mentions(), made.relations, made.details, made.portions) == ([], (), {}, ())
    assert made.predicate is None


@each_type
def test_a_retraction_refuses_fields_that_the_type_does_not_know(kind: ReportType) -> None:
    assert pointers(example(kind.schema) | {"action": "RETRACT", "version": 2, "foo": 1}) == ["/foo"]


def test_a_retraction_outlives_every_version_it_withdraws() -> None:
    sent = example("BCSC.SEIZURE")
    first = report(sent, datetime(2026, 3, 5, tzinfo=UTC))
    least = {k: sent[k] for k in ("schema", "source_report_no", "originator", "case_no")}
    gone = report({**least, "action": "RETRACT", "version": 2}, datetime(2026, 4, 1, tzinfo=UTC))
    assert gone.retention.retain_until >= first.retention.retain_until


def test_an_update_is_the_whole_report_again() -> None:
    made = report(example("EPIC.LPR") | {"action": "UPDATE", "version": 2, "plate": "SYN9999"})
    assert (made.action, made.version, made.vehicles[0].plate) == ("UPDATE", 2, "SYN9999")


def test_the_documented_example_is_accepted_as_written() -> None:
    made = report(example("BCSC.SEIZURE"))
    assert made.facts.seized_usd == 175_930
    assert parse(example("BCSC.SEIZURE")).schema_ == "BCSC.SEIZURE/1"


@each_type
def test_the_documentation_lists_the_type_in_its_own_words(kind: ReportType) -> None:
    page = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")
    assert f"| `{kind.schema}` | {kind.doc.strip().splitlines()[0]} |" in page
