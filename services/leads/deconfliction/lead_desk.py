"""Leads in the registry: the steps of their lives, their submissions, and what a new conflict does."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from services.leads.deconfliction import conflict_store as conflicts
from services.leads.deconfliction import life_store as store
from services.leads.deconfliction import registry_store
from services.leads.deconfliction.conflict_store import Row
from services.leads.deconfliction.entering import key_of, other_side
from services.leads.deconfliction.keyring import KeyRing
from services.leads.deconfliction.moments import milliseconds, moment
from services.leads.deconfliction.registry import Registry
from services.leads.deconfliction.states import FINAL, State
from services.leads.deconfliction.submissions import LeadSubmission, OtherSide
from services.leads.lifecycle import LIVE, OUTCOMES, LeadState, Life, Person, Step, after, fold
from shared.contracts.handling import Clearance

NAMESPACE: Final = UUID("3a1f7c52-90bb-5c1e-8f6d-6b0f0a9d4e77")
Plan = Callable[[Life, bool], Step]
REGISTRY: Final = ""
"""The agency of a step that the registry takes itself."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the registry says of a lead: whom to call first, and since when that is known."""

    status: str
    checked_at: datetime | None
    contacts: tuple[OtherSide, ...]


NOT_CHECKED: Final = Checked("NOT_CHECKED", None, ())


@dataclass(frozen=True, slots=True)
class LeadDesk:
    """The lives of leads; every viewer gets them from the steps whose whole basis he may see."""

    registry: Registry

    def lives(self, viewer: Clearance, lead_ids: Collection[str]) -> dict[str, Life]:
        """The lives of these leads (ids with dashes); one that nobody took a step with is left out."""
        ring = self.registry.keys.ring()
        with self.registry.db.snapshot() as conn:
            found = store.steps(conn, lead_ids, store.readable(store.bases(conn), viewer))
        return {i: fold(_opened(ring, s) for s in steps) for i, steps in found.items()}

    def touched(self, viewer: Clearance) -> dict[str, Life]:
        """The lives of every lead with which a step was taken that the viewer may see."""
        with self.registry.db.snapshot() as conn:
            ids = store.touched(conn, store.readable(store.bases(conn), viewer))
        return self.lives(viewer, ids)

    def history(self, viewer: Clearance, lead_id: str) -> list[Step]:
        """Every step of a lead that the viewer may see, in order."""
        ring = self.registry.keys.ring()
        with self.registry.db.snapshot() as conn:
            found = store.steps(conn, [lead_id], store.readable(store.bases(conn), viewer))
        return [_opened(ring, s) for s in found.get(lead_id, ())]

    def take(self, viewer: Clearance, lead_id: str, audiences: Iterable[str], plan: Plan, rules: str) -> Life:
        """Take the step that ``plan`` makes of the life as it stands; the life after it.

        ``plan(life, live)`` gives the step, or raises why it may not be taken; ``live`` says whether a
        conflict stands against the lead. Nobody else acts meanwhile, and no conflict is opened. ``rules``:
        those that had fired, kept with an outcome.
        """
        with self.registry.transaction() as (conn, ring):
            store.lock(conn, lead_id)
            known = store.bases(conn)
            visible = store.readable(known, viewer)
            before = fold(_opened(ring, s) for s in store.steps(conn, [lead_id], visible).get(lead_id, ()))
            numbers = [n for n, _ in store.checks(conn, lead_id, visible)]
            step = plan(before, _is_live(conn, numbers))
            store.add_step(conn, audiences, _row(ring, lead_id, step) | _result(step, rules))
        return after(before, step)

    def say(
        self,
        who: tuple[Clearance, str | None],
        lead_id: str,
        audiences: Iterable[str],
        said: tuple[Step, str],
    ) -> Step:
        """Enter what somebody says of a lead; what he said before under the same key is given back.

        ``who``: the viewer and the key of his that makes a repeat recognisable; ``said``: with the rules that
        had fired.
        """
        (viewer, key), (step, rules) = who, said
        assert step.who is not None
        with self.registry.transaction() as (conn, ring):
            store.lock(conn, lead_id)
            extra: dict[str, Any] = {"outcome": step.outcome and str(step.outcome), "rules": rules or None}
            if key is not None:
                repeat = key_of(ring, viewer.agency, f"{step.who.subject}\n{lead_id}\n{step.step}\n{key}")
                if (before := store.repeated(conn, repeat)) is not None:
                    return _opened(ring, before)
                extra["repeat"] = repeat[0]
            store.add_step(conn, audiences, _row(ring, lead_id, step) | extra)
        return step

    def outcomes(self) -> dict[str, tuple[str, str]]:
        """What came of leads that everybody may see: (outcome, rules) by lead."""
        with self.registry.db.snapshot() as conn:
            return store.outcomes(conn)

    def submit(self, lead_id: str, audiences: Iterable[str], made: Mapping[str, LeadSubmission]) -> Checked:
        """Enter a lead's identifiers for the agencies that own them; who else works on them."""
        numbers, told = [], []
        for agency, submission in sorted(made.items()):
            answer = self.registry.submit(agency, submission)
            numbers.append(answer.number)
            told += [(answer.number, other) for other in answer.contacts]
        now = self.registry.clock()
        with self.registry.transaction() as (conn, _):
            basis_id = store.note_basis(conn, audiences)
            store.add_checks(conn, numbers, lead_id, basis_id, milliseconds(now))
            settled = _settled(conn, numbers)
        unsettled = tuple(o for number, o in told if (number, o.number) not in settled)
        if unsettled:
            return Checked("CONFLICT", now, unsettled)
        return Checked("RESOLVED" if settled else "CLEAR", now, ())

    def checked(self, viewer: Clearance, lead_id: str) -> Checked:
        """What the registry says of a lead now, as this viewer may know it."""
        ring = self.registry.keys.ring()
        with self.registry.db.snapshot() as conn:
            visible = store.readable(store.bases(conn), viewer)
            made = store.checks(conn, lead_id, visible)
            if not made:
                return NOT_CHECKED
            rows = [r for n, _ in made for r in conflicts.of_submission(conn, n) if n in r.told()]
            rows = [r for r in rows if r.state in set(State)]
            numbers = {n for n, _ in made}
            others = [r.other(r.a if r.a in numbers else r.b) for r in rows if State(r.state) not in FINAL]
            stored = registry_store.read(conn, others)
        at = moment(min(ms for _, ms in made))
        if stored:
            return Checked("CONFLICT", at, tuple(other_side(ring, stored[n]) for n in sorted(stored)))
        return Checked("RESOLVED" if any(r.state == State.RESOLVED for r in rows) else "CLEAR", at, ())

    def withdraw(self, viewer: Clearance, lead_id: str) -> list[tuple[str, str]]:
        """The lead is done with: forget its submissions; (agency, number) of those that no other needs."""
        with self.registry.transaction() as (conn, _):
            visible = store.readable(store.bases(conn), viewer)
            numbers = [n for n, _ in store.checks(conn, lead_id, visible)]
            store.forget_checks(conn, lead_id, visible)
            needed = {n for n, _, _ in store.leads_of(conn, numbers)}
            free = [n for n in numbers if n not in needed]
            return [(s.agency, s.number) for s in registry_store.read(conn, free).values()]


