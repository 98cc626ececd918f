"""``interlock leads`` and ``interlock lead``: where to look, why, and whom to call."""

from collections.abc import Mapping
from contextlib import closing
from typing import Annotated, Any

import typer

from services.command.console import Json, out, print_json, table
from services.command.reach import Case, Purpose, Reach, Token, Url, ask


def leads(
    band: Annotated[list[str] | None, typer.Option("--band", help="URGENT, HIGH, ROUTINE (repeat).")] = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", help="L01 … (repeat).")] = None,
    feed: Annotated[list[str] | None, typer.Option("--feed", help="SOD, OFC, EPIC, BCSC (repeat).")] = None,
    entity: Annotated[str | None, typer.Option("--entity", help="Only leads about this entity.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Changed since: 2026-03-01T00:00:00Z.")] = None,
    text: Annotated[str | None, typer.Option("--q", help="Words of the subject's name.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 20,
    purpose: Purpose = "INVESTIGATION",
    case: Case = None,
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """List leads, highest score first.

    \b
    Examples:
      interlock leads --band URGENT --band HIGH
      interlock leads --rule L11 --since 2026-03-01T00:00:00Z
    """
    given = {"band": band, "rule": rule, "feed": feed, "entity": entity, "since": since, "q": text}
    query = {name: value for name, value in given.items() if value} | {"limit": limit}
    with closing(Reach.of(url, token).reader(purpose, case)) as client:
        answer = ask(client, "GET", "/v1/leads", params=query)
    if json:
        print_json(answer)
        return
    rows = [
        (f"{x['score']:g}", x["band"], " ".join(x["rules"]), x["title"], x["lead_id"])
        for x in answer["items"]
    ]
    out().print(table(("score", "band", "rules", "lead", "id"), rows) if rows else "No leads.")
    if answer.get("next_cursor"):
        out().print(f"There are more than {limit} (--limit).")


def lead(
    identifier: Annotated[str, typer.Argument(metavar="ID")],
    purpose: Purpose = "INVESTIGATION",
    case: Case = None,
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Show one lead: why it matters, what supports it, and whom to call."""
    with closing(Reach.of(url, token).reader(purpose, case)) as client:
        answer = ask(client, "GET", f"/v1/leads/{identifier}")
    if json:
        print_json(answer)
        return
    out().print(in_full(answer), markup=False)


def in_words(lead: Mapping[str, Any]) -> str:
    """A lead in short: title and score, then its reasons."""
    lines = [f"{lead['score']:>5g}  {lead['band']:<8} {lead['title']}  ({lead['lead_id']})"]
    lines += [f"       {row['value']:+.1f} {row['rule']}: {row['text']}" for row in lead["contributions"]]
    return "\n".join(lines)


def in_full(lead: Mapping[str, Any]) -> str:
    """A lead as an analyst reads it: what, why, on what evidence, and whom to call."""
    lines = [in_words(lead), "", lead["summary"], "", f"Suggested: {lead['suggested_action']}"]
    confidence = lead["confidence"]
    lines += [f"Confidence {confidence['level']}, {confidence['likelihood']}: {confidence['because']}"]
    lines += [f"Missing: {gap}" for gap in lead["intelligence_gaps"]]
    lines += ["", "Evidence"]
    for each in lead["evidence"]:
        where = f"{each['feed']} {each['agency']} {each['source_report_no']}"
        lines.append(f"  {each['at'][:16]}  {where}  {each['marking']}  {' '.join(each['rules'])}")
    lines += ["", "Call"]
    for agency in lead["owning_agencies"]:
        lines.append(f"  {agency['agency_id']}  {agency['contact_name']}  {agency['phone']}")
    return "\n".join(lines)
