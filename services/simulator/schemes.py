"""Planted schemes that lead rules should find, and look-alikes that they must not.

Each scheme has its own people, of whom no other report tells. Its reports are open to everyone and well
graded, so the truth about it holds for every viewer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Final

from services.simulator import bcsc, epic, ofc, sod
from services.simulator.bcsc import Cash
from services.simulator.envelope import OF_FEED, Agency, Slip
from services.simulator.epic import Haul
from services.simulator.mentions import Draft
from services.simulator.places import cities
from services.simulator.population import CREW, World

Build = Callable[[Slip, World], Draft]


@dataclass(frozen=True, slots=True)
class Part:
    """One report of a scheme: who sends it through which feed, how many days before the scheme's end."""

    feed: str
    agency: Agency
    days_before: float
    build: Build
    basis: str = "PROBABLE_CAUSE"
    retracted: bool = False


@dataclass(frozen=True, slots=True)
class Scheme:
    """What was planted: the rule, whether it should fire, on which true entities, by which reports."""

    kind: str
    rule: str
    fires: bool
    subjects: tuple[str, ...]
    parts: tuple[Part, ...]
    grade: str = "A1"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a scheme plays: its dice, its world, and its first person's number."""

    rng: Random
    world: World
    first: int

    def agency(self, feed: str, other: int = 0) -> Agency:
        """An agency of this feed, a different one for each ``other``."""
        found = OF_FEED[feed]
        return found[(self.first // CREW + other) % len(found)]

    def person(self, offset: int = 0) -> str:
        """The true entity id of one of the scheme's people."""
        return f"person:{self.first + offset}"

    def point(self) -> tuple[float, float]:
        """A point at the border."""
        city = cities()[int(self.rng.random() * 14)]
        return (round(city.lat + self.rng.random() * 0.1, 5), round(city.lon + self.rng.random() * 0.1, 5))


def convergence(s: Stage) -> Scheme:
    """L01: one man and his number in three feeds of three agencies."""
    phone = s.world.phone(s.first)
    subjects = (s.person(), *((f"phone:{phone}",) if phone else ()))
    return Scheme(
        "convergence",
        "L01",
        True,
        subjects,
        (
            Part("SOD", s.agency("SOD"), 30, lambda slip, w: sod.toll(slip, w, s.first, subscriber=True)),
            Part("EPIC", s.agency("EPIC", 1), 12, _with_phone(_small_drugs(s))),
            Part("BCSC", s.agency("BCSC", 2), 3, _with_phone(_small_cash(s))),
        ),
    )


def undeclared(s: Stage) -> Scheme:
    """L11: a courier over the border with far more cash than he declares."""
    total, declared = 15_000 + int(s.rng.random() * 4_000) * 100, int(s.rng.random() * 40) * 100
    cash = Cash(s.first, total, declared, "BORDER_OUT", s.first)
    return Scheme(
        "undeclared_cash",
        "L11",
        True,
        (s.person(), f"vehicle:{s.first}"),
        (Part("BCSC", s.agency("BCSC"), 5, lambda slip, w: bcsc.seizure(slip, w, cash)),),
    )


def reuse(s: Stage) -> Scheme:
    """L15: one vehicle, two drivers of different households, a seizure each."""
    cash = Cash(s.first + 3, 8_000, None, "INTERSTATE", s.first)
    return Scheme(
        "conveyance_reuse",
        "L15",
        True,
        (f"vehicle:{s.first}",),
        (
            Part("EPIC", s.agency("EPIC"), 40, _small_drugs(s, car=True)),
            Part("BCSC", s.agency("BCSC", 1), 4, lambda slip, w: bcsc.seizure(slip, w, cash)),
        ),
    )


def quantity(s: Stage) -> Scheme:
    """L21: a load of the highest tier, in several packages and units."""
    code, amounts = s.rng.choice(
        (
            ("9041", (("3.5", "KG"), ("2100", "G"))),
            ("9200", (("1.2", "KG"),)),
            ("9801", (("401", "G"),)),
            ("1105", (("2.5", "LB"),)),
            ("7360", (("2300", "LB"),)),
        )
    )
    haul = Haul(s.first, s.first, tuple((code, amount, unit, "NET") for amount, unit in amounts))
    return Scheme(
        "quantity",
        "L21",
        True,
        (s.person(), f"vehicle:{s.first}"),
        (Part("EPIC", s.agency("EPIC"), 6, lambda slip, w: epic.seizure(slip, w, haul)),),
    )


def ring(s: Stage) -> Scheme:
    """A courier whom several rules meet: four feeds, undeclared cash, a full load, a shared vehicle."""
    load = Haul(s.first, s.first, (("9041", "12.4", "KG", "NET"),))
    cash = Cash(s.first, 212_000, 0, "BORDER_OUT", s.first)
    other = Cash(s.first + 3, 9_000, None, "INTERSTATE", s.first)
    return Scheme(
        "ring",
        "L01 L11 L21",
        True,
        (s.person(),),
        (
            Part("SOD", s.agency("SOD"), 20, lambda slip, w: sod.toll(slip, w, s.first, subscriber=True)),
            Part("EPIC", s.agency("EPIC", 1), 9, _with_phone(lambda slip, w: epic.seizure(slip, w, load))),
            Part("BCSC", s.agency("BCSC", 2), 2, _with_phone(lambda slip, w: bcsc.seizure(slip, w, cash))),
            Part("OFC", s.agency("OFC"), 2, lambda slip, w: ofc.profile(slip, w, s.first)),
            Part("BCSC", s.agency("BCSC", 3), 1, lambda slip, w: bcsc.seizure(slip, w, other)),
        ),
    )


def structuring(s: Stage) -> Scheme:
    """L09: four cash deposits just below $10,000 within five days at two branches."""
    states = (s.world.bank(s.first).state, "NM")
    amounts = [f"{9_000 + int(s.rng.random() * 900)}.00" for _ in range(4)]

    def build(slip: Slip, w: World) -> Draft:
        paid = [(slip.at - timedelta(days=d), a, "CASH_IN", states[d % 2]) for d, a in enumerate(amounts)]
        return ofc.financial(slip, w, s.first, paid, "SAR111")

    subjects = (s.person(), f"account:{s.first}")
    return Scheme("structuring", "L09", True, subjects, (Part("OFC", s.agency("OFC"), 5, build),))


def funnel(s: Stage) -> Scheme:
    """L10: cash paid in in three states, nearly all of it out in another within three days."""

    def build(slip: Slip, w: World) -> Draft:
        paid = [
            (slip.at - timedelta(days=3 - d / 2), "8200.00", "CASH_IN", state)
            for d, state in enumerate(("GA", "OH", "IL", "NC"))
        ]
        paid.append((slip.at - timedelta(hours=8), "31000.00", "CASH_OUT", "CA"))
        return ofc.financial(slip, w, s.first, paid, "SAR111")

    return Scheme("funnel", "L10", True, (f"account:{s.first}",), (Part("OFC", s.agency("OFC"), 4, build),))


def burner(s: Stage) -> Scheme:
    """L07: a number falls silent, and another takes up with the same contacts."""
    contacts = [n for i in (1, 2, 3, 4) if (n := s.world.phone(s.first + i))]
    subjects = tuple(f"phone:{n}" for which in (0, 1) if (n := s.world.phone(s.first, which)))

    def calls(which: int) -> Build:
        def build(slip: Slip, w: World) -> Draft:
            when = [slip.at - timedelta(hours=9 * n) for n in range(24)]
            made = (
                [(at, contacts[n % len(contacts)], n % 3 > 0, 60 + n) for n, at in enumerate(when)]
                if contacts
                else ()
            )
            return sod.toll(slip, w, s.first, made, which)

        return build

    agency = s.agency("SOD")
    parts = (Part("SOD", agency, 16, calls(0)), Part("SOD", agency, 4, calls(1)))
    return Scheme("burner_drop", "L07", bool(contacts), subjects, parts)


def joint_twice(s: Stage) -> Scheme:
    """Not L15: one seizure that two agencies report, with the same number and the same driver."""
    fdin, point = f"FD{s.first:08d}", s.point()
    haul = Haul(s.first, s.first, (("9041", "480", "G", "NET"),), fdin=fdin, point=point)
    lead, assist = s.agency("EPIC"), s.agency("EPIC", 1)
    second = replace(haul, assist=(lead.ori,), drugs=(("9041", "490", "G", "NET"),))
    return Scheme(
        "joint_seizure",
        "L15",
        False,
        (f"vehicle:{s.first}", s.person()),
        (
            Part("EPIC", lead, 6, lambda slip, w: epic.seizure(slip, w, replace(haul, assist=(assist.ori,)))),
            Part("EPIC", assist, 6, lambda slip, w: epic.seizure(slip, w, second)),
        ),
    )


def declared(s: Stage) -> Scheme:
    """Not L11: a large sum, declared in full with its form."""
    total = 20_000 + int(s.rng.random() * 800) * 100
    cash = Cash(s.first, total, total, "BORDER_OUT", s.first, cmir=f"CMIR-{s.first}")
    part = Part("BCSC", s.agency("BCSC"), 5, lambda slip, w: bcsc.seizure(slip, w, cash))
    return Scheme("declared_cash", "L11", False, (s.person(), f"vehicle:{s.first}"), (part,))


def at_the_limit(s: Stage) -> Scheme:
    """Not L11: exactly $10,000 undeclared, between states."""
    cash = Cash(s.first, 15_000, 5_000, "INTERSTATE", s.first)
    part = Part("BCSC", s.agency("BCSC"), 5, lambda slip, w: bcsc.seizure(slip, w, cash))
    return Scheme("cash_at_the_limit", "L11", False, (s.person(),), (part,))


def just_below(s: Stage) -> Scheme:
    """Not L21: the gross weight reaches the amount, the net weight does not."""
    drugs = (("9041", "495", "G", "NET"), ("9041", "5.2", "KG", "GROSS"))
    part = Part(
        "EPIC", s.agency("EPIC"), 6, lambda slip, w: epic.seizure(slip, w, Haul(s.first, s.first, drugs))
    )
    return Scheme("quantity_just_below", "L21", False, (s.person(),), (part,))


def same_driver(s: Stage) -> Scheme:
    """Not L15: one vehicle twice, with the same driver."""
    cash = Cash(s.first, 7_000, None, "INTERSTATE", s.first)
    return Scheme(
        "same_driver",
        "L15",
        False,
        (f"vehicle:{s.first}",),
        (
            Part("EPIC", s.agency("EPIC"), 30, _small_drugs(s, car=True)),
            Part("BCSC", s.agency("BCSC", 1), 4, lambda slip, w: bcsc.seizure(slip, w, cash)),
        ),
    )


def withdrawn(s: Stage) -> Scheme:
    """Not L11: undeclared cash, but the report is retracted."""
    cash = Cash(s.first, 90_000, 0, "BORDER_OUT", s.first)
    part = Part("BCSC", s.agency("BCSC"), 5, lambda slip, w: bcsc.seizure(slip, w, cash), retracted=True)
    return Scheme("retracted", "L11", False, (s.person(), f"vehicle:{s.first}"), (part,))


def unvetted(s: Stage) -> Scheme:
    """Not L01: a second feed tells of the number only by an unvetted tip."""
    toll = Part("SOD", s.agency("SOD"), 9, lambda slip, w: sod.toll(slip, w, s.first), basis="TIP_UNVETTED")
    seized = Part("EPIC", s.agency("EPIC", 1), 5, _with_phone(_small_drugs(s)))
    return Scheme("unvetted_tip", "L01", False, (s.person(),), (toll, seized))


def one_agency(s: Stage) -> Scheme:
    """Not L01: two feeds, but one agency."""
    agency = next(a for a in OF_FEED["EPIC"] if "BCSC" in a.feeds)
    return Scheme(
        "one_agency",
        "L01",
        False,
        (s.person(),),
        (
            Part("EPIC", agency, 9, _small_drugs(s)),
            Part("BCSC", agency, 3, _small_cash(s)),
        ),
    )


def _small_drugs(s: Stage, *, car: bool = False) -> Build:
    haul = Haul(s.first, s.first if car else None, (("9041", "35.5", "G", "NET"),), cash=1_200)
    return lambda slip, w: epic.seizure(slip, w, haul)


def _small_cash(s: Stage) -> Build:
    return lambda slip, w: bcsc.seizure(slip, w, Cash(s.first, 6_400, None))


def _with_phone(build: Build) -> Build:
    return lambda slip, w: build(replace(slip, phone=True), w)


SCHEMES: Final = (
    convergence, undeclared, reuse, quantity, ring, structuring, funnel, burner,
    joint_twice, declared, at_the_limit, just_below, same_driver, withdrawn, unvetted, one_agency,
)  # fmt: skip
"""Every scheme, those that should fire first; a simulation plants them in turn."""
