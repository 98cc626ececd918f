"""Code lists: closed sets of codes, each code with its one-line meaning.

Lists that NIEM 6 publishes are read from the CSV files beside this module (their licence is in
``LICENSE.md``), on first use and once. A list stands in a model's annotation, ``Annotated[str, SETTING]``,
and gives the validation, the JSON Schema ``enum`` and its ``x-meanings``. Our own lists are in ``terms.csv``.
"""

import csv
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

LINE_LENGTH = 200
"""A meaning is one line of at most so many characters; NIEM's longer definitions are cut at a word."""


class Codes:
    """One code list: a CSV file of its own, or the rows of ``terms.csv`` that name it."""

    def __init__(self, title: str, *, file: str = "terms", terms: str | None = None) -> None:
        self.title = title
        self._file = file
        self._terms = terms

    @cached_property
    def meanings(self) -> Mapping[str, str]:
        """Code → one-line meaning, in the list's own order."""
        rows = [row for row in _rows(self._file) if row.get("list") == self._terms]
        return {row["code"]: _line(row["meaning"]) for row in rows}

    def __contains__(self, code: object) -> bool:
        return code in self.meanings

    def __iter__(self) -> Iterator[str]:
        return iter(self.meanings)

    def __len__(self) -> int:
        return len(self.meanings)

    def json_schema(self) -> dict[str, Any]:
        """What to add to a field's JSON Schema."""
        return {"enum": list(self.meanings), "x-meanings": dict(self.meanings)}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Only the listed codes are valid."""
        del source, handler
        return core_schema.literal_schema(list(self.meanings))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """A string with ``enum`` and ``x-meanings``."""
        del schema, handler
        return {"type": "string", "title": self.title, **self.json_schema()}


@cache
def _rows(file: str) -> tuple[Mapping[str, str], ...]:
    text = files(__name__).joinpath(f"{file}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LINE_LENGTH else line[: LINE_LENGTH - 2].rsplit(" ", 1)[0] + " …"


OFFENCE = Codes("N-DEx offence", file="ndex_Offense")
CONVEYANCE = Codes("NIEM conveyance kind", file="cbrncl_ConveyanceKind")
DRUG = Codes("DEA drug code", file="dea_Drug")
SCHEDULE = Codes("DEA schedule", file="dea_DEAClassScheduleCode")
CURRENCY = Codes("ISO 4217 currency", file="iso_4217_Currency")
CUI_BASIC = Codes("CUI Basic category marking", file="cui_BasicCategoryMarking")
CUI_SPECIFIED = Codes("CUI Specified category marking", file="cui_SpecifiedCategoryMarking")
CUI_LIMIT = Codes("CUI limited dissemination control", file="cui_DocumentMarkingLDC")
STATE = Codes("USPS state or territory", file="usps_USState")
