"""The report of ``resolve``: what was read, under which model, and what came of it, on one page."""

from pathlib import Path
from typing import TYPE_CHECKING

from services.fusion.columns import Columns

if TYPE_CHECKING:
    from services.fusion.backload import Outcome


def write_report(path: Path, source: Path, found: "Outcome") -> None:
    """Write it as Markdown."""
    path.write_text("\n".join(_lines(source, found)) + "\n", "utf-8")


def _lines(source: Path, found: "Outcome") -> list[str]:
    model, written = found.model, found.written
    return [
        f"# {source.name}, resolved",
        "",
        "| | |",
        "|---|--:|",
        f"| rows resolved | {found.rows:,} |",
        f"| rows refused (`refused.csv`) | {found.refused:,} |",
        f"| rows with nothing to compare | {found.incomparable:,} |",
        f"| entities | {written.entities:,} |",
        f"| pairs of one entity (`pairs.csv`) | {written.ties:,} |",
        f"| possible pairs, below the threshold (`possible.csv`) | {written.possible:,} |",
        f"| ambiguous pairs, strong but held apart (`possible.csv`) | {written.ambiguous:,} |",
        f"| seconds | {found.seconds:,.1f} |",
        f"| threshold, bits | {model.threshold / 100:g} |",
        f"| possible from, bits | {model.review / 100:g} |",
        f"| model | `{model.version}` |",
        f"| weights | {model.note or 'of a file'} |",
        "",
        "## Entities by number of rows",
        "",
        "| rows | entities |",
        "|--:|--:|",
        *(f"| {size:,} | {count:,} |" for size, count in written.sizes.items()),
        "",
        "## Columns",
        "",
        *listing(found.columns),
    ]


def listing(columns: Columns) -> list[str]:
    """Which column was taken as which field, and which were passed over."""
    ignored = ", ".join(columns.ignored) or "none"
    numbered = [] if "id" in columns.used.values() else ["- no id: rows are numbered from 1"]
    return [*(f"- {c} → {f}" for c, f in columns.used.items()), *numbered, f"- passed over: {ignored}"]
