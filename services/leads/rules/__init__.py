"""The lead rules: pure functions ``rule(view) -> Finding | None``, one file each, in one flat list."""

from typing import Final

from services.leads.rules import l01_convergence, l11_undeclared_cash, l15_conveyance_reuse, l21_quantity
from services.leads.rules.finding import Finding, Rule
from services.leads.view import View

RULES: Final[tuple[Rule, ...]] = (
    l01_convergence.RULE,
    l11_undeclared_cash.RULE,
    l15_conveyance_reuse.RULE,
    l21_quantity.RULE,
)


def findings(view: View) -> tuple[Finding, ...]:
    """What every rule finds in an admissible view, in the order of the rules."""
    return tuple(found for rule in RULES if (found := rule.evaluate(view)))
