"""``interlock replay``: make the picture anew from the log."""

import os
import subprocess
import sys
from contextlib import nullcontext
from importlib.util import find_spec
from typing import Annotated

import typer

from services.command.console import Data, Failed, err, out
from services.command.environment import environment_for, settings_for
from services.command.supervise import MISCONFIGURED_EXIT, alone
from shared.errors import Misconfigured
from shared.settings import Settings

Leads = Annotated[bool, typer.Option("--leads", help="Only what the leads service keeps.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def replay(leads: Leads = False, yes: Yes = False, data: Data = None) -> None:
    """Throw the picture away and make it anew from the log; same ids, same picture.

    Stop Interlock first. Without --leads every report is fused again as soon
    as fusion runs; with it, fusion sends again what it knows, and only the
    read model of the leads service is made anew. Nothing that people entered
    is lost: judgements and releases are in the log.

    \b
    Examples:
      interlock replay
      interlock replay --leads
    """
    settings = settings_for(data)
    what = "the read model of the leads service" if leads else "the picture"
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Make {what} anew from {settings.log_url.partition('?')[0]}?", abort=True)
    embedded = settings.log_url.startswith("sqlite:")
    with alone(settings.home) if embedded else nullcontext():
        if leads:
            _run(settings, "services.leads", "--rebuild")
            with err().status("Fusion sends everything again"):
                _run(settings, "services.fusion", "--republish")
        else:
            _run(settings, "services.fusion", "--rebuild")
    out().print(f"Start Interlock, and {what} is made anew.")


def _run(settings: Settings, module: str, task: str) -> None:
    if find_spec(module) is None:
        name = module.rpartition(".")[2]
        raise Misconfigured(f"{module} is not installed here: run `docker compose run --rm {name} {task}`")
    environment = {**os.environ, **environment_for(str(settings.home))}
    done = subprocess.run(  # noqa: S603 - our own interpreter and modules
        [sys.executable, "-m", module, task], env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        message = done.stderr.strip()[-2_000:]
        raise (Misconfigured if done.returncode == MISCONFIGURED_EXIT else Failed)(message)
