"""Takes submissions on the event loop: those that wait at the same time share a thread and a transaction.

A request neither holds a thread while it waits for its answer to leave nor hands work to one of its own.
"""

import asyncio
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from services.leads.deconfliction.entering import Entry
from services.leads.deconfliction.registry import Registry
from services.leads.deconfliction.submissions import Answer

GATHER: Final = 0.1
"""The part of the quantum in which others may join a submission: it waits for its end anyway."""


class Intake:
    """The submissions of one process; used from its event loop alone."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._working: asyncio.Task[Any] | None = None

    async def submit(self, entry: Entry) -> Answer:
        """Enter one submission, and answer at the next multiple of the quantum; raises ``TooMany``."""
        waiting = self._registry.put(entry)
        if self._working is None or self._working.done():
            self._working = asyncio.get_running_loop().create_task(self._work())
        try:
            return await asyncio.wrap_future(waiting.done)
        finally:
            await asyncio.sleep(self._registry.pause(waiting.started))

    async def _work(self) -> None:
        while self._registry.queue:
            await asyncio.sleep(self._registry.quantum * GATHER)
            await run_in_threadpool(self._registry.work_off)
