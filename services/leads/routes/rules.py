"""``/v1/rules``: what the lead rules look for, in words, and the thresholds that they measure against."""

from collections.abc import Callable, Mapping, Sequence

from fastapi import APIRouter

from services.leads.lead_schemas import RuleList, RuleModel, ThresholdModel
from services.leads.rules import RULES
from services.leads.rules.finding import Rule
from services.leads.scoring import CAPS
from services.leads.thresholds import THRESHOLDS, Threshold
from shared.problems import UNAUTHENTICATED, problem_responses
from shared.web import Who


def router(
    thresholds: Sequence[Threshold] = THRESHOLDS, precision: Callable[[], Mapping[str, float]] = dict
) -> APIRouter:
    """The route; ``thresholds`` is the deployment's table, ``precision`` the share of leads that held."""
    routes = APIRouter(prefix="/v1/rules", tags=["leads"])

    @routes.get("", summary="The lead rules", responses=problem_responses(UNAUTHENTICATED))
    def rules(who: Who) -> RuleList:
        """Every rule: its text, points, family with its cap, and the thresholds with place and dates."""
        del who
        held = precision()
        return RuleList(items=[_rule(rule, thresholds, held.get(rule.number)) for rule in RULES])

    return routes


def _rule(rule: Rule, thresholds: Sequence[Threshold], precision: float | None) -> RuleModel:
    return RuleModel(
        rule=rule.number,
        title=rule.title,
        family=str(rule.family),
        family_cap=CAPS[rule.family],
        points=rule.points,
        text=rule.text,
        thresholds=[_threshold(t) for t in thresholds if t.name.startswith(rule.thresholds or ("-",))],
        precision=precision,
    )


def _threshold(row: Threshold) -> ThresholdModel:
    return ThresholdModel(
        name=row.name,
        amount=float(row.amount),
        unit=row.unit,
        place=row.place or None,
        effective=row.effective,
        until=row.until,
        source=row.source,
    )
