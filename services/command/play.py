"""The demo's play: the simulator's reports and real BSA batches sent over HTTP, then everything waited for.

No terminal here; ``Stage`` says how far it is, ``Outcome`` what came of it.
"""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from services.command.figures import Figures, figures
from services.command.letters import behind, open_letters
from services.command.push import import_xml
from services.command.pushing import FilePush, Result, Sender
from services.command.reach import LOCAL_CASE, Reach, ask
from services.command.simulate import files_of
from shared.contracts.topics import FUSION_GROUP, LEADS_GROUP, REPORTS, RESOLUTIONS, TOPICS
from shared.log import open_log

BSA_BATCHES = Path(__file__).parents[2] / "tests" / "data" / "fincen-bsa"
BSA_AGENCY = "DCZZZ0009"
BATCH_NAMES = ("ctr_batch.xml", "sar_batch.xml")
PATIENCE_SECONDS = 120.0
ASKING = 8
PAUSE = 0.25
TOP = 5


class Stage(Protocol):
    """Hears how far the play is."""

    def __call__(self, name: str, done: int, total: int) -> None:
        """Of ``total`` in the stage ``name``, so many are done."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted report: where to ask what became of it."""

    feed: str
    agency: str
    receipt_id: str


@dataclass(slots=True)
class Outcome:
    """What the play came to."""

    sent: list[Sent] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    fused: int = 0
    dead_lettered: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    figures: Figures = field(default_factory=Figures)
    top: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether every report was accepted, and every accepted one is fused or dead-lettered."""
        return bool(self.sent) and self.fused + self.dead_lettered == len(self.sent)


def play(reach: Reach, folder: Path, reports: int, seed: int, stage: Stage) -> Outcome:
    """Send everything and wait until it is in the picture; raises ``Failed``."""
    started = time.monotonic()
    outcome = Outcome()
    files = files_of(folder, reports, seed, lambda made: stage("Inventing", made, reports))
    _send(reach, files, reports, outcome, stage)
    _wait_processed(reach, outcome, stage)
    outcome.figures = _wait_settled(reach)
    outcome.reasons = _reasons(reach)
    with closing(reach.reader("INVESTIGATION", LOCAL_CASE)) as client:
        found = ask(client, "GET", "/v1/leads", params={"limit": TOP})["items"]
        outcome.top = [ask(client, "GET", f"/v1/leads/{each['lead_id']}") for each in found]
    outcome.seconds = time.monotonic() - started
    return outcome


def _send(reach: Reach, files: Sequence[Path], reports: int, outcome: Outcome, stage: Stage) -> None:
    handled = 0

    def taken(results: Sequence[Result]) -> None:
        nonlocal handled
        handled += len(results)
        for result in results:
            if result.receipt_id is None:
                outcome.refused["; ".join(result.reasons)] += 1
            else:
                outcome.sent.append(Sent(result.line.feed, result.line.agency, result.receipt_id))
        stage("Sending", handled, reports)

    with closing(Sender(reach)) as sender:
        for file in files:
            FilePush(file).run(sender, taken)
        for name in BATCH_NAMES:
            if (BSA_BATCHES / name).exists():
                taken(import_xml(BSA_BATCHES / name, BSA_AGENCY, sender))


def _wait_processed(reach: Reach, outcome: Outcome, stage: Stage) -> None:
    """Wait until fusion has committed past everything; then ask every receipt what became of its report."""
    _wait_committed(reach, len(outcome.sent), stage)
    clients = {feed: reach.client(feed, {}) for feed in {sent.feed for sent in outcome.sent}}

    def state(sent: Sent) -> str:
        token = reach.token_for(sent.agency, ("submitter",), (sent.feed,))
        headers = {"Authorization": f"Bearer {token}"}
        return str(
            ask(clients[sent.feed], "GET", f"/v1/receipts/{sent.receipt_id}", headers=headers)["state"]
        )

    with ThreadPoolExecutor(ASKING) as pool:
        states = Counter(pool.map(state, outcome.sent))
    outcome.fused, outcome.dead_lettered = states["FUSED"], states["DEAD_LETTERED"]
    for client in clients.values():
        client.close()


def _wait_committed(reach: Reach, total: int, stage: Stage) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    with closing(open_log(reach.settings.log_url)) as log:
        while time.monotonic() < end:
            waiting = behind(log, FUSION_GROUP, REPORTS.name)
            stage("Fusing", max(0, total - waiting), total)
            if not waiting:
                return
            time.sleep(PAUSE)


def _wait_settled(reach: Reach) -> Figures:
    """The figures counted after the last resolution was projected and evaluated; else the last ones."""
    end = time.monotonic() + PATIENCE_SECONDS
    with closing(open_log(reach.settings.log_url)) as log:
        while behind(log, LEADS_GROUP, RESOLUTIONS.name) and time.monotonic() < end:
            time.sleep(PAUSE)
    since = time.time()
    while True:
        now = figures(reach.settings)
        settled = now.counted_at is not None and now.counted_at > since and not now.due
        if settled or time.monotonic() > end:
            return now
        time.sleep(PAUSE)


def _reasons(reach: Reach) -> Counter[str]:
    with closing(open_log(reach.settings.log_url)) as log:
        log.ensure(TOPICS)
        return Counter(f"{letter.step}: {letter.error}" for letter in open_letters(log))
