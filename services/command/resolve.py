"""``interlock resolve``: who is who in a list of one's own, by the same model and store as the services."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from services.command.console import Json, err, out, print_json, table
from services.command.environment import settings_for
from shared.errors import Misconfigured

if TYPE_CHECKING:
    from services.fusion.backload import Outcome, Tell

LOWEST_BITS, HIGHEST_BITS = 0.0, 100.0


File = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV or JSON lines (also .gz), or Parquet.", dir_okay=False)
]
KindName = Annotated[str, typer.Option("--as", metavar="KIND", help="person, organization, vessel, …")]
Folder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Write the answers here.")]
Mapped = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FIELD,…", help="Which column is which field; repeats."),
]
Threshold = Annotated[
    float | None,
    typer.Option(min=LOWEST_BITS, max=HIGHEST_BITS, metavar="BITS", help="What a pair needs to be the same."),
]
Training = Annotated[
    bool, typer.Option("--train", help="First estimate the weights from the file itself, unlabelled.")
]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the database, resolver.db, in DIR.")]
Seed = Annotated[int, typer.Option(help="Of --train: equal seeds give equal weights.")]


def resolve(
    file: File,
    kind: KindName,
    folder: Folder,
    mapping: Mapped = None,
    threshold: Threshold = None,
    training: Training = False,
    keep: Keep = False,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Resolve a list: which rows are one person, organisation, vessel.

    Writes entities.csv (id, entity, weight of the row's strongest tie in bits),
    pairs.csv (why), possible.csv (pairs for a person to decide), report.md and,
    where rows cannot be used, refused.csv with their lines.

    Columns are known by their usual names; --map says the others, and COLUMN=
    leaves one out. Fields: id, type, names, given, family, aka, birth_dates,
    birth_places, sex, countries, occupations, identifiers (or identifiers:TYPE),
    addresses, street, unit, city, state, postcode, phones, emails. Several
    values in one cell are parted by semicolons.

    Exit code 0: all rows resolved; 1: some refused; 2: asked wrongly.

    \b
    Examples:
      interlock resolve people.csv --as person --out found
      interlock resolve ships.jsonl.gz --as vessel --map hull=identifiers:HULL_ID --out found
    """
    from services.fusion.backload import Order  # noqa: PLC0415  # no other command waits for its libraries
    from services.fusion.backload import resolve as run  # noqa: PLC0415  # as above

    model, needed = settings_for(None).model_file, None if threshold is None else round(threshold * 100)
    order = Order(file, kind, folder, _mapping(mapping or []), model, needed, training, keep, seed)
    with Progress(console=err(), disable=json, transient=True) as progress:
        found = run(order, _teller(progress))
    if json:
        print_json(as_json(found))
    else:
        _show(found, folder)
    if found.refused:
        raise typer.Exit(1)


def _mapping(given: list[str]) -> dict[str, str]:
    """Field by column; raises ``Misconfigured``."""
    pairs = [part for text in given for part in text.split(",") if part.strip()]
    wrong = [part for part in pairs if "=" not in part]
    if wrong:
        raise Misconfigured(f"--map: {wrong[0]!r} is not COLUMN=FIELD")
    return {column.strip(): field.strip() for column, _, field in (p.rpartition("=") for p in pairs)}


def _teller(progress: Progress) -> "Tell":
    task = progress.add_task("Counting", total=None)

    def tell(what: str, done: int, total: int) -> None:
        progress.update(task, description=what, completed=done, total=total or None)

    return tell


def as_json(found: "Outcome") -> dict[str, object]:
    """The outcome for programs; weights in bits."""
    return {
        "rows": found.rows,
        "refused": found.refused,
        "incomparable": found.incomparable,
        "entities": found.written.entities,
        "sizes": {str(size): count for size, count in found.written.sizes.items()},
        "pairs": found.written.ties,
        "possible": found.written.possible,
        "ambiguous": found.written.ambiguous,
        "threshold": found.model.threshold / 100,
        "model": found.model.version,
        "columns": dict(found.columns.used),
        "ignored": list(found.columns.ignored),
        "seconds": found.seconds,
        "files": [str(path) for path in found.files],
    }


def _show(found: "Outcome", folder: Path) -> None:
    from services.fusion.backload_report import listing  # noqa: PLC0415  # as above

    for line in listing(found.columns):
        out().print(line.removeprefix("- "), markup=False, style="dim")
    rows = [
        ("rows", f"{found.rows:,}"),
        ("refused", f"{found.refused:,}"),
        ("entities", f"{found.written.entities:,}"),
        ("possible pairs", f"{found.written.possible:,}"),
        ("ambiguous pairs", f"{found.written.ambiguous:,}"),
        ("threshold, bits", f"{found.model.threshold / 100:g}"),
        ("model", found.model.version),
        ("seconds", f"{found.seconds:,.1f}"),
    ]
    out().print(table(("", ""), rows))
    out().print(f"{folder}: {', '.join(p.name for p in found.files)}", markup=False)
