"""FinCEN BSA batch files (``EFilingBatchXML``) as OFC.FINANCIAL payloads, one for each ``Activity``.

A batch says nothing of who imports it and why; ``BatchDefaults`` adds that. The XML is parsed without
DTDs, entities or external access, within limits of size and depth, activity by activity. What is odd in
a filing (blank amounts, impossible dates, unknown flags) is left out of its payload; what still breaks a
rule of the feed is found when the payload is parsed, and refuses that one activity.

The BSA id is FinCEN's, from the acknowledgement, where it is at hand. Otherwise it is provisional: ``00``
(which FinCEN never issues) and twelve digits of the SHA-256 of the activity's content. The report's
number comes from the same hash, so a batch may be sent again: version 1 is provisional, version 2 has
FinCEN's id, and the later one to arrive never undoes the better one.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError  # types only; parsing is defusedxml's

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from services.ingest.feeds.problems import Problem, problem
from services.ingest.formats.bsa_money import read_accounts, read_money, read_suspicion
from services.ingest.formats.bsa_party import Mentions, PartyRead, read_party
from services.ingest.formats.bsa_text import children, code, day, descendants, local_name, text

FORMS: Final = {
    "CTRX": "CTR112", "SARX": "SAR111", "8300X": "F8300", "FBARX": "FBAR114", "CMIRX": "CMIR105",
}  # fmt: skip
"""FormTypeCode → form."""
MAX_BYTES: Final = 64 * 2**20
MAX_DEPTH: Final = 40


class BadBatch(ValueError):
    """The document as a whole cannot be read; the message says why, and nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One activity that cannot become a payload, and why."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class BatchDefaults:
    """What a batch lacks: who imports it, for which case, on which terms. All but the agency has a default.

    ``phone`` is a number reserved for fiction until the agency gives its own. The retention runs to the
    end of the fourth year after import, so that sending a batch again within a year changes nothing.
    """

    agency_id: str
    received_at: datetime
    contact_name: str = "BSA import"
    phone: str = "+12025550100"
    unit: str | None = None
    email: str | None = None
    case_no: str = "BSA-IMPORT"
    operation: str | None = None
    basis: str = "REASONABLE_SUSPICION"
    activity: str = "ORGANIZED_CRIME"
    offence: str = "MONEY_LAUNDERING"
    facts: str = "Bank Secrecy Act filing that the importing agency found relevant to the case it names."
    determined_by: str | None = None
    legal_reference: str = "31 USC 5319"
    reliability: str = "B"
    credibility: str = "2"
    cui: str = "CUI//SP-FSEC"
    tlp: str = "AMBER"
    share: str = "GREEN"
    release_to: tuple[str, ...] = ()
    retention_class: str = "CI"
    bsa_ids: tuple[str, ...] = ()
    """FinCEN's ids of the activities in their order, from ``acknowledged_ids``; empty = provisional ids."""

    @classmethod
    def from_query(
        cls, agency_id: str, received_at: datetime, query: Mapping[str, Sequence[str]]
    ) -> "BatchDefaults":
        """The defaults with what an import's query gives; raises ``BadBatch`` for an unknown name."""
        given: dict[str, Any] = {}
        for name, values in query.items():
            if name not in QUERY:
                raise BadBatch(f"{name} is no setting of an import; there are {', '.join(QUERY)}")
            if name == "bsa_id":
                given["bsa_ids"] = tuple(_known_id(value) for value in values)
            else:
                given[name] = tuple(values) if name == "release_to" else values[-1]
        return cls(agency_id=agency_id, received_at=received_at, **given)


QUERY: Final = (
    *(n for n in BatchDefaults.__dataclass_fields__ if n not in {"agency_id", "received_at", "bsa_ids"}),
    "bsa_id",
)
"""What the query of an import may give; ``bsa_id`` and ``release_to`` repeat."""


