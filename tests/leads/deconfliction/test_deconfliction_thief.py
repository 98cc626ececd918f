"""Whoever steals the tables, at whatever moment, finds no name, number, contact, note or address in them."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from services.leads.deconfliction import tables
from services.leads.deconfliction.channels import Channels
from services.leads.deconfliction.lead_desk import LeadDesk
from services.leads.deconfliction.rotation import rotate
from services.leads.deconfliction.states import Outcome
from services.leads.lifecycle import COMMENT, LeadState, Person, Step
from shared.contracts.handling import Clearance
from tests.leads.deconfliction.house import A, B, C, House, dump

SECRETS = (
    "5550142", "555-0142", "555) 0142", "Garcia", "garcia", "GARCIA", "1988-01-01", "SYN1234", "syn1234",
    "G7700077", "REFERENCE-77", "LABEL-77", "CASE-77", "UNIT-77", "SYN CALLER", "5550188", "Invented",
    "invented", "79901", "31.7618", "106.4850", "HAZARD-77", "NOTE-77", "OFFICER-77", "agency.example",
    "SECRET-KEY", "COMMENT-77", "ASKER-77",
)  # fmt: skip


def live_a_full_life(house: House) -> str:
    """Everything that can be stored, stored; the secret of a webhook."""
    contact = {"name": "SYN CALLER", "phone": "+19155550188", "email": "caller@agency.example"}
    said = {"unit": "UNIT-77", "contact": contact, "case_no": "CASE-77"}
    facts = {
        "identifiers": [
            {"type": "PHONE", "value": "(915) 555-0142"},
            {"type": "PLATE", "value": "SYN1234", "issuer": "US-TX"},
            {"type": "PASSPORT", "value": "G7700077", "issuer": "MX"},
        ],
        "names": [{"full_name": "Jose Garcia Lopez", "birth": "1988-01-01"}],
        "addresses": ["12 Invented St Apt 4, El Paso, TX 79901"],
    }
    channel = Channels(house.registry).add(A, "WEBHOOK", "https://agency.example/SECRET-KEY")
    house.target(A, "REFERENCE-77", label="LABEL-77", **said, **facts)
    house.target(C, "REFERENCE-77", label="LABEL-77", share="RED", **said, **facts)
    for agency in (A, B):
        place = {"lat": 31.7618, "lon": -106.4850, "hazards": ["HAZARD-77"]}
        house.event(agency, "REFERENCE-77-E", **place, **said, **facts)
    house.settle()
    house.clock.now += timedelta(minutes=30)
    for notice in house.inbox(B):
        house.desk.acknowledge(B, notice["notice_id"], "OFFICER-77")
        if notice["level"] == "SIDE":
            house.desk.resolve(B, notice["conflict_id"], Outcome.JOINT, "NOTE-77")
    house.target(B, "REFERENCE-78", label="LABEL-77", **said, **facts)
    house.settle()
    step = Step(COMMENT, Person(A, "OFFICER-77"), "COMMENT-77", house.clock(), None)
    LeadDesk(house.registry).say((Clearance(A), "SECRET-KEY"), "ab" * 16, (), (step, ""))
    step = Step(str(LeadState.REVIEW), Person(A, "OFFICER-77"), "COMMENT-77", house.clock())
    LeadDesk(house.registry).take(Clearance(A), "ab" * 16, (), lambda *_: step, "L01")
    return str(channel["secret"])


def test_no_secret_is_in_any_table(house: House) -> None:
    webhook_secret = live_a_full_life(house)
    with house.registry.db.snapshot() as conn:
        filled = {t.name for t in tables.metadata.sorted_tables if conn.execute(t.select().limit(1)).first()}
    assert filled >= {
        "dc_submission", "dc_token", "dc_conflict", "dc_notice", "dc_delivery", "dc_channel", "dc_lead_step",
    }  # fmt: skip
    dumped = dump(house.registry.db)
    for secret in (*SECRETS, webhook_secret):
        assert secret.encode() not in dumped, secret


def test_equal_facts_of_two_agencies_do_not_look_equal_but_by_their_keyed_hashes(house: House) -> None:
    live_a_full_life(house)
    with house.registry.db.snapshot() as conn:
        rows = conn.execute(tables.submission.select()).all()
    assert len({r.reference for r in rows}) == len({r.content for r in rows}) == len(rows)
    assert len({bytes(r.sealed)[4:16] for r in rows}) == len(rows), "no nonce twice"


def test_another_key_file_opens_nothing(open_houses: Callable[[], House]) -> None:
    house = open_houses()
    live_a_full_life(house)
    hashes = {t.hash for t in _tokens(house)}
    list(rotate(house.registry, lambda: None))
    assert not hashes & {t.hash for t in _tokens(house)}, "every hash is another under another key"


def test_replicas_go_on_while_one_of_them_rotates_the_key(open_houses: Callable[[], House]) -> None:
    rotating, working = open_houses(), open_houses()
    for n in range(40):
        rotating.target(A, f"a{n}", identifiers=[{"type": "PHONE", "value": f"+191555501{n:02d}"}])
    answers, stop = [], threading.Event()

    def work() -> None:
        n = 0
        while not stop.is_set() or n < 40:
            ids = [{"type": "PHONE", "value": f"+191555501{n % 40:02d}"}]
            answers.append(working.target(B, f"b{n}", identifiers=ids).status)
            working.matcher.step()
            n += 1

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(2):
        list(rotate(rotating.registry, lambda: None))
    stop.set()
    thread.join()
    assert set(answers) == {"HIT"}
    assert len(rotating.inbox(A)) == len(set(answers)) * len(answers)
    (key,) = rotating.registry.keys.ring().keys
    assert {t.key_number for t in _tokens(rotating)} == {key.number}
    assert {n["number"] for n in rotating.inbox(A)}, "every notice opens under the new key"


def _tokens(house: House) -> list[Any]:
    with house.registry.db.snapshot() as conn:
        return list(conn.execute(tables.token.select()))
