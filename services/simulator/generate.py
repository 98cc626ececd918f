"""The stream of simulated reports: background, planted schemes and amendments, the same for the same seed.

Reports come in blocks. A block has its own dice, so memory does not grow with the stream, and any stream is
a function of (reports, seed, start, days) alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final
from zlib import crc32

from services.simulator import bcsc, epic, ofc, sod
from services.simulator.envelope import OF_FEED, Agency, Slip
from services.simulator.mentions import Draft
from services.simulator.population import CREW, World
from services.simulator.schemes import SCHEMES, Part, Scheme, Stage
from shared.contracts.report import report_id_of

BLOCK: Final = 1_000
START: Final = date(2026, 1, 1)
DAYS: Final = 90
"""Events lie within this many days from the start."""
FEEDS: Final = ("SOD", "OFC", "EPIC", "BCSC")
AMENDED: Final = 0.025
"""Share of the stream that is an UPDATE or a RETRACT of an earlier report."""
SCHEME_EVERY: Final = 40
"""One scheme is planted for so many reports."""

Builder = Callable[[Slip, World, int], Draft]
MIX: Final[tuple[tuple[str, int, Builder], ...]] = (
    ("EPIC", 340, epic.lpr),
    ("EPIC", 140, epic.crossing),
    ("EPIC", 70, lambda slip, w, who: epic.seizure(slip, w, epic.small_haul(slip, who))),
    ("EPIC", 30, epic.lookout),
    ("EPIC", 50, epic.inquiry),
    ("EPIC", 4, epic.product),
    ("SOD", 70, sod.target),
    ("SOD", 60, sod.toll),
    ("SOD", 20, sod.intercept),
    ("SOD", 25, sod.tip),
    ("SOD", 8, sod.nexus),
    ("OFC", 70, ofc.financial),
    ("OFC", 20, ofc.profile),
    ("OFC", 10, ofc.case_link),
    ("OFC", 4, ofc.list_update),
    ("BCSC", 40, lambda slip, w, who: bcsc.seizure(slip, w, bcsc.small_cash(slip, who))),
    ("BCSC", 40, bcsc.inquiry),
    ("BCSC", 30, bcsc.cmir),
    ("BCSC", 10, bcsc.movement),
)
"""Feed, share and builder of each type of background report; every type occurs in every block."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a report is really about: the true entity of each of its mentions by local id."""

    report_id: str
    source_report_no: str
    feed: str
    version: int
    mentions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted scheme and the numbers of its reports."""

    scheme: Scheme
    report_nos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Simulated:
    """One submission: to which feed, by which agency, and the truth about it.

    ``planted`` stands with the last report of a scheme.
    """

    feed: str
    agency: str
    payload: dict[str, Any]
    truth: Truth
    planted: Planted | None = None


@dataclass(slots=True)
class _Running:
    """A scheme of the block under way: what is still to come."""

    scheme: Scheme
    grade: str
    left: list[Part]
    report_nos: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Stream:
    """What all blocks share."""

    world: World
    reports: int
    begin: datetime
    days: int

    @property
    def tag(self) -> str:
        """Four digits that keep the report numbers of different streams apart."""
        what = f"{self.world.seed}/{self.reports}/{self.begin:%Y%m%d}/{self.days}"
        return f"{crc32(what.encode()) % 10_000:04d}"

    def moment(self, rng: Random, index: int) -> datetime:
        """When the event of the stream's ``index``-th report was: in order, with half a day's scatter."""
        share = (index + rng.random()) / self.reports
        at = self.begin + timedelta(days=share * self.days) - timedelta(seconds=rng.random() * 43_200)
        return max(self.begin, at).replace(microsecond=0)


def generate(reports: int, seed: int, *, start: date = START, days: int = DAYS) -> Iterator[Simulated]:
    """Exactly ``reports`` submissions, of all four feeds, in the order in which agencies send them."""
    people = max(60, reports // 3)
    people -= people % CREW
    stream = _Stream(World(seed, people), reports, datetime.combine(start, time(), UTC), days)
    for first in range(0, reports, BLOCK):
        rng = Random(f"interlock/{seed}/{reports}/{first}")  # noqa: S311 - a simulation
        yield from _block(stream, rng, first, min(BLOCK, reports - first))


def _block(stream: _Stream, rng: Random, first: int, size: int) -> Iterator[Simulated]:
    """One block: a shuffled deck of background and scheme reports, amendments in between."""
    running = _plant(stream, rng, first, size)
    deck: list[tuple[str, Builder] | _Running | None] = [
        r for r in running for part in r.left for _ in _sends(part)
    ]
    amended = int((size - len(deck)) * AMENDED)
    deck += [None] * amended
    deck += _background(rng, size - len(deck))
    rng.shuffle(deck)
    sent: list[Simulated] = []
    pending: dict[int, Simulated] = {}
    for offset, card in enumerate(deck):
        index = first + offset
        if card is None:
            made = _amend(rng, sent) or _ordinary(stream, rng, index, ("EPIC", epic.lpr))
        elif isinstance(card, _Running):
            made = _scheme_report(stream, rng, index, card, pending)
        else:
            made = _ordinary(stream, rng, index, card)
            sent.append(made)
        yield made


def _sends(part: Part) -> range:
    """How many submissions a part takes: its report, and its retraction where it has one."""
    return range(2 if part.retracted else 1)


def _plant(stream: _Stream, rng: Random, first: int, size: int) -> list[_Running]:
    """The schemes of this block, in turn over the stream."""
    found: list[_Running] = []
    room = size // 2
    for number in range(-(-first // SCHEME_EVERY), -(-(first + size) // SCHEME_EVERY)):
        stage = Stage(rng, stream.world, stream.world.people + number * CREW)
        scheme = SCHEMES[number % len(SCHEMES)](stage)
        room -= sum(len(_sends(p)) for p in scheme.parts)
        if room >= 0:
            found.append(_Running(scheme, scheme.grade, list(scheme.parts)))
    return found


def _background(rng: Random, count: int) -> list[tuple[str, Builder]]:
    """``count`` background cards: each type once, then by share."""
    whole = [(feed, build) for feed, _, build in MIX]
    weights = [share for _, share, _ in MIX]
    return whole[:count] + rng.choices(whole, weights, k=max(0, count - len(whole)))


def _ordinary(stream: _Stream, rng: Random, index: int, card: tuple[str, Builder]) -> Simulated:
    """A background report about somebody: few people are told of often, most rarely or once."""
    feed, build = card
    people = stream.world.people
    who = int(rng.random() ** 2 * people)
    if rng.random() < 0.9:
        who = min(who - who % len(FEEDS) + FEEDS.index(feed), people - 1)
    agencies = OF_FEED[feed]
    agency = agencies[who // len(FEEDS) % len(agencies)]
    slip = _slip(stream, rng, index, (feed, agency), who)
    return _simulated(slip, build(slip, stream.world, who))


def _slip(stream: _Stream, rng: Random, index: int, sender: tuple[str, Agency], who: int) -> Slip:
    feed, agency = sender
    at = stream.moment(rng, index)
    number = f"{agency.prefix}-{at:%y}-{stream.tag}-{index:07d}"
    return Slip(rng, agency, feed, at, number, f"{agency.prefix}{at:%y}-{who // 5:06d}")


def _simulated(slip: Slip, draft: Draft, planted: Planted | None = None) -> Simulated:
    truth = Truth(report_id_of(slip.agency.ori, slip.number), slip.number, slip.feed, 1, draft.truth)
    return Simulated(slip.feed, slip.agency.ori, draft.payload, truth, planted)


def _scheme_report(
    stream: _Stream, rng: Random, index: int, run: _Running, pending: dict[int, Simulated]
) -> Simulated:
    """The next report of a scheme, or the retraction that its last one waits for."""
    waiting = pending.pop(id(run), None)
    if waiting is not None:
        return replace(
            _retract(waiting), planted=None if run.left else Planted(run.scheme, tuple(run.report_nos))
        )
    part = run.left.pop(0)
    slip = _slip(stream, rng, index, (part.feed, part.agency), index)
    at = max(stream.begin, slip.at - timedelta(days=part.days_before))
    slip = replace(slip, at=at, grade=run.grade, basis=part.basis)
    run.report_nos.append(slip.number)
    done = not run.left and not part.retracted
    made = _simulated(
        slip, part.build(slip, stream.world), Planted(run.scheme, tuple(run.report_nos)) if done else None
    )
    if part.retracted:
        pending[id(run)] = made
    return made


def _amend(rng: Random, sent: list[Simulated]) -> Simulated | None:
    """A newer version of an earlier report of this block, or its retraction; each is amended once."""
    if not sent:
        return None
    at = int(rng.random() * len(sent))
    sent[at], sent[-1] = sent[-1], sent[at]
    chosen = sent.pop()
    return _retract(chosen) if rng.random() < 0.25 else _update(rng, chosen)


def _update(rng: Random, old: Simulated) -> Simulated:
    """Version 2: the grade is revised and a passage added."""
    version = old.truth.version + 1
    payload = old.payload | {
        "action": "UPDATE",
        "version": version,
        "evaluation": {"reliability": rng.choice("AB"), "credibility": rng.choice("12")},
        "portions": [{"marking": "(U)", "text": "Follow-up confirmed the particulars of the first report."}],
    }
    return replace(old, payload=payload, truth=replace(old.truth, version=version), planted=None)


def _retract(old: Simulated) -> Simulated:
    """The withdrawal of every version."""
    version = old.truth.version + 1
    kept = ("schema", "source_report_no", "originator", "case_no")
    payload = {name: old.payload[name] for name in kept}
    payload |= {"action": "RETRACT", "version": version, "reason": "Entered in error."}
    return replace(old, payload=payload, truth=replace(old.truth, version=version, mentions={}), planted=None)
