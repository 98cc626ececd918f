"""The simulated stream: deterministic, complete, accepted by every feed, and true to its truth."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import orjson
import pytest

from services.ingest.feeds import FEEDS
from services.simulator.generate import DAYS, MIX, START, Simulated, generate
from services.simulator.names import cultures
from services.simulator.schemes import SCHEMES
from shared.contracts.report import Report, report_id_of

REPORTS = 1_500
RECEIVED = datetime.combine(START, datetime.min.time(), UTC) + timedelta(days=DAYS + 1)


@pytest.fixture(scope="module")
def stream() -> list[Simulated]:
    return list(generate(REPORTS, seed=7))


def canonical(simulated: Simulated) -> Report:
    feed = FEEDS[simulated.feed]
    return feed.to_report(feed.parse(orjson.dumps(simulated.payload), RECEIVED), RECEIVED)


def test_the_same_seed_gives_the_same_stream(stream: list[Simulated]) -> None:
    again = generate(REPORTS, seed=7)
    assert [(s.payload, s.truth) for s in again] == [(s.payload, s.truth) for s in stream]


def test_another_seed_gives_other_people(stream: list[Simulated]) -> None:
    other = list(islice(generate(REPORTS, seed=8), 50))
    assert not {orjson.dumps(s.payload) for s in other} & {orjson.dumps(s.payload) for s in stream}


@pytest.mark.parametrize("reports", [0, 1, 7, 100, 999, 1_001])
def test_exactly_as_many_reports_as_asked_for(reports: int) -> None:
    assert sum(1 for _ in generate(reports, seed=3)) == reports


def test_every_feed_accepts_every_report_and_the_truth_names_its_mentions(stream: list[Simulated]) -> None:
    for simulated in stream:
        report = canonical(simulated)
        assert report.report_id == simulated.truth.report_id
        assert set(simulated.truth.mentions) <= {m.local_id for m in report.mentions()}


def test_every_type_of_every_feed_appears_in_a_small_stream() -> None:
    schemas = {s.payload["schema"] for s in generate(200, seed=1)}
    assert schemas == {schema for feed in ("SOD", "OFC", "EPIC", "BCSC") for schema in FEEDS[feed].types}
    assert len(schemas) == len(MIX)


def test_events_lie_within_the_window(stream: list[Simulated]) -> None:
    first = datetime.combine(START, datetime.min.time(), UTC)
    for simulated in stream:
        if "event_start" in simulated.payload:
            at = datetime.fromisoformat(simulated.payload["event_start"])
            assert first <= at <= first + timedelta(days=DAYS)


def test_a_later_version_follows_the_report_it_amends(stream: list[Simulated]) -> None:
    seen: Counter[str] = Counter()
    for simulated in stream:
        seen[simulated.truth.report_id] += 1
        assert simulated.truth.version == seen[simulated.truth.report_id]
    actions = Counter(s.payload["action"] for s in stream)
    assert actions["UPDATE"] > 10
    assert actions["RETRACT"] > 5


def test_an_agency_writes_only_as_itself(stream: list[Simulated]) -> None:
    for s in stream:
        assert s.payload["originator"]["agency_id"] == s.agency
        assert s.truth.report_id == report_id_of(s.agency, s.truth.source_report_no)


def test_telephone_numbers_are_those_reserved_for_fiction(stream: list[Simulated]) -> None:
    for s in stream:
        numbers = [p["number"] for p in s.payload.get("phones", [])]
        numbers += [s.payload["originator"]["phone"]]
        for number in numbers:
            digits = "".join(c for c in number if c.isdigit())[-7:]
            assert digits.startswith("55501"), number


def test_every_scheme_is_planted_with_the_reports_it_names(stream: list[Simulated]) -> None:
    planted = [s.planted for s in stream if s.planted]
    assert len({p.scheme.kind for p in planted}) == len(SCHEMES)
    sent = {s.truth.source_report_no for s in stream}
    for p in planted:
        assert set(p.report_nos) <= sent
        assert len(p.report_nos) == len(p.scheme.parts)


def test_handling_is_mostly_open_and_sometimes_not(stream: list[Simulated]) -> None:
    terms = [s.payload["handling"] for s in stream if "handling" in s.payload]
    plain = sum(t["share"] == "GREEN" and not t["orcon"] and not t.get("release_to") for t in terms)
    assert plain / len(terms) > 0.6
    assert {t["share"] for t in terms} == {"GREEN", "YELLOW", "RED"}
    assert any(t.get("release_to") for t in terms)
    assert any(t["orcon"] for t in terms)


def test_one_person_is_written_in_several_ways(stream: list[Simulated]) -> None:
    ways: dict[str, set[str]] = {}
    for s in stream:
        for p in s.payload.get("persons", []):
            entity = s.truth.mentions[p["local_id"]]
            written = p.get("full_name") or f"{p['given_names']} {p['family_names']}"
            ways.setdefault(entity, set()).add(written)
    several = [w for w in ways.values() if len(w) > 1]
    assert len(several) > 50


def test_cultures_share_the_population() -> None:
    assert sum(c.share for c in cultures()) == 100


def test_a_stream_of_another_start_has_the_same_shape() -> None:
    one = [s.payload["schema"] for s in generate(300, seed=5, start=date(2025, 6, 1))]
    assert one == [s.payload["schema"] for s in generate(300, seed=5, start=date(2026, 6, 1))]


def test_streams_of_different_seeds_sizes_and_days_share_no_report_number() -> None:
    """The same number with other content would be a contradiction, and dead-lettered."""
    streams = [generate(40, 1), generate(40, 2), generate(50, 1), generate(40, 1, start=date(2026, 1, 2))]
    numbers = [{report.truth.source_report_no for report in stream} for stream in streams]
    assert sum(map(len, numbers)) == len(set().union(*numbers))
