"""``interlock deconfliction``: care for the registry."""

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson
import typer
from rich.progress import Progress

from services.command.console import Failed, Json, err, out, print_json
from services.command.reach import DESK, Reach, Token, Url, ask, in_words

if TYPE_CHECKING:
    import httpx

_ROTATE = "/v1/deconfliction/keys:rotate"


def commands() -> typer.Typer:
    """The commands under ``deconfliction``."""
    app = typer.Typer(help="Care for the deconfliction registry.", no_args_is_help=True)
    app.command("rotate-key")(rotate_key)
    app.command("statistics")(statistics)
    return app


def rotate_key(url: Url = None, token: Token = None, json: Json = False) -> None:
    """Give the registry a new key: everything is hashed and sealed anew, while it goes on working.

    \b
    Needs the role operator. Back up the key file afterwards; the old key opens nothing any more.
    Example:
      interlock deconfliction rotate-key
    """
    import httpx  # noqa: PLC0415

    with closing(_client(url, token)) as client, Progress(console=err(), transient=True) as progress:
        shown = progress.add_task("Rotating", total=None)
        last: dict[str, Any] = {}
        try:
            with client.stream("POST", _ROTATE, timeout=None) as answer:
                if not answer.is_success:
                    answer.read()
                    raise Failed(in_words(answer))
                for line in answer.iter_lines():
                    last = orjson.loads(line)
                    if last["state"] == "ROTATING":
                        progress.update(shown, total=last["total"], completed=last["done"])
        except httpx.TransportError as error:
            raise Failed(f"{client.base_url} broke off ({error}): run it again, it goes on") from error
    if last.get("state") != "DONE":
        raise Failed("The rotation broke off: run it again, it goes on. The service's log says why.")
    if json:
        print_json(last)
    else:
        out().print(f"The registry's key is number {last['key']} now. Back up its key file.")


def statistics(url: Url = None, token: Token = None, json: Json = False) -> None:
    """Show conflicts by week, state and outcome, without identities; counts below five are hidden."""
    with closing(_client(url, token)) as client:
        answer = ask(client, "GET", "/v1/deconfliction/statistics")
    if json:
        print_json(answer)
        return
    for kind, count in answer["open_submissions"].items():
        out().print(f"open {kind.lower()}s: {count}")
    for row in answer["conflicts"]:
        seconds = row["mean_seconds_to_acknowledge"]
        spent = "" if seconds is None else f", read after {seconds} s"
        out().print(f"week of {row['week']}: {row['count']} {row['state']} {row['outcome'] or ''}{spent}")


def _client(url: str | None, token: str | None) -> "httpx.Client":
    reach = Reach.of(url, token)
    bearer = reach.token_for(os.environ.get("INTERLOCK_AGENCY", DESK), ("operator",))
    return reach.client("leads", {"Authorization": f"Bearer {bearer}"})
