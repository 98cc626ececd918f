import pytest

from services.fusion.intake import Moment, arrive, content_digest, decide, fold
from shared.contracts.topics import REPORTS
from shared.errors import Poison
from shared.log import Position, Record
from tests.fusion.tiny import Tiny
from tests.fusion.world import judgement, report, someone

KEY = report(0, 1, ()).report_id


def record(value: bytes | None, *, key: str = KEY, offset: int = 0, at_ms: int = 0) -> Record:
    return Record(Position(REPORTS.name, 0, offset), key, value, {}, at_ms)


def version(number: int, name: str = "a", *, action: str = "INSERT", offset: int = 0, at_ms: int = 0):
    made = report(0, number, [someone(name)], action=action)
    return arrive(record(made.to_json(), offset=offset, at_ms=at_ms), Tiny())


def tombstone(*, offset: int = 0, at_ms: int = 0):
    return arrive(record(None, offset=offset, at_ms=at_ms), Tiny())


@pytest.mark.parametrize(
    ("value", "key", "reason"),
    [
        (b"", KEY, "not a report"),
        (b"{", KEY, "not a report"),
        (b"[]", KEY, "not a report"),
        (b'{"report_id": 1}', KEY, "report_id"),
        (b"\xff\xfe", KEY, "not a report"),
        (report(1, 1, ()).to_json(), KEY, "is not the report's id"),
        (None, "not-a-uuid", "is not a UUID"),
        (None, "", "is not a UUID"),
    ],
)
def test_what_can_never_parse_is_poison_that_says_why(value: bytes | None, key: str, reason: str) -> None:
    with pytest.raises(Poison, match=reason) as caught:
        arrive(record(value, key=key), Tiny())
    assert caught.value.step == "parse"


def test_a_judgement_that_can_never_parse_is_poison() -> None:
    with pytest.raises(Poison, match="not a judgement"):
        decide(record(b"{}"))
    with pytest.raises(Poison, match="UUID"):
        decide(record(None, key="x"))


def test_the_digest_passes_over_the_moment_of_receipt_only() -> None:
    made = report(0, 1, [someone("a")])
    later = made.model_copy(update={"received_at": made.received_at.replace(year=2027)})
    other = made.model_copy(update={"case_no": "C-2"})
    assert content_digest(made.to_json()) == content_digest(later.to_json())
    assert content_digest(made.to_json()) != content_digest(other.to_json())
    assert content_digest(b"{}") != content_digest(b"[]")


def test_a_new_version_stands_an_old_or_repeated_one_changes_nothing() -> None:
    standing, winner, refused = fold(None, [version(2), version(1, "b"), version(2)])
    assert standing is not None
    assert winner is not None
    assert (standing.version, winner.version, refused) == (2, 2, [])
    again, none, refused = fold(standing, [version(2), version(1)])
    assert (again, none, refused) == (standing, None, [])


def test_the_same_version_with_other_content_is_refused_and_says_so() -> None:
    standing, _, _ = fold(None, [version(3)])
    same, winner, [(_, poison)] = fold(standing, [version(3, "b")])
    assert (same, winner, poison.step) == (standing, None, "version")
    assert "version 3 of this report came before, with other content" in str(poison)


def test_a_retracted_version_stays_known_so_that_older_ones_cannot_return() -> None:
    standing, winner, _ = fold(None, [version(1), version(2, action="RETRACT"), version(1)])
    assert standing is not None
    assert winner is not None
    assert (standing.version, standing.live, standing.profiles, winner.live) == (2, False, (), False)
    back, _, _ = fold(standing, [version(3)])
    assert back is not None
    assert back.live


def test_an_expunged_report_leaves_nothing_and_older_versions_cannot_return() -> None:
    standing, winner, _ = fold(None, [version(2), tombstone(offset=1)])
    assert standing is not None
    assert (standing.digest, standing.live, standing.profiles) == (b"", False, ())
    assert winner is not None
    assert winner.version is None
    again, none, refused = fold(standing, [version(2), version(1), tombstone(offset=2)])
    assert (again, none, refused) == (standing, None, [])


def test_a_tombstone_from_before_what_stands_is_passed_over() -> None:
    standing, _, _ = fold(None, [version(1, offset=7, at_ms=70)])
    assert fold(standing, [tombstone(offset=5, at_ms=50)]) == (standing, None, [])
    assert fold(standing, [tombstone(offset=8, at_ms=60)])[0] != standing
    moved = fold(standing, [tombstone(offset=1, at_ms=80)])[0]
    assert moved != standing, "in another log offsets begin anew"


def test_a_tombstone_for_an_unknown_report_leaves_no_row() -> None:
    assert fold(None, [tombstone()]) == (None, None, [])


@pytest.mark.parametrize(
    "change",
    [{"own_agency_only": True}, {"verdict": "UNSURE"}, {"b": "aa" * 16}],
    ids=lambda c: next(iter(c)),
)
def test_a_judgement_that_is_not_everybodys_leaves_the_whole_picture_alone(change: dict[str, object]) -> None:
    made = judgement(0, "aa" * 16, "bb" * 16, same=True).model_copy(update=change)
    decision = decide(record(made.to_json(), key=made.judgement_id))
    assert (decision.a, decision.b, decision.same) == (None, None, None)


def test_a_judgement_names_its_profiles_in_order() -> None:
    made = judgement(0, "bb" * 16, "aa" * 16, same=False)
    decision = decide(record(made.to_json(), key=made.judgement_id, offset=4, at_ms=9))
    assert (decision.a, decision.b, decision.same) == ("aa" * 16, "bb" * 16, False)
    assert decision.moment == Moment(4, 9)
