"""The resolver from scratch: what every incremental run is compared with."""

from collections.abc import Iterable
from itertools import combinations

from services.fusion.core.compare import compare
from services.fusion.core.keys import keys_of
from services.fusion.core.model import Model
from services.fusion.core.profile import Profile
from shared.contracts.handling import Audience
from shared.partition import Clustering, Judged, Pair, partition


def pairs_of(profiles: Iterable[Profile], model: Model) -> list[Pair]:
    """Every pair that counts: its profiles share a key that is generic for neither's audience.

    Pairs at or above the review weight, and the contradicted; sorted.
    """
    holders: dict[int, dict[str, list[Profile]]] = {}
    for profile in {p.id: p for p in profiles}.values():
        for key in keys_of(profile, model):
            holders.setdefault(key, {}).setdefault(profile.audience, []).append(profile)
    candidates: dict[tuple[str, str], tuple[Profile, Profile]] = {}
    for audiences in holders.values():
        live = [p for held in audiences.values() if len(held) <= model.cap for p in held]
        for x, y in combinations(live, 2):
            a, b = (x, y) if x.id < y.id else (y, x)
            if a.kind is b.kind:
                candidates[a.id, b.id] = (a, b)
    found = []
    for (x_id, y_id), (x, y) in sorted(candidates.items()):
        result = compare(x, y, model)
        if result.contradicted or result.weight >= model.review:
            found.append(Pair(x_id, y_id, result.weight, result.contradicted))
    return found


def resolve_all(profiles: Iterable[Profile], judgements: Iterable[Judged], model: Model) -> Clustering:
    """The partition of the live ``profiles`` under ``judgements``."""
    live = list(profiles)
    widths = {p.id: Audience.parse(p.audience).width for p in live}
    return partition(widths, pairs_of(live, model), judgements, model.threshold)
