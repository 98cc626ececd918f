"""``interlock entity`` and ``interlock why``: what is known of somebody, and why two are one or are not."""

import re
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group

from services.command.console import Failed, Json, bits, out, print_json, table
from services.command.reach import Case, Purpose, Reach, Token, Url, ask

if TYPE_CHECKING:
    import httpx

PROFILE = re.compile(r"[0-9a-f]{32}")
SOURCES = 3
LINKS = 20


def entity(
    what: Annotated[str, typer.Argument(metavar="ID|IDENTIFIER|NAME", help="Such as phone:+19155550142.")],
    purpose: Purpose = "INVESTIGATION",
    case: Case = None,
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Show an entity: every value with its sources, its links, whom to call.

    \b
    Examples:
      interlock entity plate:US-TX:SYN1234
      interlock entity "Jose Garcia Lopez"
      interlock entity 5b0c9d0e6f3e5a559a830e4f3b1f4c11
    """
    with closing(Reach.of(url, token).reader(purpose, case)) as client:
        found = [what] if PROFILE.fullmatch(what) else _search(client, what, json=json)
        if len(found) != 1:
            return
        record = ask(client, "GET", f"/v1/entities/{found[0]}")
        links = ask(client, "GET", f"/v1/entities/{found[0]}/links", params={"limit": LINKS})
    if json:
        print_json(record | {"links": links["items"]})
    else:
        out().print(_page(record, links["items"]))


def _search(client: "httpx.Client", what: str, *, json: bool) -> list[str]:
    """The entity found; several are listed instead, and none is a failure."""
    by = "identifier" if re.match(r"[a-z_]+:\S", what) else "name"
    hits = ask(client, "GET", "/v1/entities", params={by: what, "limit": 20})["items"]
    if not hits:
        raise Failed(f"nobody and nothing that you may see has the {by} {what}")
    if len(hits) > 1 and json:
        print_json({"items": hits})
    elif len(hits) > 1:
        rows = [(h["score"], h["kind"], h["label"], h["matched"]["value"], h["entity_id"]) for h in hits]
        out().print(table(("match", "kind", "label", "by", "id"), rows))
    return [hit["entity_id"] for hit in hits]


def _page(record: Mapping[str, Any], links: list[dict[str, Any]]) -> Group:
    reported = record["reports"]
    agencies = ", ".join(reported["agencies"])
    head = (
        f"{record['kind']}  {record['label']}  {record['entity_id']}\n"
        f"{reported['count']} reports from {', '.join(reported['feeds'])}; {agencies}\n"
    )
    values = [(v["feature"], v["value"], _sources(v["sources"])) for v in record["values"]]
    others = [
        (
            f"{'→' if x['direction'] == 'OUT' else '←'} {x['type']}",
            x["other"]["label"],
            x["other"]["entity_id"],
        )
        for x in links
    ]
    calls = [(c["agency_id"], c["contact_name"], c["phone"]) for c in record["contacts"]]
    return Group(
        head,
        table(("value", "", "sources"), values),
        "",
        table(("link", "with", "id"), others, title="Links") if others else "No links.",
        "",
        table(("agency", "contact", "phone"), calls, title="Whom to call"),
    )


def _sources(sources: list[dict[str, Any]]) -> str:
    shown = [f"{s['feed']} {s['agency']} {s['at'][:10]} {s['grade']}" for s in sources[:SOURCES]]
    more = len(sources) - SOURCES
    return "; ".join(shown) + (f"; {more} more" if more > 0 else "")


def why(
    a: Annotated[
        str, typer.Argument(metavar="A", help="A profile, as `interlock entity --json` lists them.")
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="The other profile.")],
    purpose: Purpose = "INVESTIGATION",
    case: Case = None,
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Say why two profiles are one entity, or why not: the rows add up."""
    with closing(Reach.of(url, token).reader(purpose, case)) as client:
        pair = ask(client, "GET", f"/v1/pairs/{a}/{b}")
    if json:
        print_json(pair)
        return
    out().print(pair["text"], markup=False)
    rows = [(e["feature"], e["a"], e["b"], e["level"], bits(e["weight"])) for e in pair["evidence"]]
    if rows:
        out().print()
        out().print(table(("feature", "a", "b", "level", "bits"), rows))
    if pair["weight"] is not None:
        need = "" if pair["threshold"] is None else f", {bits(pair['threshold'])} needed to be the same"
        out().print(f"\nsum {bits(pair['weight'])} bits{need}: {pair['verdict']}")
    for block in pair["blocked_by"]:
        out().print(f"held apart by {block['kind'].lower()} between {block['a']} and {block['b']}")
