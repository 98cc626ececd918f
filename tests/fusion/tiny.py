"""A tiny resolver over a tiny hot population, so that everything collides; and its reference.

A profile is a name, a birth year, a telephone and a sex, each possibly missing. Few values, cap 3: keys
cross their cap all the time, profiles die and come back, and the sexes contradict each other.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations
from random import Random

from services.fusion.core.profile import Comparison, MentionOf, Normalised, Profile
from shared.contracts.entities import Identifier, Kind, Person, Role
from shared.contracts.handling import Audience
from shared.contracts.report import Report
from shared.partition import Judged, Pair, partition

NAMES, YEARS, PHONES, SEXES = "abcd", ("", "", "1970", "1971"), ("", "", "x", "y"), ("U", "U", "M", "F")
WEIGHTS = {"name": 400, "year": 500, "phone": 700}


class Tiny:
    """Implements ``Resolver``."""

    version = "tiny/1"
    threshold = 1_000
    review = 600
    cap = 3

    def normalise(self, report: Report, audience: Audience) -> Normalised:
        mentions = []
        for person in report.persons:
            features = {
                "name": person.full_name,
                "year": person.dob or "",
                "phone": "".join(i.value for i in person.ids),
                "sex": person.sex,
            }
            content = json.dumps({k: [v] for k, v in sorted(features.items()) if v}).encode()
            digest = hashlib.blake2b(content + audience.key().encode(), digest_size=16).hexdigest()
            profile = self.profile(digest, Kind.PERSON, audience.key(), str(person.full_name), content)
            mentions.append(MentionOf(person.local_id, Kind.PERSON, Role.SUBJECT, profile))
        return Normalised(tuple(mentions), ())

    def profile(self, id_: str, kind: Kind, audience: str, label: str, content: bytes) -> Profile:
        features = {k: tuple(v) for k, v in json.loads(content).items()}
        return Profile(id_, kind, audience, label, features, content)

    def keys_of(self, profile: Profile) -> tuple[int, ...]:
        f = {k: v[0] for k, v in profile.features.items()}
        keys = [f["name"], f.get("phone"), f["name"] + f["year"] if "year" in f else None]
        return tuple(sorted({hash_of(k) for k in keys if k}))

    def compare(self, a: Profile, b: Profile) -> Comparison:
        assert a.id < b.id
        rows = []
        for feature, weight in WEIGHTS.items():
            x, y = a.features.get(feature), b.features.get(feature)
            if x and y:
                same = x == y
                rows.append((feature, x[0], y[0], "same" if same else "other", weight if same else -50))
        sexes = {a.features["sex"], b.features["sex"]} - {("U",)}
        return Comparison(sum(row[-1] for row in rows), len(sexes) == 2, tuple(rows))


def hash_of(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def random_person(random: Random, local_id: str) -> Person:
    phone = random.choice(PHONES)
    return Person(
        local_id=local_id,
        full_name=random.choice(NAMES),
        dob=random.choice(YEARS) or None,
        sex=random.choice(SEXES),
        ids=(Identifier(type="PHONE", value=phone),) if phone else (),
    )


def reference_pairs(profiles: Sequence[Profile], resolver: Tiny) -> list[Pair]:
    """Every pair that shares a key generic for neither side, from scratch."""
    holders: dict[tuple[int, str], set[str]] = defaultdict(set)
    keys = {p.id: resolver.keys_of(p) for p in profiles}
    for p in profiles:
        for key in keys[p.id]:
            holders[key, p.audience].add(p.id)
    found = []
    for a, b in combinations(sorted(profiles, key=lambda p: p.id), 2):
        common = set(keys[a.id]).intersection(keys[b.id])
        if any(all(len(holders[k, p.audience]) <= resolver.cap for p in (a, b)) for k in common):
            comparison = resolver.compare(a, b)
            found.append(Pair(a.id, b.id, comparison.weight, comparison.contradicted))
    return found


def resolve_all(
    profiles: Collection[Profile], judgements: Iterable[Judged], resolver: Tiny
) -> dict[str, str]:
    """The entity of each profile, from nothing but the live profiles and the judgements."""
    distinct = list({p.id: p for p in profiles}.values())
    widths = {p.id: Audience.parse(p.audience).width for p in distinct}
    return partition(widths, reference_pairs(distinct, resolver), judgements, resolver.threshold).entity
