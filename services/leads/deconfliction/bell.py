"""Rings for the open streams of an agency that has a new notice: one look a process, however many streams."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from starlette.concurrency import run_in_threadpool

from services.leads.deconfliction import conflict_store as conflicts
from services.leads.deconfliction.registry import Registry
from shared.errors import Transient

LOOK_SECONDS: Final = 0.1
"""How often a process with open streams looks for new notices, whichever replica wrote them."""


class Bell:
    """The listeners of one process; used from its event loop alone."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._listening: dict[str, set[asyncio.Event]] = {}
        self._look: asyncio.Task[None] | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether nobody listens and nothing looks any more."""
        return not self._listening and (self._look is None or self._look.done())

    @contextmanager
    def listening(self, agency: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the agency may have a new notice."""
        event = asyncio.Event()
        self._listening.setdefault(agency, set()).add(event)
        if self._look is None or self._look.done():
            self._look = asyncio.get_running_loop().create_task(self._run())
        try:
            yield event
        finally:
            self._listening[agency].discard(event)
            if not self._listening[agency]:
                del self._listening[agency]

    async def _run(self) -> None:
        """Look until nobody listens; never cut off in the middle of a look."""
        last: int | None = None
        while self._listening:
            try:
                rung = await run_in_threadpool(self._since, last)
            except Transient as error:
                logging.getLogger(__name__).warning("the streams wait: %s", error)
                await asyncio.sleep(error.retry_after)
                continue
            for agency in self._listening if last is None else rung:
                for event in self._listening.get(agency, ()):
                    event.set()
            last = max(rung.values(), default=last or 0)
            await asyncio.sleep(LOOK_SECONDS)

    def _since(self, last: int | None) -> dict[str, int]:
        with self._registry.db.snapshot() as conn:
            return conflicts.rung(conn, last)
