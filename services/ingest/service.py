"""The parts of one feed's ingest, put together once and shared by its routes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import orjson

from services.ingest.feeds.base import Feed
from services.ingest.group import Group
from services.ingest.intake import Intake
from services.ingest.progress import Progress
from services.ingest.receipts import Sealer
from shared import web
from shared.auth import Identity
from shared.log import Log
from shared.problems import TOO_MANY
from shared.rate import Rate
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes of an ingest work with."""

    feed: Feed
    settings: Settings
    intake: Intake
    progress: Progress
    sealer: Sealer
    rate: Rate
    group: Group

    @classmethod
    def of(cls, feed: Feed, log: Log, settings: Settings) -> Self:
        """The service of a feed on a log."""
        sealer = Sealer.of(settings)
        intake = Intake(feed, log, sealer, settings)
        return cls(
            feed,
            settings,
            intake,
            Progress(log, settings.max_backlog),
            sealer,
            Rate(settings.rate_per_agency),
            Group(intake.append),
        )

    def warm(self) -> None:
        """Take every example once and keep nothing, so that the first real report is not the slow one."""
        now = datetime.now(UTC)
        for kind in self.feed.types.values():
            for example in kind.examples:
                agency = str(example["originator"]["agency_id"])
                self.intake.admit(orjson.dumps(example), agency, now, {})

    def submitter(self, who: Identity) -> str:
        """The agency that may now submit; raises the problem of who may not, or of what is not ready."""
        web.require(who, "submitter")
        self.progress.ready()
        self.progress.room()
        if wait := self.rate.wait(who.agency):
            limit = self.settings.rate_per_agency
            raise TOO_MANY.retry(f"{who.agency} sends more than {limit} reports a second to this feed.", wait)
        return who.agency