def suspend(conn: Connection, ring: KeyRing, rows: Sequence[Row], now: datetime) -> None:
    """Conflicts were opened: suspend the leads on which their sides stand, and tell the holders."""
    about = {number: row for row in rows for number in row.told()}
    concerned = store.leads_of(conn, about)
    if not concerned:
        return
    known = store.bases(conn)
    for number, lead_id, basis_id in concerned:
        store.lock(conn, lead_id)
        taken = store.steps(conn, [lead_id], store.below(known, basis_id) if basis_id in known else [])
        life = fold(_opened(ring, s) for s in taken.get(lead_id, ()))
        if life.state not in LIVE:
            continue
        step = Step(LeadState.SUSPENDED, None, "A new deconfliction conflict: see whom to call.", now)
        store.repeat_step(conn, basis_id, _row(ring, lead_id, step))
        holders = {p.agency for p in (life.holder, life.releaser) if p is not None}
        lead = (lead_id, basis_id)
        conflicts.add_notices(
            conn, [_holder_notice(ring, about[number], lead, agency, now) for agency in sorted(holders)]
        )


def _holder_notice(
    ring: KeyRing, row: Row, lead: tuple[str, int], agency: str, now: datetime
) -> dict[str, Any]:
    lead_id, basis_id = lead
    content = {"lead_id": lead_id, "state": "SUSPENDED", "level": "HOLDER", "urgency": row.urgency}
    return {
        "notice_id": str(uuid5(NAMESPACE, f"{lead_id}\n{row.conflict_id}\n{agency}\n{row.opened_ms}")),
        "conflict_id": row.conflict_id, "number": "", "agency": agency, "level": "HOLDER",
        "sealed": ring.seal(agency, json.dumps(content).encode()), "created_ms": milliseconds(now),
        "basis_id": basis_id,
    }  # fmt: skip


def _is_live(conn: Connection, numbers: Iterable[str]) -> bool:
    """Whether a conflict that these submissions' side knows of is not settled."""
    rows = ((n, r) for n in numbers for r in conflicts.of_submission(conn, n))
    return any(n in r.told() and r.state in set(State) - FINAL for n, r in rows)


def _settled(conn: Connection, numbers: Iterable[str]) -> set[tuple[str, str]]:
    """(a lead's submission, the other one) of every conflict that people have settled."""
    return {
        (n, r.other(n))
        for n in numbers
        for r in conflicts.of_submission(conn, n)
        if r.state == State.RESOLVED
    }


def _result(step: Step, rules: str) -> dict[str, Any]:
    """What came of the lead, if this step says so."""
    return {"outcome": step.step, "rules": rules} if step.step in OUTCOMES else {}


def _row(ring: KeyRing, lead_id: str, step: Step) -> dict[str, Any]:
    agency = REGISTRY if step.who is None else step.who.agency
    said = json.dumps({"who": None if step.who is None else step.who.subject, "why": step.reason})
    return {
        "lead_id": lead_id, "step": str(step.step), "agency": agency, "at_ms": milliseconds(step.at),
        "sealed": ring.seal(agency, said.encode()),
    }  # fmt: skip


def _opened(ring: KeyRing, stored: store.StoredStep) -> Step:
    said = json.loads(ring.open(stored.agency, stored.sealed))
    who = None if said["who"] is None else Person(stored.agency, said["who"])
    outcome = None if stored.outcome is None else LeadState(stored.outcome)
    return Step(stored.step, who, said["why"], moment(stored.at_ms), outcome)
