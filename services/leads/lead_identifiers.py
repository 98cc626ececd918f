"""What a lead says that can be checked against other agencies' operations: each agency's own words. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from services.leads.deconfliction.match import Identifier, MatchClass, Name, Target, tokens
from services.leads.deconfliction.submissions import LeadSubmission
from services.leads.view import View
from shared.contracts.entities import (
    Account,
    Aircraft,
    Container,
    Device,
    Document,
    Firearm,
    Location,
    Mention,
    Online,
    Organization,
    Person,
    Phone,
    Vehicle,
    Vessel,
)
from shared.contracts.report import Originator, Report

Part = tuple[str, dict[str, Any] | str]
"""A field of a submission and one value for it."""
MOST: Final[Mapping[str, int]] = {"identifiers": 100, "names": 20, "addresses": 20}
_FIELDS: Final[Mapping[type[Mention], tuple[tuple[str, str, str | None], ...]]] = {
    Phone: (("number", "PHONE", None),),
    Device: tuple((name, name.upper(), None) for name in ("imei", "imsi", "iccid", "meid", "mac")),
    Vehicle: (("vin", "VIN", None), ("plate", "PLATE", "jurisdiction")),
    Vessel: (("imo", "IMO", None), ("mmsi", "MMSI", None)),
    Aircraft: (("tail", "TAIL", None), ("icao_hex", "ICAO", None)),
    Container: (("number", "CONTAINER", None),),
    Account: (("iban", "IBAN", None), ("number", "ACCOUNT", "institution")),
    Firearm: (("serial", "FIREARM", "make"),),
}
"""Of each kind of mention: the field, the identifier's type, and the field of its issuer."""


def submissions(view: View, reference: str, *, silent: bool) -> dict[str, LeadSubmission]:
    """What to submit for each agency under this reference: strong identifiers from its own reports.

    These are the subject's and those of what reports link to him directly. ``silent``: the lead rests on
    what not everyone sees, so whoever meets it learns nothing.
    """
    near = _near(view)
    parts: dict[str, dict[Part, None]] = {}
    newest: dict[str, Report] = {}
    for report in sorted(view.reports, key=lambda r: (r.received_at, r.report_id)):
        agency = report.originator.agency_id
        newest[agency] = report
        own = {s.local_id for s in view.sightings if s.report_id == report.report_id and s.entity_id in near}
        for mention in report.mentions():
            if mention.local_id in own:
                parts.setdefault(agency, {}).update(dict.fromkeys(map(_frozen, _parts(mention))))
    made = {
        a: _submission(newest[a].originator, reference, p, silent=silent) for a, p in sorted(parts.items())
    }
    return {a: s for a, s in made.items() if s is not None}


def _near(view: View) -> set[str]:
    """The subject, and what its reports link to it directly."""
    subject, reports = view.subject.entity_id, {r.report_id for r in view.reports}
    ends = [(x.source, x.target) for x in view.links if x.report_id in reports]
    return {subject} | {e for pair in ends if subject in pair for e in pair}


def _parts(mention: Mention) -> Iterator[Part]:
    if isinstance(mention, Person) and mention.full_name and mention.dob and not mention.juvenile:
        yield "names", {"full_name": mention.full_name, "birth": mention.dob}
    if isinstance(mention, Person | Organization):
        for each in mention.ids:
            yield "identifiers", {"type": each.type, "value": each.value, "issuer": each.issuer}
    if isinstance(mention, Document):
        yield "identifiers", {"type": mention.type, "value": mention.number, "issuer": mention.issuer}
    if isinstance(mention, Online):
        yield "identifiers", {"type": mention.kind, "value": mention.value[:120], "issuer": mention.platform}
    if isinstance(mention, Location) and mention.address:
        rest = [mention.city, mention.state, mention.postcode]
        missing = [p for p in rest if p and p.lower() not in mention.address.lower()]
        yield "addresses", ", ".join((mention.address, *missing))[:500]
    for name, kind, issuer in _FIELDS.get(type(mention), ()):
        value = getattr(mention, name)
        if value:
            scope = None if issuer is None else getattr(mention, issuer)
            yield "identifiers", {"type": kind, "value": value, "issuer": scope and scope[:120]}


def _frozen(part: Part) -> Any:
    name, value = part
    return name, tuple(value.items()) if isinstance(value, dict) else value


def _is_strong(name: str, value: Any) -> bool:
    """Whether a part alone makes an EXACT or STRONG match."""
    if name == "addresses":
        target = Target(addresses=(value,))
    elif name == "names":
        target = Target(names=(Name(**dict(value)),))
    else:
        target = Target(identifiers=(Identifier(**dict(value)),))
    return any(t.cls > MatchClass.POSSIBLE for t in tokens(target))


def _submission(
    who: Originator, reference: str, parts: Iterable[Any], *, silent: bool
) -> LeadSubmission | None:
    """The submission in an agency's name; None where nothing in it is strong."""
    fields: dict[str, list[Any]] = {name: [] for name in MOST}
    for name, value in parts:
        if _is_strong(name, value) and len(fields[name]) < MOST[name]:
            fields[name].append(dict(value) if isinstance(value, tuple) else value)
    if not any(fields.values()):
        return None
    return LeadSubmission.model_validate(
        {
            "reference": reference,
            "unit": who.unit or who.agency_id,
            "label": "A lead that rests on the agency's reports",
            "contact": {
                "name": who.contact_name,
                "phone": who.phone,
                "email": who.email,
                "after_hours_phone": who.after_hours_phone,
            },
            "share": "RED" if silent else "GREEN",
            **fields,
        }
    )
