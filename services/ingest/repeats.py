"""Idempotency keys: an agency that repeats a key gets the answer that it got before."""

import hashlib
import threading
from collections import OrderedDict
from typing import Final

from services.ingest.problems import KEY_REUSED
from shared.problems import INVALID

REMEMBERED: Final = 10_000
"""Keys kept, per process; past that (or a restart) a repeat is taken again, which changes nothing."""
LONGEST: Final = 255


class Repeats:
    """The latest keys with the body they came with and the answer they got; threads share it."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._known: OrderedDict[tuple[str, str], tuple[bytes, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, agency: str, key: str, body: bytes) -> bytes | None:
        """The answer to this key, if it was given; raises the 422 problem where the body was another."""
        if not key.isascii() or len(key) > LONGEST:
            raise INVALID.because(
                f"Idempotency-Key must be at most {LONGEST} ASCII characters.",
                [{"pointer": "/header/Idempotency-Key", "message": f"at most {LONGEST} ASCII characters"}],
            )
        known = self._known.get((agency, key))
        if known is None:
            return None
        if known[0] != hashlib.sha256(body).digest():
            raise KEY_REUSED.because("This Idempotency-Key came before with another body: use a new one.")
        return known[1]

    def remember(self, agency: str, key: str, body: bytes, answer: bytes) -> None:
        """Keep an answer; the oldest goes where there are too many."""
        with self._lock:
            self._known[agency, key] = (hashlib.sha256(body).digest(), answer)
            while len(self._known) > self._remembered:
                self._known.popitem(last=False)
