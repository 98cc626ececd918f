"""The system in figures: what the services' own metrics say, summed over their processes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from services.command.reach import FEEDS
from shared.contracts.topics import FUSION_GROUP, LEADS_GROUP
from shared.settings import Settings

Samples = Mapping[tuple[str, str], float]
"""Summed values by sample name and the label that matters here (``group``), else ``""``."""


def _add(a: float, b: float) -> float:
    return a + b


COUNTED_AT = "interlock_counted_timestamp_seconds"
OF_ALL = (
    "interlock_entities",
    "interlock_merges",
    "interlock_leads",
    "interlock_due",
    "interlock_largest_component",
)
COMBINE: Mapping[str, Callable[[float, float], float]] = dict.fromkeys(OF_ALL, max) | {COUNTED_AT: min}
"""How to combine what several processes say, where it is not a sum: these tell of the whole."""


@dataclass(frozen=True, slots=True)
class Figures:
    """None where no service answered with the figure; counters start at zero with each process."""

    accepted: float | None = None
    fused: float | None = None
    dead_letters: float | None = None
    lag: float | None = None
    leads_lag: float | None = None
    due: float | None = None
    entities: float | None = None
    merges: float | None = None
    leads: float | None = None
    counted_at: float | None = None


def figures(settings: Settings, workers: int = 1) -> Figures:
    """Ask every service on this machine for its metrics; those that do not answer are passed over."""
    urls = [settings.url_of(service) for service in (*FEEDS, "leads", "fusion")]
    fusion = httpx.URL(settings.url_of("fusion"))
    urls += [str(fusion.copy_with(port=(fusion.port or 0) + i)) for i in range(1, workers)]
    texts = []
    with httpx.Client(timeout=2, verify=False) as client:  # noqa: S501 - our own loopback
        for url in urls:
            try:
                answer = client.get(f"{url}/metrics")
            except httpx.HTTPError:
                continue
            if answer.is_success:
                texts.append(answer.text)
    return from_samples(summed(texts))


def summed(texts: Iterable[str]) -> Samples:
    """The samples of several expositions, added up."""
    sums: dict[tuple[str, str], float] = {}
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name.startswith("interlock_"):
                    key = (sample.name, sample.labels.get("group", ""))
                    combine = COMBINE.get(sample.name, _add)
                    sums[key] = combine(sums[key], sample.value) if key in sums else sample.value
    return sums


def from_samples(samples: Samples) -> Figures:
    """The figures that commands show."""
    return Figures(
        accepted=samples.get(("interlock_accepted_total", "")),
        fused=samples.get(("interlock_fused_total", "")),
        dead_letters=samples.get(("interlock_dead_letters_total", "")),
        lag=samples.get(("interlock_lag", FUSION_GROUP)),
        leads_lag=samples.get(("interlock_lag", LEADS_GROUP)),
        due=samples.get(("interlock_due", "")),
        entities=samples.get(("interlock_entities", "")),
        merges=samples.get(("interlock_merges", "")),
        leads=samples.get(("interlock_leads", "")),
        counted_at=samples.get((COUNTED_AT, "")),
    )
