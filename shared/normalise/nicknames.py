"""Forms of one given name: diminutives, translations and romanisations, from a packaged table."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

_FILE: Final = "data/given_names.csv"


@cache
def groups() -> Mapping[str, frozenset[str]]:
    """Each known given name's groups; two names that share a group can name one person."""
    found: dict[str, set[str]] = {}
    text = resources.files("shared.normalise").joinpath(_FILE).read_text("utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            head, *others = line.split(",")
            for name in (head, *others):
                found.setdefault(name, set()).add(head)
    return {name: frozenset(heads) for name, heads in found.items()}
