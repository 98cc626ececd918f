"""The simulator's front door: play the agencies against running services, or write files."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from services.simulator.files import TruthFiles, Written, write
from services.simulator.generate import DAYS, Simulated, generate
from services.simulator.push import Pushed, Target, push


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate: how many reports, from which seed, with events in ``days`` from ``start`` on."""

    reports: int
    seed: int = 1
    start: date | None = None
    days: int = DAYS

    def stream(self) -> Iterator[Simulated]:
        """The reports, in the order in which agencies send them."""
        return generate(self.reports, self.seed, start=self.begins(), days=self.days)

    def begins(self) -> date:
        """The first day; without one given, so that the last event lies in the last hours."""
        return self.start or datetime.now(UTC).date() - timedelta(days=self.days)


def to_files(plan: Plan, folder: Path, progress: Callable[[int], None] = lambda _: None) -> Written:
    """Write one NDJSON file per agency, ``truth.jsonl`` and ``schemes.jsonl``; ``progress`` gets counts."""
    return write(folder, _counted(plan, progress))


def to_services(
    plan: Plan,
    target: Target,
    *,
    truth: Path | None = None,
    progress: Callable[[Pushed], None] = lambda _: None,
) -> Pushed:
    """Send the simulation over HTTP; ``truth`` names a folder for ``truth.jsonl`` and ``schemes.jsonl``."""
    if truth is None:
        return push(plan.stream(), target, progress)
    with ExitStack() as stack:
        return push(_witnessed(plan.stream(), TruthFiles(truth, stack)), target, progress)


def _witnessed(reports: Iterator[Simulated], truth: TruthFiles) -> Iterator[Simulated]:
    for report in reports:
        truth.add(report)
        yield report


def _counted(plan: Plan, progress: Callable[[int], None]) -> Iterator[Simulated]:
    for count, report in enumerate(plan.stream(), 1):
        yield report
        if count % 500 == 0 or count == plan.reports:
            progress(count)
