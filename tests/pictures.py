"""What a deployment has made of its reports, in a form that two deployments can be compared by."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select

from services.fusion import tables as fusion
from services.leads import lead_tables
from services.leads import tables as leads
from services.leads.entity import POSSIBLE
from shared.contracts.topics import DEAD_LETTERS, FUSION_GROUP, LEADS_GROUP, REPORTS, RESOLUTIONS
from shared.database import open_database
from shared.log import Log, Position, open_log
from shared.settings import Settings


def databases(home: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The addresses of the fusion and the leads database."""
    return {
        name: environment.get(f"INTERLOCK_{name.upper()}_DATABASE", f"sqlite:///{home}/{name}.db")
        for name in ("fusion", "leads")
    }


def log_of(home: Path, environment: Mapping[str, str]) -> Log:
    """The deployment's log."""
    return open_log(Settings.from_env({"INTERLOCK_HOME": str(home), **environment}).log_url)


def caught_up(log: Log) -> bool:
    """Whether fusion has committed every report, and leads every resolution."""
    return all(
        log.committed(group, topic.name).get(partition, 0) >= end
        for group, topic in ((FUSION_GROUP, REPORTS), (LEADS_GROUP, RESOLUTIONS))
        for partition, end in log.ends(topic.name).items()
    )


def nothing_due(home: Path, environment: Mapping[str, str]) -> bool:
    """Whether every lead has been evaluated."""
    db = open_database(databases(home, environment)["leads"])
    try:
        with db.snapshot() as conn:
            return conn.execute(select(leads.due.c.component_id).limit(1)).first() is None
    finally:
        db.close()


def dead_letters(log: Log) -> set[str]:
    """What was set aside, and why."""
    return {
        f"{record.key} {dict(record.headers)}"
        for partition, end in log.ends(DEAD_LETTERS.name).items()
        if end
        for record in log.read(Position(DEAD_LETTERS.name, partition, 0), end)
    }


def picture(home: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Reports, entities, mentions, links, pairs and leads; without versions and times of processing."""
    urls = databases(home, environment)
    return _fused(urls["fusion"]) | _projected(urls["leads"])


def _fused(url: str) -> dict[str, Any]:
    db = open_database(url)
    with db.snapshot() as conn:
        reports = conn.execute(
            select(fusion.report.c.id, fusion.report.c.version, fusion.report.c.live)
        ).all()
        rows = conn.execute(
            select(fusion.assign.c.profile, fusion.assign.c.leader, fusion.assign.c.entity)
        ).all()
        counts = conn.execute(select(fusion.profile.c.id, fusion.profile.c.count)).all()
        left = [conn.execute(select(t)).first() for t in (fusion.journal, fusion.outbox)]
    db.close()
    assert left == [None, None], "a journal or outbox row is left"
    named = {profile: entity or leader for profile, leader, entity in rows if profile == leader}
    entities: dict[str, set[str]] = defaultdict(set)
    for profile, leader, entity in rows:
        entities[entity or named[leader]].add(profile)
    return {
        "reports": {tuple(r) for r in reports},
        "profiles": {tuple(r) for r in counts if r[1]},
        "entities": {(entity, frozenset(members)) for entity, members in entities.items()},
    }


def _projected(url: str) -> dict[str, Any]:
    db = open_database(url)
    with db.snapshot() as conn:
        mention, link, lead = leads.mention.c, leads.link.c, lead_tables.lead.c
        mentions = conn.execute(select(mention.report_id, mention.local_id, mention.profile_id)).all()
        links = conn.execute(select(link.report_id, link.source, link.target, link.type)).all()
        found = conn.execute(select(lead.lead_id, lead.set_id, lead.subject, lead.score)).all()
        member = leads.member.c
        members = conn.execute(select(member.profile_id, member.component_id)).all()
        since = {
            r[0]: r[1:] for r in conn.execute(select(member.profile_id, member.version, member.told_version))
        }
        pairs = conn.execute(select(leads.pair)).all()
    db.close()
    live = {m[2] for m in mentions}
    components: dict[str, set[str]] = defaultdict(set)
    for profile, component in members:
        if profile in live:
            components[component].add(profile)
    return {
        "mentions": {tuple(m) for m in mentions},
        "links": {tuple(x) for x in links},
        "components": {frozenset(c) for c in components.values()},
        "pairs": {
            (p.a, p.b, p.weight, p.verdict)
            for p in pairs
            if p.a in live
            and p.b in live
            and all(p.version >= since[end][p.verdict == POSSIBLE] for end in (p.a, p.b))
        },
        "leads": {tuple(x)[:3] for x in found},
        "scores": {(x.lead_id, x.set_id): x.score for x in found},
    }