def _known_id(value: str) -> str:
    if code(value, r"[0-9]{14}") is None:
        raise BadBatch(f"{value[:20]!r} is no BSA id: it has 14 digits")
    return value


def read(xml: bytes, defaults: BatchDefaults) -> Iterator[tuple[int, dict[str, Any] | Unreadable]]:
    """(position from 1, payload or why there is none) for each activity; raises ``BadBatch`` at the start."""
    form, count = _survey(xml)
    if defaults.bsa_ids and len(defaults.bsa_ids) != count:
        raise BadBatch(f"the acknowledgement has {len(defaults.bsa_ids)} activities, the batch {count}")
    for position, element in enumerate(_activities(xml), 1):
        known = defaults.bsa_ids[position - 1] if defaults.bsa_ids else None
        yield position, _payload(element, form, defaults, known)


def acknowledged_ids(acknowledgement: bytes) -> tuple[str, ...]:
    """The BSA ids in FinCEN's acknowledgement of a batch, in the order of its activities."""
    found = []
    for _, element in _events(acknowledgement):
        if local_name(element) == "EFilingActivityXML":
            bsa_id = code(text(element, "BSAID"), r"[0-9]{14}")
            if bsa_id is None:
                raise BadBatch("the acknowledgement has an activity without a 14-digit BSAID")
            found.append(bsa_id)
    if not found:
        raise BadBatch("the acknowledgement names no BSAID")
    return tuple(found)


