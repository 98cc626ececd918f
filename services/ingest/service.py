"""The parts of one feed's ingest, put together once and shared by its routes."""

from dataclasses import dataclass
from typing import Self

from fastapi import Request

from services.ingest.feeds.base import Feed
from services.ingest.intake import Intake
from services.ingest.limits import Rate
from services.ingest.progress import Progress
from services.ingest.receipts import Sealer
from services.ingest.repeats import Repeats
from shared import web
from shared.log import Log
from shared.problems import TOO_MANY
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
    repeats: Repeats

    @classmethod
    def of(cls, feed: Feed, log: Log, settings: Settings) -> Self:
        """The service of a feed on a log."""
        sealer = Sealer.of(settings)
        return cls(
            feed,
            settings,
            Intake(feed, log, sealer, settings),
            Progress(log, settings.max_backlog),
            sealer,
            Rate(settings.rate_per_agency),
            Repeats(),
        )

    def submitter(self, request: Request) -> str:
        """The agency that may now submit; raises the problem of who may not, or of what is not ready."""
        who = web.identify(request)
        web.require(who, "submitter")
        self.progress.ready()
        self.progress.room()
        if wait := self.rate.wait(who.agency):
            limit = self.settings.rate_per_agency
            raise TOO_MANY.retry(f"{who.agency} sends more than {limit} reports a second to this feed.", wait)
        return who.agency
