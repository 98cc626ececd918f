"""Leads with their lives: state, holder and deconfliction laid over what the picture says of them.

A step rests on a version of the lead: on the audiences of everything that the acting viewer saw it made
of. Others see the step if they may see all of that, and only then.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Connection

from services.leads.deconfliction.desk import Desk
from services.leads.deconfliction.lead_desk import Checked, LeadDesk
from services.leads.deconfliction.life_store import basis_of
from services.leads.deconfliction.registry import Registry
from services.leads.lead_identifiers import submissions
from services.leads.lead_store import version_of
from services.leads.lifecycle import (
    CLAIM,
    COMMENT,
    FEEDBACK,
    OUTCOMES,
    LeadState,
    Life,
    NotNow,
    Person,
    Step,
    check,
    check_claim,
    check_say,
    fold,
)
from services.leads.sets import OPEN_SET, set_id, sets_of
from services.leads.sight_store import audiences
from services.leads.store import combinations, sight
from services.leads.view_store import view
from shared.auth import Identity
from shared.contracts.handling import Clearance
from shared.database import Database

UNTOUCHED: Final = Life()
FEW: Final = 5
"""Shares of fewer outcomes are not told."""


@dataclass(frozen=True, slots=True)
class Version:
    """A lead as one viewer sees it, and the audiences of everything that it is made of."""

    lead_id: str
    body: dict[str, Any]
    audiences: tuple[str, ...]

    @property
    def reference(self) -> str:
        """The reference of its submissions: those who see different versions do not touch each other's."""
        return f"LEAD {self.lead_id} {basis_of(self.audiences)[0]}"


class Changed(Exception):
    """Somebody took a step with the lead meanwhile."""