def _events(xml: bytes) -> Iterator[tuple[int, Element]]:
    """(depth, element) at the end of each element; raises ``BadBatch`` for what is not safe and sound."""
    if len(xml) > MAX_BYTES:
        raise BadBatch(f"the document has more than {MAX_BYTES // 2**20} MiB; split the batch")
    depth = 0
    try:
        for event, element in iterparse(BytesIO(xml), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                depth += 1
                if depth > MAX_DEPTH:
                    raise BadBatch(f"the document nests deeper than {MAX_DEPTH} elements")
            else:
                depth -= 1
                yield depth, element
    except DefusedXmlException:
        raise BadBatch("the document has a DTD or entities, which are not allowed") from None
    except (ParseError, ValueError, LookupError) as error:
        if isinstance(error, BadBatch):
            raise
        raise BadBatch(f"the document is not well-formed XML: {error}") from None


def _survey(xml: bytes) -> tuple[str, int]:
    """The form and number of activities of a batch that is sound throughout; the form may stand last."""
    form, count, root = None, 0, ""
    for depth, element in _events(xml):
        name = local_name(element)
        if depth == 1 and name == "FormTypeCode":
            form = (element.text or "").strip().upper()
        count += depth == 1 and name == "Activity"
        if depth == 0:
            root = name
        if depth <= 1:
            element.clear()
    if root != "EFilingBatchXML":
        raise BadBatch(f"the root element is {root}, not EFilingBatchXML")
    if form not in FORMS:
        raise BadBatch(f"FormTypeCode is {form or 'missing'}; it must be one of {', '.join(FORMS)}")
    return FORMS[form], count


def _activities(xml: bytes) -> Iterator[Element]:
    for depth, element in _events(xml):
        if depth == 1:
            if local_name(element) == "Activity":
                yield element
            element.clear()


def _payload(
    activity: Element, form: str, defaults: BatchDefaults, bsa_id: str | None
) -> dict[str, Any] | Unreadable:
    digest = _digest(activity, defaults.agency_id)
    start, end, filed = _dates(activity, defaults.received_at)
    mentions = Mentions()
    parties = _parties(activity, mentions, start)
    if not parties:
        return Unreadable((problem("/Activity/Party", "there is no party in this activity"),))
    accounts = read_accounts(activity, parties, mentions)
    _ip_addresses(activity, mentions)
    for doer in (p.local_id for p in parties if p.type == "17"):
        for other in (p.local_id for p in parties if p.type == "23"):
            if doer is not None and other is not None:
                mentions.relate(doer, "ACTS_FOR", other)
    return {
        **_envelope(defaults, digest, start, end, acknowledged=bsa_id is not None),
        **mentions.lists,
        "relations": mentions.relations,
        "form": form,
        "bsa_id": bsa_id or f"00{int(digest[:16], 16) % 10**12:012d}",
        "bsa_id_provisional": bsa_id is None,
        "filed": filed.isoformat(),
        "parties": [p.entry for p in parties],
        **read_money(activity, parties, accounts, start),
        **read_suspicion(activity),
    }


def _parties(activity: Element, mentions: Mentions, event: date) -> list[PartyRead]:
    """Every party that says anything: those of the activity, then those within them."""
    found = (read_party(element, mentions, event) for element in descendants(activity, "Party"))
    return [party for party in found if party is not None]


def _ip_addresses(activity: Element, mentions: Mentions) -> None:
    """The internet addresses of a SAR; the form does not say whose they are."""
    for element in children(activity, "ActivityIPAddress"):
        value = text(element, "IPAddressText")
        if value is not None:
            mentions.add("online", "on", role="CONTACT", kind="IP", value=value)


def _digest(activity: Element, agency_id: str) -> str:
    """A hash of what the activity says: names and texts in order, without numbering or white space."""
    told = hashlib.sha256(agency_id.encode())
    for element in activity.iter():
        told.update(f"\n{local_name(element)}={' '.join((element.text or '').split())}".encode())
    return told.hexdigest()


def _dates(activity: Element, received_at: datetime) -> tuple[date, date | None, date]:
    """Start and end of the event, and the day of filing."""
    names = (
        "TransactionDateText", "SuspiciousActivityFromDateText", "SuspiciousActivityToDateText",
    )  # fmt: skip
    days = {name: day(e.text and e.text.strip()) for name in names for e in descendants(activity, name)}
    filed = day(text(activity, "FilingDateText")) or day(text(activity, "ApprovalOfficialSignatureDateText"))
    known = [d for d in days.values() if d is not None]
    start = min(known) if known else filed or received_at.date()
    end = max(known) if known and max(known) > start else None
    return start, end, filed or start


def _envelope(
    defaults: BatchDefaults, digest: str, start: date, end: date | None, *, acknowledged: bool
) -> dict[str, Any]:
    year = defaults.received_at.astimezone(UTC).year
    originator = {
        "agency_id": defaults.agency_id, "unit": defaults.unit, "contact_name": defaults.contact_name,
        "phone": defaults.phone, "email": defaults.email,
    }  # fmt: skip
    optional = {"event_end": None if end is None else f"{end}T00:00:00Z", "operation": defaults.operation}
    return {
        "schema": "OFC.FINANCIAL/1",
        "source_report_no": f"BSA-{digest[:20].upper()}",
        "action": "UPDATE" if acknowledged else "INSERT",
        "version": 2 if acknowledged else 1,
        "event_start": f"{start}T00:00:00Z",
        **{name: value for name, value in optional.items() if value is not None},
        "originator": {name: value for name, value in originator.items() if value is not None},
        "case_no": defaults.case_no,
        "predicate": {
            "basis": defaults.basis, "activity": defaults.activity, "offence": defaults.offence,
            "facts": defaults.facts, "determined_by": defaults.determined_by or defaults.contact_name,
            "determined_at": start.isoformat(),
        },
        "legal_basis": {"kind": "BSA_ACCESS", "reference": defaults.legal_reference},
        "evaluation": {"reliability": defaults.reliability, "credibility": defaults.credibility},
        "handling": {
            "cui": defaults.cui, "tlp": defaults.tlp, "share": defaults.share, "orcon": True,
            "release_to": list(defaults.release_to), "caveats": ["BSA"],
        },
        "retention": {
            "class": defaults.retention_class, "review_by": f"{year + 1}-12-31",
            "retain_until": f"{year + 4}-12-31",
        },
    }  # fmt: skip
