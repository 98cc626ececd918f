"""An HTTP client that costs next to nothing, so that a bench measures the service and not itself."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

END = b"\r\n\r\n"


class Wire:
    """Connections to one service on this machine, each used for one call at a time."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._free = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
        self._missing = connections

    async def call(self, method: str, path: str, token: str, body: bytes = b"") -> tuple[int, bytes]:
        """One call; status and body of the answer. Waits for a connection where all are in use."""
        reader, writer = await self._connection()
        writer.write(_head(method, path, {"Authorization": f"Bearer {token}"}, len(body)) + body)
        status, headers = _parse(await reader.readuntil(END))
        answer = await _body(reader, headers)
        self._free.put_nowait((reader, writer))
        return status, answer

    async def post(self, path: str, token: str, body: Any) -> dict[str, Any]:
        """Create something; the answer."""
        status, answer = await self.call("POST", path, token, json.dumps(body).encode())
        assert status == 201, (status, answer)
        found: dict[str, Any] = json.loads(answer)
        return found

    @asynccontextmanager
    async def events(self, path: str, token: str, after: str) -> AsyncIterator[AsyncIterator[Any]]:
        """The data of a stream's events, from a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": after}
        writer.write(_head("GET", path, headers, 0))
        status, _ = _parse(await reader.readuntil(END))
        assert status == 200, status
        try:
            yield _data(reader)
        finally:
            writer.close()

    def close(self) -> None:
        """Close what is not in use."""
        while not self._free.empty():
            self._free.get_nowait()[1].close()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._free.empty() and self._missing:
            self._missing -= 1
            return await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
        return await self._free.get()


def _head(method: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def _parse(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    first, *lines = head.strip().split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: Mapping[bytes, bytes]) -> bytes:
    if b"content-length" in headers:
        return await reader.readexactly(int(headers[b"content-length"]))
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)


async def _data(reader: asyncio.StreamReader) -> AsyncIterator[Any]:
    async for line in reader:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])
