"""Writing a simulation to files: one NDJSON file of reports per agency, and the truth beside."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import orjson

from services.simulator.generate import Planted, Simulated, Truth

TRUTH: Final = "truth.jsonl"
SCHEMES: Final = "schemes.jsonl"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    reports: int
    schemes: int
    files: tuple[Path, ...]


class TruthFiles:
    """The files ``truth.jsonl`` (one line per report) and ``schemes.jsonl`` (one per planted scheme)."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._truth = stack.enter_context((folder / TRUTH).open("wb"))
        self._schemes = stack.enter_context((folder / SCHEMES).open("wb"))
        self.schemes = 0

    def add(self, report: Simulated) -> None:
        """Write what is true about one submission."""
        _line(self._truth, truth_line(report.truth))
        if report.planted is not None:
            _line(self._schemes, scheme_line(report.planted))
            self.schemes += 1


def write(folder: Path, reports: Iterable[Simulated]) -> Written:
    """Write ``<agency>.ndjson`` for every agency, ``truth.jsonl`` and ``schemes.jsonl`` into ``folder``.

    Each agency's file holds its reports in the order of sending, of whatever feeds; existing files of
    these names are replaced.
    """
    count = 0
    with ExitStack() as stack:
        truth = TruthFiles(folder, stack)
        files: dict[str, IO[bytes]] = {}
        for report in reports:
            file = files.get(report.agency)
            if file is None:
                file = stack.enter_context((folder / f"{report.agency}.ndjson").open("wb"))
                files[report.agency] = file
            _line(file, report.payload)
            truth.add(report)
            count += 1
        names = (*(f"{agency}.ndjson" for agency in sorted(files)), TRUTH, SCHEMES)
        return Written(count, truth.schemes, tuple(folder / name for name in names))


def truth_line(truth: Truth) -> dict[str, Any]:
    """A line of ``truth.jsonl``; ``mentions`` maps local ids to true entities, empty after a retraction."""
    return {
        "report_id": truth.report_id,
        "source_report_no": truth.source_report_no,
        "feed": truth.feed,
        "version": truth.version,
        "mentions": truth.mentions,
    }


def scheme_line(planted: Planted) -> dict[str, Any]:
    """A line of ``schemes.jsonl``; ``fires`` false: a look-alike on which the rule must stay silent."""
    scheme = planted.scheme
    return {
        "kind": scheme.kind,
        "rules": scheme.rule.split(),
        "fires": scheme.fires,
        "subjects": scheme.subjects,
        "reports": planted.report_nos,
    }


def _line(file: IO[bytes], value: Any) -> None:
    file.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
