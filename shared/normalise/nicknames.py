"""Forms of one name: diminutives, translations and romanisations, from packaged tables."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

_FILES: Final = ("data/given_names.csv", "data/name_forms.csv")


@cache
def groups() -> Mapping[str, frozenset[str]]:
    """Each known name's groups; two names that share a group can name one person."""
    return _read(_FILES)


def _read(files: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for file in files:
        text = resources.files("shared.normalise").joinpath(file).read_text("utf-8")
        for line in text.splitlines():
            if line and not line.startswith("#"):
                head, *others = line.split(",")
                for name in (head, *others):
                    found.setdefault(name, set()).add(head)
    return {name: frozenset(heads) for name, heads in found.items()}


@cache
def initials(name: str) -> tuple[str, ...]:
    """The letters that forms of a given name begin with, at most three, its own first: b and w of Bill."""
    heads = sorted(head[0] for head in _heads().get(name, ()) if head[0] != name[0])
    return tuple(dict.fromkeys([name[0], *heads]))[:3]


@cache
def _heads() -> Mapping[str, frozenset[str]]:
    return _read(_FILES[:1])
