"""The edge bounds what is in flight, in requests and in bytes."""

import asyncio
from typing import Any

import pytest

from shared import edge
from shared.edge import Edge


class Waiting:
    """An app whose requests wait until they are let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/healthz":
            await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def call(app: Edge, path: str, length: int = 0) -> int:
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    headers = [(b"content-length", str(length).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    await app(scope, receive, send)
    return status


async def crowd(path: str, length: int, count: int) -> tuple[int, int, int]:
    """Status of one more request, and of a health check, while ``count`` wait; and of one afterwards."""
    inner = Waiting()
    app = Edge(inner, max_body=100 << 20)
    waiting = [asyncio.create_task(call(app, path, length)) for _ in range(count)]
    await asyncio.sleep(0)
    more, health = await call(app, path, length), await call(app, "/healthz")
    inner.go.set()
    assert set(await asyncio.gather(*waiting)) == {200}
    return more, health, await call(app, path, length)


@pytest.mark.parametrize(
    ("path", "length", "count"),
    [
        ("/v1/x", 0, edge.MAX_IN_FLIGHT),
        ("/v1/x", 90 << 20, 2),
        ("/v1/x:import", 900 << 20, 4),
        ("/v1/x:bulk", 1 << 40, 64),
    ],
    ids=["requests", "bodies", "imports", "bulks"],
)
def test_what_is_too_much_at_once_is_told_to_come_back(path: str, length: int, count: int) -> None:
    assert asyncio.run(crowd(path, length, count)) == (503, 200, 200)


def test_what_fits_is_let_in() -> None:
    async def run() -> int:
        inner = Waiting()
        inner.go.set()
        return await call(Edge(inner, max_body=1 << 20), "/v1/x", 1 << 20)

    assert asyncio.run(run()) == 200
