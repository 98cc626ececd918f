"""``interlock dead-letters``: what could not be processed, why, and what to do about it."""

from contextlib import closing
from typing import Annotated, Any

import orjson
import typer

from services.command.console import Data, Json, out, print_json, table
from services.command.environment import settings_for
from services.command.letters import Letter, choose, discard, open_letters, retry
from shared.contracts.topics import TOPICS
from shared.errors import Misconfigured
from shared.log import Log, open_log

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="As `list` shows them.")]
Step = Annotated[str | None, typer.Option("--step", help="With --all: only those of this step.")]
All = Annotated[bool, typer.Option("--all", help="Every open dead letter.")]
SHOWN = 50


def commands() -> typer.Typer:
    """The commands under ``dead-letters``."""
    app = typer.Typer(help="See, retry or discard what could not be processed.", no_args_is_help=True)
    app.command("list")(list_letters)
    app.command("show")(show)
    app.command("retry")(retry_letters)
    app.command("discard")(discard_letters)
    return app


def _log(data: str | None) -> Log:
    log = open_log(settings_for(data).log_url)
    log.ensure(TOPICS)
    return log


def list_letters(
    limit: Annotated[int, typer.Option("--limit", min=1)] = SHOWN, json: Json = False, data: Data = None
) -> None:
    """List the dead letters that nobody has dealt with yet, newest last."""
    with closing(_log(data)) as log:
        letters = open_letters(log)
    if json:
        print_json([_as_json(letter) for letter in letters[-limit:]])
        return
    if not letters:
        out().print("No dead letters.")
        return
    rows = [
        (x.id, x.at.strftime("%Y-%m-%d %H:%M:%S"), x.step, x.source[0], x.record.key, x.error)
        for x in letters[-limit:]
    ]
    out().print(table(("id", "set aside", "step", "from", "key", "reason"), rows))
    if len(letters) > limit:
        out().print(f"… and {len(letters) - limit:,} older ones (--limit)")


def show(
    identifier: Annotated[str, typer.Argument(metavar="ID")], json: Json = False, data: Data = None
) -> None:
    """Show one dead letter: where it came from, why it is here, and its original bytes."""
    with closing(_log(data)) as log:
        (letter,) = choose(open_letters(log), [identifier], step=None, every=False)
    if json:
        print_json(_as_json(letter) | {"value": _readable(letter)})
        return
    out().print(f"reason     {letter.error}", markup=False)
    out().print(f"step       {letter.step}", markup=False)
    out().print(f"from       {letter.source[0]}, partition {letter.source[1]}, offset {letter.source[2]}")
    out().print(f"key        {letter.record.key}", markup=False)
    out().print(f"set aside  {letter.at.isoformat()}")
    value = _readable(letter)
    if isinstance(value, str):
        out().print(value, markup=False)
    else:
        out().print_json(orjson.dumps(value).decode())


def retry_letters(
    ids: Ids = None, every: All = False, step: Step = None, json: Json = False, data: Data = None
) -> None:
    """Give dead letters to their topic again, once their cause is mended.

    \b
    Examples:
      interlock dead-letters retry 0-17
      interlock dead-letters retry --all --step normalise
    """
    _check(ids, every, step)
    with closing(_log(data)) as log:
        chosen = choose(open_letters(log), ids or [], step=step, every=every)
        retry(log, chosen)
    _done("retried", chosen, json)


def discard_letters(
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with them.")],
    ids: Ids = None,
    every: All = False,
    step: Step = None,
    json: Json = False,
    data: Data = None,
) -> None:
    """Take dead letters off the list for good; their bytes stay in the topic for its 90 days.

    \b
    Example:
      interlock dead-letters discard 0-17 --reason "sent again by the agency as version 2"
    """
    _check(ids, every, step)
    with closing(_log(data)) as log:
        chosen = choose(open_letters(log), ids or [], step=step, every=every)
        discard(log, chosen, reason)
    _done("discarded", chosen, json)


def _check(ids: list[str] | None, every: bool, step: str | None) -> None:
    if bool(ids) == every:
        raise Misconfigured("name the dead letters by their ids, or say --all")
    if step and not every:
        raise Misconfigured("--step goes with --all")


def _done(what: str, chosen: list[Letter], json: bool) -> None:
    if json:
        print_json({what: [letter.id for letter in chosen]})
        return
    out().print(f"{len(chosen):,} {what}.")


def _readable(letter: Letter) -> Any:
    """The original bytes as JSON where they are, else as text."""
    raw = letter.record.value or b""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw.decode(errors="backslashreplace")


def _as_json(letter: Letter) -> dict[str, Any]:
    topic, partition, offset = letter.source
    return {
        "id": letter.id,
        "key": letter.record.key,
        "step": letter.step,
        "error": letter.error,
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "at": letter.at.isoformat(),
        "bytes": len(letter.record.value or b""),
    }
