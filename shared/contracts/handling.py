"""Who may see a report: its handling, its audience, and the clearance of those who ask.

``audience_of`` folds every line of the visibility table that depends neither on the viewer nor on the
clock into one value. Equal audiences have the same viewers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.entities import Line, Text
from shared.contracts.model import Contract

if TYPE_CHECKING:
    from shared.contracts.report import Report

AgencyId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[A-Z0-9]{7}$")]
Principal = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}[A-Z0-9]{7}|[A-Z][A-Z0-9]{1,7})$")]
"""Whom a report may be released to: an agency (9-character ORI) or a centre (SOD, OFC, EPIC, BCSC …)."""
Caveat = Literal["BSA", "GRAND_JURY", "LCOMM", "JUVENILE", "INFORMANT", "TAX", "MEDICAL", "SEALED"]
"""A caveat is also the name of the authority that a viewer must hold."""


class Handling(Contract):
    """The originator's terms for a report."""

    cui: Annotated[str, StringConstraints(pattern=r"^(UNCLASSIFIED|CUI(//[A-Z0-9 /,-]+)*)$", max_length=200)]
    tlp: Literal["RED", "AMBER", "AMBER+STRICT", "GREEN", "CLEAR"]
    share: Literal["GREEN", "YELLOW", "RED"] = Field(description="full, pointer only, owner only")
    orcon: bool = False
    release_to: tuple[Principal, ...] = Field((), max_length=200, description="none given = no limit by name")
    caveats: tuple[Caveat, ...] = ()
    tearline: Text | None = None
    banner: Line | None = None


@dataclass(frozen=True, slots=True)
class Clearance:
    """All that decides what a viewer may see."""

    agency: str
    centres: frozenset[str] = frozenset()
    authorities: frozenset[str] = frozenset()
    vetted: bool = False

    @property
    def principals(self) -> frozenset[str]:
        """The names under which something can be released to this viewer."""
        return self.centres | {self.agency}

    def key(self) -> str:
        """Canonical text; equal clearances have equal keys."""
        parts = (",".join(sorted(self.centres)), ",".join(sorted(self.authorities)))
        return ";".join((self.agency, *parts, "V" if self.vetted else ""))


@dataclass(frozen=True, slots=True)
class Audience:
    """Who gets a report in full: its owner, and whoever meets ``members``, ``authorities`` and ``vetted``.

    ``members`` None = every agency; empty = the owner alone. ``owner`` is empty where it adds nobody.
    """

    owner: str = ""
    members: tuple[str, ...] | None = None
    authorities: tuple[str, ...] = ()
    vetted: bool = False

    def includes(self, clearance: Clearance) -> bool:
        """Whether a viewer of this clearance gets the report in full."""
        if self.owner and self.owner == clearance.agency:
            return True
        if self.vetted and not clearance.vetted:
            return False
        if any(a not in clearance.authorities for a in self.authorities):
            return False
        return self.members is None or not clearance.principals.isdisjoint(self.members)

    @property
    def is_open(self) -> bool:
        """Whether everyone is included."""
        return self.members is None and not self.authorities and not self.vetted

    @property
    def width(self) -> int:
        """Rank for choosing an entity's id: 0 = open, then smaller is wider."""
        if self.is_open:
            return 0
        return 1 if self.members is None else 1_000_000 - len(self.members)

    def key(self) -> str:
        """Canonical text ``owner;members;authorities;V`` with ``*`` for everyone; open is ``*``."""
        if self.is_open:
            return "*"
        members = "*" if self.members is None else ",".join(self.members)
        return ";".join((self.owner, members, ",".join(self.authorities), "V" if self.vetted else ""))

    @staticmethod
    def parse(key: str) -> "Audience":
        """The inverse of ``key``; cached, for a deployment has hundreds of audiences at most."""
        return _parse(key)


OPEN = Audience()


@lru_cache(maxsize=16_384)
def _parse(key: str) -> Audience:
    if key == "*":
        return OPEN
    owner, members, authorities, vetted = key.split(";")
    split = None if members == "*" else tuple(m for m in members.split(",") if m)
    return Audience(owner, split, tuple(a for a in authorities.split(",") if a), vetted == "V")


def audience(
    owner: str, members: Iterable[str] | None, authorities: Iterable[str] = (), *, vetted: bool = False
) -> Audience:
    """The canonical audience of these terms."""
    needs = tuple(sorted(set(authorities)))
    if members is None:
        return Audience(owner, None, needs, vetted) if needs or vetted else OPEN
    names = set(members)
    if not names or names == {owner}:
        return Audience(owner, ())
    if not needs and not vetted:
        return Audience("", tuple(sorted(names | {owner})))
    return Audience(owner, tuple(sorted(names)), needs, vetted)


def audience_of(report: "Report", approvals: Iterable[str] = ()) -> Audience:
    """Who gets ``report`` in full; ``approvals`` are the agencies that its originator approved under ORCON.

    Lines 2 to 8 of the visibility table: the originator; share RED; caveats; release_to; unvetted tips;
    ORCON without approval and share YELLOW give a pointer at most, so nobody else in full.
    """
    terms, owner = report.handling, report.originator.agency_id
    if terms.share != "GREEN":
        return audience(owner, ())
    members: set[str] | None = set(terms.release_to) or None
    if terms.orcon:
        approved = set(approvals)
        members = approved if members is None else approved & members
    vetted = report.predicate is not None and report.predicate.basis == "TIP_UNVETTED"
    return audience(owner, members, terms.caveats, vetted=vetted)
