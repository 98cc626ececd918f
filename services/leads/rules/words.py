"""The one sentence pattern in which every rule says what it found."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from services.leads.view import View
from shared.contracts.report import Report


def sentence(view: View, rule: str, reports: Sequence[Report], measured: str, against: str) -> str:
    """``{identifier} appears in {n} reports from {feeds} ({agencies}), {first} to {last}; {rule}: …``."""
    days = sorted(r.event_start.date().isoformat() for r in reports)
    span = days[0] if days[0] == days[-1] else f"{days[0]}\u2013{days[-1]}"
    n = len({r.report_id for r in reports})
    count = "1 report" if n == 1 else f"{n} reports"
    feeds = listed(sorted({r.feed for r in reports}))
    agencies = listed(sorted({r.originator.agency_id for r in reports}))
    return (
        f"{view.subject.label} appears in {count} from {feeds} ({agencies}), {span}; "
        f"{rule}: {measured} against {against}."
    )


def listed(items: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    found = list(items)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def dollars(amount: Decimal) -> str:
    """Whole dollars, or cents where there are any."""
    return f"${amount:,.0f}" if amount == amount.to_integral_value() else f"${amount:,.2f}"


def grams(amount: Decimal) -> str:
    """Grams below a kilogram, kilograms from there, without idle zeros."""
    value, unit = (amount / 1000, "kg") if amount >= 1000 else (amount, "g")
    return f"{value.quantize(Decimal('0.001')).normalize():,f} {unit}"
