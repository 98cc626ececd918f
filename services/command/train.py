"""``interlock train``: weights estimated from the deployment's own reports, for a person to review."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.command.console import Data, Json, bits, err, out, print_json, table
from services.command.environment import settings_for

if TYPE_CHECKING:
    from services.fusion.training import Trained

SHOWN: Final = 40
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the model here.", show_default="model-VERSION.json"),
]
Sample = Annotated[int, typer.Option(min=100, help="Profiles to learn from, about.")]
Seed = Annotated[int, typer.Option(help="Equal seeds and reports give equal weights.")]


def train(
    file: Out = None, seed: Seed = 1, sample: Sample = 20_000, data: Data = None, json: Json = False
) -> None:
    """Estimate the resolver's weights from the reports that are there.

    Nobody needs to label anything, and nothing changes yet: the model is
    written to a file to review, with what differs from the model in use and
    how the entities of the sample would change. Only what everybody may see
    is looked at.

    \b
    Examples:
      interlock train
      interlock train --sample 50000 --out model.json
    """
    from services.fusion.training import train_from, write  # noqa: PLC0415  # no other command waits for it

    settings = settings_for(data)
    columns = SpinnerColumn(), TextColumn("Training"), TimeElapsedColumn()
    with Progress(*columns, console=err(), disable=json, transient=True) as progress:
        progress.add_task("Training", total=None)
        found = train_from(settings, sample, seed)
    path = file or Path(f"model-{found.model.version}.json")
    write(found.model, path)
    if json:
        print_json(as_json(found, path))
    else:
        _show(found, path, settings.model_file)


def as_json(found: "Trained", path: Path) -> dict[str, Any]:
    """What training gave; weights in bits, 100ths of which are whole."""
    return {
        "file": str(path),
        "model": {"before": found.before.version, "after": found.model.version},
        "needed": {kind: {"before": a / 100, "after": b / 100} for kind, (a, b) in found.needed.items()},
        "together": {"before": found.before.together / 100, "after": found.model.together / 100},
        "key_bits": {"before": found.before.bits / 100, "after": found.model.bits / 100},
        "profiles": found.profiles,
        "open_profiles": found.there,
        "matches": round(found.matches),
        "changes": [
            {
                "kind": c.kind,
                "comparison": c.feature,
                "level": c.level,
                "before": c.before / 100,
                "after": c.after / 100,
            }
            for c in found.changes
        ],
        "entities": {
            "before": found.shift.before,
            "after": found.shift.after,
            "merged": found.shift.merged,
            "split": found.shift.split,
            "joined": found.shift.joined,
            "parted": found.shift.parted,
        },
    }


def _show(found: "Trained", path: Path, current: Path | None) -> None:
    rows = [
        (c.kind.lower(), c.feature, c.level, bits(c.before), bits(c.after), bits(c.after - c.before))
        for c in found.changes[:SHOWN]
    ]
    out().print(table(("kind", "comparison", "level", "before", "after", "change"), rows))
    more = len(found.changes) - SHOWN
    if more > 0:
        out().print(f"{more} more: --json lists all", style="dim")
    out().print("\n".join([*_summary(found), "", *_next_steps(found, path, current)]), markup=False)


def _summary(found: "Trained") -> list[str]:
    moved = found.shift
    return [
        "",
        *(
            f"Evidence that a pair needs, {kind.lower()}: {bits(a)} → {bits(b)} bits."
            for kind, (a, b) in found.needed.items()
        ),
        f"Learned from {found.profiles:,} of {found.there:,} open profiles, {round(found.matches):,} pairs.",
        f"Entities of the sample: {moved.before:,} → {moved.after:,}.",
        f"Made by merging: {moved.merged:,}. Of today's, split: {moved.split:,}.",
        *(f"  would join: interlock why {a} {b}" for a, b in moved.joined),
        *(f"  would part: interlock why {a} {b}" for a, b in moved.parted),
    ]


def _next_steps(found: "Trained", path: Path, current: Path | None) -> list[str]:
    back = f"set to {current}" if current else "unset"
    return [
        f"{path} holds model {found.model.version}. Nothing has changed yet. To use it:",
        "  1. Read it, and compare it with the model in use.",
        "  2. Stop every fusion worker.",
        f"  3. Set INTERLOCK_MODEL={path.absolute()}",
        "  4. Run `python -m services.fusion --rebuild`, and start the workers: they make the picture anew.",
        f"To go back, do the same with INTERLOCK_MODEL {back}.",
    ]
