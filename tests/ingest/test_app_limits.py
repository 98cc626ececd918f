"""Limits hold exactly: rates by the clock, nesting by the bracket, groups by the commit."""

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.group import Group
from services.ingest.intake import Admitted
from services.ingest.limits import deeper_than
from services.ingest.openapi import hoist
from shared.errors import Transient
from shared.log import NewRecord, Position
from shared.rate import Rate


def test_a_bucket_holds_two_seconds_and_refills() -> None:
    now = [100.0]
    rate = Rate(10, lambda: now[0])
    rate.charge("A", 20)
    assert rate.wait("A") == 0
    rate.charge("A", 5)
    assert rate.wait("A") == pytest.approx(0.5)
    assert rate.wait("B") == 0
    now[0] += 0.5
    assert rate.wait("A") == 0


def test_without_a_rate_nobody_waits() -> None:
    rate = Rate(0)
    rate.charge("A", 10**9)
    assert rate.wait("A") == 0


@pytest.mark.parametrize(
    ("text", "deeper"),
    [
        (b"[" * 32 + b"]" * 32, False),
        (b"[" * 33 + b"]" * 33, True),
        (b'[{"a":' * 16 + b"1" + b"}]" * 16, False),
        (b'[{"a":' * 17 + b"1" + b"}]" * 17, True),
        (b"[" * 40, True),
        (b"[]" * 1000, False),
        (b'{"a":"' + b"[" * 100 + b'"}', False),
        (b'{"a":"\\"' + b"[" * 100 + b'"}', False),
        (b'["\\\\",' * 33 + b"1" + b"]" * 33, True),
        (b'["]",' * 33 + b"1" + b"]" * 33, True),
        (b"]" * 50 + b"[" * 33, False),
    ],
)
def test_nesting_counts_brackets_outside_of_strings(text: bytes, deeper: bool) -> None:
    assert deeper_than(text, 32) is deeper


nested = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\ab', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('[]{}"\\k'), inner, max_size=3),
    max_leaves=30,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(nested, st.integers(1, 8))
def test_nesting_agrees_with_a_parser(value: Any, levels: int) -> None:
    assert deeper_than(json.dumps(value).encode(), levels) is (depth(value) > levels)


def admitted(number: int) -> Admitted:
    return Admitted(NewRecord(f"k{number}", b"{}"), 1, "EPIC.LPR/1")


def test_requests_that_wait_together_are_written_together() -> None:
    groups: list[list[str]] = []
    first, release = threading.Event(), threading.Event()

    def append(batch: Sequence[Admitted]) -> list[Position]:
        groups.append([a.report_id for a in batch])
        if not first.is_set():
            first.set()
            release.wait(10)
        return [Position("t", 0, int(a.report_id[1:])) for a in batch]

    async def run() -> list[Position]:
        group = Group(append)
        writes = [asyncio.create_task(group.write(admitted(0)))]
        await asyncio.to_thread(first.wait, 10)
        writes += [asyncio.create_task(group.write(admitted(n))) for n in range(1, 6)]
        await asyncio.sleep(0)
        release.set()
        found = await asyncio.gather(*writes)
        group.close()
        return found

    positions = asyncio.run(run())
    assert [p.offset for p in positions] == list(range(6))
    assert groups == [["k0"], ["k1", "k2", "k3", "k4", "k5"]]


def test_a_group_that_fails_fails_for_all_of_it_and_for_nobody_after() -> None:
    away = [True]

    def append(batch: Sequence[Admitted]) -> list[Position]:
        if away[0]:
            away[0] = False
            raise Transient("away")
        return [Position("t", 0, 7) for _ in batch]

    async def run() -> list[Any]:
        group = Group(append)
        failed = await asyncio.gather(
            group.write(admitted(1)), group.write(admitted(2)), return_exceptions=True
        )
        after = await group.write(admitted(3))
        group.close()
        return [*failed, after]

    one, two, three = asyncio.run(run())
    assert isinstance(one, Transient)
    assert isinstance(two, Transient)
    assert three == Position("t", 0, 7)


def test_schemas_with_equal_names_and_other_content_do_not_mix() -> None:
    components: dict[str, Any] = {}
    hoist("A", {"$defs": {"P": {"type": "string"}}, "$ref": "#/$defs/P"}, components)
    hoist("B", {"$defs": {"P": {"type": "integer"}}, "properties": {"p": {"$ref": "#/$defs/P"}}}, components)
    assert components["A"] == {"$ref": "#/components/schemas/P"}
    assert components["B"]["properties"]["p"] == {"$ref": "#/components/schemas/B.P"}
    assert components["P"] == {"type": "string"}
    assert components["B.P"] == {"type": "integer"}
