"""Whatever is sent: it is refused in words that point into it, or it becomes a valid canonical report."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.feeds import FEEDS
from shared.contracts.report import Report
from tests.ingest.feed_examples import CASES, NOW, example, problems, report

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=200),
    st.sampled_from([
        "", " ", "0", "-1", "1e9", "2026-02-30", "9999-12-31", "0001-01-01", "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00", "NONE", "_x", "p1", "v1", "\x00", "\ud800", "x" * 30_000, "RETRACT",
        "UPDATE", "\u202egnp", "+19155550142",
    ]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)  # fmt: skip


DATES = ("9999-12-31", "0001-01-01", "2024-02-29", "2026-13-01")
MOMENTS = (*(f"{d}T23:59:59-14:00" for d in DATES), "0001-01-01T00:00:00+14:00", "2026-03-04T24:00:00Z")
NUMBERS = (-1, 0, 0.1, 1e308, 10**19, 999_999_999_999, "7", "0.001", True)


def near(value: Any) -> st.SearchStrategy[Any]:
    """Odd values of the same kind."""
    if isinstance(value, str) and value[4:5] == "-" and value[:4].isdigit():
        return st.sampled_from(MOMENTS if "T" in value else DATES)
    if isinstance(value, int | float):
        return st.sampled_from(NUMBERS)
    if isinstance(value, list) and value:
        return st.sampled_from(([], [*value, *value], value[:1] * 3, value[::-1]))
    return ODD


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value within a payload."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [p for key, value in items for p in [(*path, key), *places(value, (*path, key))]]


def resolves(pointer: str, node: Any) -> bool:
    """Whether all of a pointer but its last part leads into the payload (the last may be missing)."""
    parts = [p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:]]
    for part in parts[:-1]:
        if isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        elif isinstance(node, dict) and part in node:
            node = node[part]
        else:
            return False
    return True


@given(st.data())
def test_a_payload_with_odd_values_is_refused_in_words_or_sound(data: st.DataObject) -> None:
    schema, number = data.draw(st.sampled_from(CASES))
    sent = example(schema, number)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(sent)))
        node = sent
        for key in path[:-1]:
            node = node[key]
        if data.draw(st.booleans()):
            node[path[-1]] = data.draw(st.one_of(near(node[path[-1]]), ODD))
        elif isinstance(node, dict):
            del node[path[-1]]
        if not sent:
            break
    raw = json.dumps(sent).encode()
    found = problems(raw, schema.partition(".")[0])
    if found:
        assert all(p["message"] and len(p["message"]) < 600 for p in found)
        assert all(resolves(p["pointer"], sent) for p in found), found
    else:
        made = report(sent)
        assert Report.from_json(made.to_json()).to_json() == made.to_json()


@given(st.sampled_from(sorted(FEEDS)), st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(feed: str, noise: bytes) -> None:
    assert problems(noise, feed, NOW)
