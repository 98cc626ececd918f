"""The canonical report in the making: ids stay apart, relations are said once."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.feeds.draft import LISTS, Draft, changed, defaults, fresh_id, make
from shared.contracts.entities import Document, Phone, Relation, RelationType, Role, Vehicle
from shared.contracts.facts import EventKind, Facts
from shared.contracts.report import ENTITY_LISTS


def draft(**own: Any) -> Draft:
    return Draft(dict.fromkeys((*ENTITY_LISTS, "relations"), ()) | own)


def test_what_is_made_equals_what_is_validated() -> None:
    made = make(Phone, local_id="p", role=Role.TARGET, number="+19155550142")
    assert made == Phone(local_id="p", role=Role.TARGET, number="+19155550142")
    assert made.to_json() == Phone(local_id="p", role=Role.TARGET, number="+19155550142").to_json()
    assert changed(made, provider="SYN") == Phone(
        local_id="p", role=Role.TARGET, number="+19155550142", provider="SYN"
    )
    assert make(Facts, kind=EventKind.READ) == Facts(kind=EventKind.READ)


def test_no_default_is_shared_and_mutable() -> None:
    for model in (*LISTS, Facts, Relation):
        assert not any(isinstance(value, list | dict | set) for value in defaults(model).values())


def test_every_entity_list_has_its_model() -> None:
    assert sorted(LISTS.values()) == sorted(ENTITY_LISTS)


def test_equal_mentions_are_one_and_different_ones_get_numbers() -> None:
    d = draft()
    first = d.add(Phone, "_phone-1", role=Role.TARGET, number="1")
    assert d.add(Phone, "_phone-1", role=Role.TARGET, number="1") == first
    assert d.add(Phone, "_phone-1", role=Role.TARGET, number="(1)") == "_phone-1.2"
    assert d.add(Vehicle, "_phone-1", role=Role.TARGET, plate="1") == "_phone-1.3"
    assert d.add(Phone, "_phone-1", role=Role.TARGET, number="(1)") == "_phone-1.2"
    assert [p.local_id for p in d.content()["phones"]] == ["_phone-1", "_phone-1.2"]


def test_a_relation_is_said_once_and_the_agencys_words_stand() -> None:
    own = Relation.model_validate({"from": "a", "to": "b", "type": "USES", "confidence": 0.2})
    d = draft(relations=(own,))
    d.relate("a", RelationType.USES, "b")
    d.relate("b", RelationType.USES, "a")
    d.relate("b", RelationType.USES, "a")
    d.relate("a", RelationType.USES, "a")
    d.relate(None, RelationType.USES, "a")
    assert [(r.source, r.target, r.confidence) for r in d.content()["relations"]] == [
        ("a", "b", 0.2), ("b", "a", 1.0),
    ]  # fmt: skip


def test_a_value_is_found_however_it_is_written() -> None:
    own = (Phone(local_id="p1", number="+1 (915) 555-0142"), Phone(local_id="p2", number="粤B1"))
    d = draft(phones=own)
    assert d.same(Phone, "number", "+19155550142") == "p1"
    assert d.same(Phone, "number", "粤 B-1") == "p2"
    assert d.same(Phone, "number", "B1") is None
    assert d.same(Document, "number", "1") is None


@given(st.text(min_size=1, max_size=500))
def test_fresh_ids_are_valid_and_made_of_the_value(value: str) -> None:
    local_id = fresh_id("a_number", value)
    assert fresh_id("a_number", value) == local_id
    assert Phone(local_id=local_id, number="123").local_id == local_id
