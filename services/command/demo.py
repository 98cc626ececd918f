"""``interlock demo``: the whole system with something in it, in one command."""

import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from services.command.console import Data, Failed, Json, PortBase, err, out, print_json
from services.command.environment import settings_for
from services.command.leads import in_words
from services.command.reach import LOCAL_CASE, Reach
from services.command.simulate import Reports, Seed
from services.command.supervise import Supervisor
from services.command.up import StopRequest, addresses, attend, launch, tend_until, wait_ready
from shared.settings import Settings

if TYPE_CHECKING:
    from services.command.play import Outcome

Once = Annotated[bool, typer.Option("--once", help="End after the summary; exit code 1 unless all is well.")]


def demo(
    reports: Reports = 2_000,
    seed: Seed = 1,
    once: Once = False,
    json: Json = False,
    data: Data = None,
    port_base: PortBase = None,
) -> None:
    """Start everything, let simulated agencies send reports, and show what comes of it.

    Everything lives in a temporary directory unless --data names one. It
    stays up until Ctrl-C; with --once it ends after the summary.

    \b
    Examples:
      interlock demo
      interlock demo --once --json
      interlock demo --reports 20000 --seed 7
    """
    given = Path(data) if data else None
    home = given or Path(tempfile.mkdtemp(prefix="interlock-demo-"))
    try:
        settings = settings_for(str(home), port_base)
        _demo(settings, reports, seed, once=once, json=json)
    finally:
        if given is None:
            shutil.rmtree(home, ignore_errors=True)


def _demo(settings: Settings, reports: int, seed: int, *, once: bool, json: bool) -> None:
    stop = StopRequest()
    stop.install()
    supervisor = launch(settings, 1, err().print)
    stop.supervisor = supervisor
    try:
        wait_ready(supervisor, settings, stop, give_up=True)
        outcome = _played(settings, supervisor, stop, (reports, seed), silent=json)
        if outcome is None:
            raise Failed("Stopped before the end.")
        _tell(settings, outcome, json=json, stays=not once)
        if not once:
            out().print("\nIt stays up until Ctrl-C.")
            attend(supervisor, settings, lambda: stop.asked)
    finally:
        stop.asked = True
        supervisor.stop()
    if once and not outcome.complete:
        raise typer.Exit(1)


def _played(
    settings: Settings, supervisor: Supervisor, stop: StopRequest, what: tuple[int, int], *, silent: bool
) -> "Outcome | None":
    """Play in a thread while this one tends the children; None where it was stopped."""
    from services.command.play import play  # noqa: PLC0415 - no other command waits for it

    future: Future[Outcome] = Future()
    with Progress(
        TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn(), console=err(), disable=silent
    ) as progress:  # fmt: skip
        tasks: dict[str, TaskID] = {}

        def stage(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name)
            progress.update(tasks[name], completed=done, total=max(total, done))

        def work() -> None:
            try:
                future.set_result(play(Reach(settings), settings.home / "simulated", *what, stage))
            except BaseException as error:  # noqa: BLE001 - the main thread raises it
                future.set_exception(error)

        Thread(target=work, name="play", daemon=True).start()
        tend_until(supervisor, lambda: stop.asked or future.done())
    return future.result() if future.done() else None


def _tell(settings: Settings, outcome: "Outcome", *, json: bool, stays: bool) -> None:
    token = Reach(settings).token_for("USZZZ0000", ("analyst",))
    if json:
        print_json(_summary(settings, outcome, token))
        return
    figures = outcome.figures
    rows: Mapping[str, Any] = {
        "accepted": len(outcome.sent),
        "fused": outcome.fused,
        "dead-lettered": outcome.dead_lettered,
        "refused": outcome.refused.total(),
        "entities": figures.entities,
        "merges": figures.merges,
        "leads": figures.leads,
    }
    out().print(f"\n[bold]What came of it[/] in {outcome.seconds:.0f} s")
    for name, value in rows.items():
        out().print(f"  {name:<14}{'?' if value is None else format(int(value), ',')}")
    for title, reasons in (("dead-lettered", outcome.reasons), ("refused", outcome.refused)):
        for reason, count in reasons.most_common(5):
            out().print(f"  {title}: {count} × {reason}", markup=False)
    out().print("\n[bold]The top leads[/]")
    for lead in outcome.top:
        out().print(in_words(lead), markup=False)
    if not stays:
        return
    out().print()
    out().print(addresses(settings, 1))
    out().print("\n[bold]Ask it yourself[/]")
    out().print(_curl(settings, token), markup=False, soft_wrap=True)
    environment = f"export INTERLOCK_HOME={settings.home} INTERLOCK_PORT_BASE={settings.port_base}"
    out().print(f"\n{environment}\ninterlock leads; interlock doctor", markup=False, soft_wrap=True)


def _curl(settings: Settings, token: str) -> str:
    headers = {
        "Authorization": f"Bearer {token}",
        "Interlock-Purpose": "INVESTIGATION",
        "Interlock-Case": LOCAL_CASE,
    }
    given = " ".join(f"-H '{name}: {value}'" for name, value in headers.items())
    return f"curl -s {given} '{settings.url_of('leads')}/v1/leads?limit=5'"


def _summary(settings: Settings, outcome: "Outcome", token: str) -> dict[str, Any]:
    figures = outcome.figures
    return {
        "complete": outcome.complete,
        "accepted": len(outcome.sent),
        "fused": outcome.fused,
        "dead_lettered": outcome.dead_lettered,
        "refused": outcome.refused.total(),
        "dead_letter_reasons": dict(outcome.reasons),
        "refusal_reasons": dict(outcome.refused),
        "entities": figures.entities,
        "merges": figures.merges,
        "leads": figures.leads,
        "top": outcome.top,
        "seconds": round(outcome.seconds, 2),
        "urls": {name: settings.url_of(name) for name in ("SOD", "OFC", "EPIC", "BCSC", "leads", "fusion")},
        "token": token,
        "home": str(settings.home),
    }
