"""Group commit for concurrent requests: whatever waits is written with one append.

A thread for each request costs more than checking and mapping the report. So single reports are handled on
the event loop, which then awaits its share of an append that one thread makes for all who wait.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from services.ingest.intake import Admitted
from shared.log import Position

TOGETHER: Final = 1_000
"""Most reports of one append."""


class Group:
    """Writes for the requests of one event loop; use it on that loop only."""

    def __init__(self, append: Callable[[Sequence[Admitted]], list[Position]]) -> None:
        """``append`` blocks until all are durable, or raises for all."""
        self._append = append
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="group-commit")
        self._waiting: list[tuple[Admitted, asyncio.Future[Position]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, admitted: Admitted) -> Position:
        """Where the report stands once it is durable; raises what the append raised."""
        written: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        self._waiting.append((admitted, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._drain())
        return await written

    def close(self) -> None:
        """Let go of the thread once nothing is being written."""
        self._thread.shutdown()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            try:
                positions = await loop.run_in_executor(self._thread, self._append, [a for a, _ in batch])
            except Exception as error:  # noqa: BLE001 - every waiting request answers with it
                for _, written in batch:
                    if not written.done():
                        written.set_exception(error)
                continue
            for (_, written), position in zip(batch, positions, strict=True):
                if not written.done():
                    written.set_result(position)