class Blocked(Exception):
    """No release yet; ``checked`` says whom to call first, ``missing`` what the evidence lacks."""

    def __init__(self, checked: Checked | None, missing: Collection[str] = ()) -> None:
        super().__init__("blocked")
        self.checked = checked
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class Lives:
    """The lives of leads over the picture and the registry; ``wake`` is called after a submission."""

    db: Database
    registry: Registry
    clock: Callable[[], datetime]
    wake: Callable[[], None]

    @property
    def desk(self) -> LeadDesk:
        """The registry's side."""
        return LeadDesk(self.registry)

    def lay_over(self, viewer: Clearance, items: list[dict[str, Any]]) -> None:
        """Put the state that the viewer may know into items of a list."""
        lives = self.desk.lives(viewer, [item["lead_id"] for item in items])
        for item in items:
            item["state"] = str(lives.get(item["lead_id"], UNTOUCHED).state)

    def lay_over_one(self, viewer: Clearance, body: dict[str, Any]) -> None:
        """Put state, holder, reviewer, deconfliction and feedback into a whole lead."""
        steps = self.desk.history(viewer, body["lead_id"])
        body |= self.shown(viewer, body["lead_id"], fold(steps))
        body["feedback"] = [_said(s) for s in steps if s.step == FEEDBACK]

    def shown(self, viewer: Clearance, lead_id: str, life: Life) -> dict[str, Any]:
        """A life as the API shows it."""
        checked = self.desk.checked(viewer, lead_id)
        return {
            "state": str(life.state),
            "claimed_by": None if life.holder is None else _person(life.holder) | {"since": life.held_since},
            "reviewer": None if life.reviewer is None else f"{life.reviewer.subject}, {life.reviewer.agency}",
            "deconfliction": {
                "status": checked.status,
                "checked_at": checked.checked_at,
                "contacts": [c.model_dump(mode="json") for c in checked.contacts],
            },
        }

    def in_states(
        self, viewer: Clearance, wanted: Collection[str]
    ) -> tuple[frozenset[str] | None, frozenset[str]]:
        """(leads to look among, leads to leave out), by hex ids; among all where the first is None."""
        found = {i.replace("-", ""): str(life.state) for i, life in self.desk.touched(viewer).items()}
        if LeadState.CANDIDATE in wanted:
            return None, frozenset(i for i, state in found.items() if state not in wanted)
        return frozenset(i for i, state in found.items() if state in wanted), frozenset()

    def version(self, viewer: Clearance, lead_id: UUID) -> Version | None:
        """The lead as the viewer sees it; None where there is none for him."""
        with self.db.snapshot() as conn:
            return _version(conn, viewer, lead_id)

    def history(self, viewer: Clearance, lead_id: str) -> list[dict[str, Any]]:
        """Who took which step when, and why, as far as the viewer may know."""
        return [
            {
                "at": step.at,
                "step": str(step.step),
                "by": None if step.who is None else _person(step.who),
                "reason": step.reason,
            }
            for step in self.desk.history(viewer, lead_id)
            if step.step != COMMENT
        ]

    def comments(self, viewer: Clearance, lead_id: str) -> list[dict[str, Any]]:
        """What was said of a lead, oldest first, as far as the viewer may know."""
        return [_said(s) for s in self.desk.history(viewer, lead_id) if s.step == COMMENT]

    def say(
        self, identity: Identity, lead: Version, text: str, outcome: LeadState | None, key: str | None
    ) -> dict[str, Any]:
        """Comment on a lead, or say what came of it; a repeat under one key changes nothing.

        Raises ``NotYou``, or ``NotNow`` where the key was used for something else.
        """
        who = _who(identity)
        check_say(who)
        step = Step(COMMENT if outcome is None else FEEDBACK, who, text, self.clock(), outcome)
        rules = " ".join(lead.body["rules"]) if outcome else ""
        said = self.desk.say((identity.clearance, key), lead.lead_id, lead.audiences, (step, rules))
        if (said.reason, said.outcome) != (text, outcome):
            raise NotNow("The Idempotency-Key was used for something else before: take a new one.")
        return _said(said)

    def precision(self) -> dict[str, float]:
        """Of each rule, the share of its leads that held, of those everybody may see; few are not told."""
        found: dict[str, list[bool]] = {}
        for outcome, rules in self.desk.outcomes().values():
            for rule in rules.split() if outcome != LeadState.DUPLICATE else ():
                found.setdefault(rule, []).append(outcome == LeadState.ACTIONED)
        return {r: round(sum(held) / len(held), 2) for r, held in found.items() if len(held) >= FEW}

    def life(self, viewer: Clearance, lead_id: str) -> Life:
        """Where a lead is in its life, as the viewer may know it."""
        return self.desk.lives(viewer, [lead_id]).get(lead_id, UNTOUCHED)

    def move(self, identity: Identity, lead: Version, life: Life, to: LeadState, reason: str) -> Life:
        """Take a lead from this ``life`` to another state.

        Raises ``Changed``, ``NotNow``, ``NotYou`` or ``Blocked``.
        """
        who, viewer = _who(identity), identity.clearance
        originators = lead.body["convergence"]["agencies"]
        check(life, to, who, originators)
        releases = to is LeadState.RELEASED and life.state is LeadState.DECONFLICTING
        if releases and not lead.body["release"]["eligible"]:
            raise Blocked(None, lead.body["release"]["missing"])
        if releases or to is LeadState.DECONFLICTING:
            checked = self._submit(viewer, lead)
            if releases and checked.status == "CONFLICT":
                raise Blocked(checked)

        def plan(now: Life, live: bool) -> Step:
            if now != life:
                raise Changed
            check(now, to, who, originators)
            if releases and live:
                raise Blocked(self.desk.checked(viewer, lead.lead_id))
            return Step(to, who, reason, self.clock())

        after = self.desk.take(viewer, lead.lead_id, lead.audiences, plan, " ".join(lead.body["rules"]))
        if to in OUTCOMES:
            for agency, number in self.desk.withdraw(viewer, lead.lead_id):
                Desk(self.registry).withdraw(agency, number)
        return after

    def claim(self, identity: Identity, lead: Version, reason: str) -> Life:
        """Take a lead; of a released one that is its assignment. Raises ``NotNow`` or ``NotYou``."""
        who = _who(identity)

        def plan(now: Life, _live: bool) -> Step:
            check_claim(now, who)
            step = str(LeadState.ASSIGNED) if now.state is LeadState.RELEASED else CLAIM
            return Step(step, who, reason, self.clock())

        return self.desk.take(identity.clearance, lead.lead_id, lead.audiences, plan, "")

    def _submit(self, viewer: Clearance, lead: Version) -> Checked:
        with self.db.snapshot() as conn:
            seen = view(conn, lead.body["subject"]["entity_id"], sight(conn, viewer), self.clock())
        if seen is None:
            raise NotNow("The lead is being worked out anew: try again in a moment.")
        made = submissions(seen, lead.reference, silent=bool(lead.audiences))
        checked = self.desk.submit(lead.lead_id, lead.audiences, made)
        self.wake()
        return checked


def _version(conn: Connection, viewer: Clearance, lead_id: UUID) -> Version | None:
    seen, known = sight(conn, viewer), combinations(conn)
    found = version_of(conn, lead_id.hex, sets_of(known, seen))
    if found is None:
        return None
    number, body = found
    part: frozenset[int] = frozenset()
    if number != OPEN_SET:
        part = next(c & seen for c in known.values() if c & seen and set_id(c, seen) == number)
    keys = audiences(conn)
    return Version(str(lead_id), orjson.loads(body), tuple(sorted(keys[i] for i in part if i)))


def _said(step: Step) -> dict[str, Any]:
    assert step.who is not None
    outcome = {} if step.outcome is None else {"outcome": str(step.outcome)}
    name = "text" if step.outcome is None else "note"
    return {"at": step.at, "by": _person(step.who), **outcome, name: step.reason}


def _who(identity: Identity) -> Person:
    return Person(identity.agency, identity.subject, identity.roles)


def _person(person: Person) -> dict[str, str]:
    return {"agency": person.agency, "person": person.subject}
