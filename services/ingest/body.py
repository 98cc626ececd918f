"""Request bodies read in pieces: media types, gzip that cannot become a bomb, and lines of bounded length."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Final

from fastapi import Request

from services.ingest.problems import MALFORMED
from shared.problems import MEDIA, TIMEOUT, TOO_LARGE, Problem

JSON: Final = ("application/json",)
NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
XML: Final = ("application/xml", "text/xml")

PIECE: Final = 256 << 10
"""Bytes that are decompressed at a time."""
FREE: Final = 1 << 20
"""Decompressed bytes from which on the ratio counts."""
MAX_RATIO: Final = 250
"""Decompressed to compressed bytes, beyond which a body is a bomb; NDJSON reaches some 30."""
STALLED: Final = 60.0
"""Seconds without a byte after which the sender is taken to be gone."""


def require_media(request: Request, allowed: tuple[str, ...]) -> None:
    """Raise the 415 problem unless Content-Type is one of ``allowed``, in UTF-8."""
    sent = request.headers.get("content-type", "")
    media, _, parameters = sent.partition(";")
    charset = parameters.lower().replace(" ", "").replace('"', "").partition("charset=")[2].partition(";")[0]
    if media.strip().lower() not in allowed or charset not in ("", "utf-8", "utf8", "us-ascii"):
        said = f"it is {sent[:80]!r}" if sent else "there is none"
        raise MEDIA.because(
            f"Send Content-Type: {allowed[0]} in UTF-8; {said}.", headers={"Accept": ", ".join(allowed)}
        )


def require_plain(request: Request) -> None:
    """Raise the 415 problem for a compressed body where none is taken."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise MEDIA.because("Send the body without Content-Encoding; only bulk calls take gzip.")


def _is_gzip(request: Request) -> bool:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return False
    if encoding in ("gzip", "x-gzip"):
        return True
    raise MEDIA.because(
        f"Content-Encoding {encoding[:40]!r} is not taken: send gzip, or none.",
        headers={"Accept-Encoding": "gzip"},
    )


async def plain(request: Request) -> bytes:
    """A short body, whose size the edge bounds; raises the 408 problem where it does not arrive."""
    try:
        async with asyncio.timeout(STALLED):
            return await request.body()
    except TimeoutError:
        raise _stalled() from None


def _stalled() -> Problem:
    return TIMEOUT.because(f"The body did not arrive: no byte for {STALLED:.0f} seconds.")


class Gunzip:
    """Decompresses gzip (of several members, too) piece by piece; bounds ratio and size."""

    def __init__(self, max_ratio: int = MAX_RATIO) -> None:
        self._max_ratio = max_ratio
        self._taken = self._given = 0
        self._stream = zlib.decompressobj(wbits=31)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The pieces that ``data`` gives, each at most ``PIECE`` long; raises the 413 or 422 problem."""
        self._taken += len(data)
        while data:
            if not self._begun:
                data = data.lstrip(b"\0")  # padding, which the format allows between members
                self._begun = bool(data)
                continue
            try:
                piece = self._stream.decompress(data, PIECE)
            except zlib.error as error:
                raise MALFORMED.because(f"The gzip body is damaged: {error}.") from None
            self._given += len(piece)
            if self._given > FREE and self._given > self._max_ratio * self._taken:
                raise TOO_LARGE.because(
                    f"The gzip body expands more than {self._max_ratio} times: send it in smaller parts."
                )
            if piece:
                yield piece
            data = self._stream.unconsumed_tail
            if self._stream.eof:
                data = self._stream.unused_data
                self._stream = zlib.decompressobj(wbits=31)
                self._begun = False

    def end(self) -> None:
        """Raise the 422 problem unless the last member is complete."""
        if self._begun:
            raise MALFORMED.because("The gzip body ends too early: it was cut off on the way.")


async def pieces(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body, decompressed, up to ``limit`` bytes; raises problems. Reading sockets is async work."""
    gunzip = Gunzip() if _is_gzip(request) else None
    given = 0
    source = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(STALLED):
                data = await anext(source, None)
        except TimeoutError:
            raise _stalled() from None
        if data is None:
            break
        for piece in gunzip.feed(data) if gunzip else (data,):
            room = limit - given
            given += len(piece)
            if given > limit:
                yield piece[:room]
                raise TOO_LARGE.because(f"The body exceeds {limit} bytes: send the rest in another call.")
            yield piece
    if gunzip:
        gunzip.end()


async def whole(request: Request, limit: int) -> bytes:
    """The body in one piece, decompressed, up to ``limit`` bytes; raises problems."""
    return b"".join([piece async for piece in pieces(request, limit)])


class Lines:
    """Splits pieces into numbered lines; blank ones are counted, over-long ones come as None."""

    def __init__(self, max_line: int) -> None:
        self._max_line = max_line
        self._rest = bytearray()
        self._skipping = False
        self.number = 0

    def feed(self, piece: bytes) -> Iterator[tuple[int, bytes | None]]:
        """The lines that ``piece`` completes."""
        *complete, rest = piece.split(b"\n")
        for part in complete:
            yield from self._line(part)
        if self._skipping:
            return
        self._rest += rest
        if len(self._rest) > self._max_line:
            self._skipping = True
            self._rest.clear()

    def end(self) -> Iterator[tuple[int, bytes | None]]:
        """The last line, where no newline ended it."""
        if self._rest or self._skipping:
            yield from self._line(b"")

    def _line(self, part: bytes) -> Iterator[tuple[int, bytes | None]]:
        self.number += 1
        if self._rest:
            self._rest += part
            line = bytes(self._rest)
            self._rest.clear()
        else:
            line = part
        if self._skipping or len(line) > self._max_line:
            self._skipping = False
            yield self.number, None
        elif line and not line.isspace():
            yield self.number, line
