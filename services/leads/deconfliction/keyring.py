"""The registry's secrets: keyed hashes of what is compared, sealed text of what must be read again.

The keys live in a file of their own, outside the database, so a stolen table names nobody. Each key's
material gives two secrets by HKDF: one for the hashes, one per agency for sealing (AES-256-GCM).

A rotation moves one new key through the states below; every process reads the file again when it changes
and so writes under every live key, while it looks up under the CURRENT one alone:

1. NEXT is added: new rows are hashed under both keys;
2. the backfill hashes every older submission under NEXT and seals it again;
3. NEXT becomes CURRENT, the former key PREVIOUS: processes that still look up under it find everything;
4. PREVIOUS is dropped, and its hashes are deleted.
"""

import fcntl
import hmac
import json
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.leads.deconfliction.match import Token
from shared.errors import Misconfigured

HASH_BYTES: Final = 32
_NONCE: Final = 12
_ID: Final = 4


class KeyState(StrEnum):
    """Where a key stands in its life."""

    NEXT = "NEXT"
    CURRENT = "CURRENT"
    PREVIOUS = "PREVIOUS"


@dataclass(frozen=True)
class Key:
    """One key; ``number`` stands beside everything that was made with it."""

    number: int
    material: bytes
    state: KeyState

    @cached_property
    def _hashing(self) -> bytes:
        return _derive(self.material, b"deconfliction:hash")

    def digest(self, kind: str, value: str) -> bytes:
        """HMAC-SHA-256 of one comparable fact."""
        return hmac.digest(self._hashing, f"{kind}\0{value}".encode(), "sha256")

    def cipher(self, agency: str) -> AESGCM:
        """What seals and opens the text of one agency."""
        return _cipher(self.material, agency)


@lru_cache(maxsize=4_096)
def _cipher(material: bytes, agency: str) -> AESGCM:
    return AESGCM(_derive(material, b"deconfliction:seal:" + agency.encode()))


def _derive(material: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=b"interlock", info=purpose).derive(material)


@dataclass(frozen=True)
class KeyRing:
    """The live keys, by number."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """The key that look-ups use."""
        return next(k for k in self.keys if k.state is KeyState.CURRENT)

    @property
    def sealing(self) -> Key:
        """The key that new text is sealed with: the newest that every process knows."""
        return self.current

    def by_number(self, number: int) -> Key:
        """The key of this number; raises ``Misconfigured`` where the file has lost it."""
        for key in self.keys:
            if key.number == number:
                return key
        raise Misconfigured(
            f"deconfliction key {number} is not in the key file: restore the file from its backup"
        )

    def digest(self, token: Token) -> bytes:
        """The hash of a token under the current key."""
        return self.current.digest(f"{int(token.cls)}:{token.kind}", token.value)

    def seal(self, agency: str, text: bytes, key: Key | None = None) -> bytes:
        """``text`` so that only this agency's key opens it: key number, nonce, AES-256-GCM."""
        using = key or self.sealing
        nonce = os.urandom(_NONCE)
        return using.number.to_bytes(_ID) + nonce + using.cipher(agency).encrypt(nonce, text, agency.encode())

    @staticmethod
    def sealed_with(sealed: bytes) -> int:
        """The number of the key that sealed this text."""
        return int.from_bytes(sealed[:_ID])

    def open(self, agency: str, sealed: bytes) -> bytes:
        """The inverse of ``seal``; raises ``Misconfigured`` for text of another agency or key."""
        key = self.by_number(self.sealed_with(sealed))
        nonce, text = sealed[_ID : _ID + _NONCE], sealed[_ID + _NONCE :]
        try:
            return key.cipher(agency).decrypt(nonce, text, agency.encode())
        except InvalidTag:
            raise Misconfigured(f"deconfliction key {key.number} does not open this text") from None


class KeyFile:
    """The key file of a deployment, read again whenever it has changed; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._ring = KeyRing(())

    def ring(self) -> KeyRing:
        """The keys as they stand now; the first call makes the file."""
        with self._lock:
            try:
                found = self._path.stat()
            except FileNotFoundError:
                self._create()
                found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp != self._stamp:
                self._ring = self._read()
                self._stamp = stamp
            return self._ring

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether this is the only rotation among all processes with this file, for as long as it lasts."""
        self.ring()
        with self._path.with_name(f"{self._path.name}.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def add_next(self) -> KeyRing:
        """Step 1 of a rotation; without effect where one is under way."""
        ring = self.ring()
        if len(ring.keys) > 1:
            return ring
        number = ring.current.number + 1
        return self._write((*ring.keys, Key(number, secrets.token_bytes(32), KeyState.NEXT)))

    def promote(self) -> KeyRing:
        """Step 3: NEXT becomes CURRENT, CURRENT becomes PREVIOUS."""
        after = {KeyState.NEXT: KeyState.CURRENT, KeyState.CURRENT: KeyState.PREVIOUS}
        ring = self.ring()
        if not any(k.state is KeyState.NEXT for k in ring.keys):
            return ring
        return self._write(tuple(replace(k, state=after[k.state]) for k in ring.keys if k.state in after))

    def drop_previous(self) -> KeyRing:
        """Step 4: the old key is gone for good."""
        return self._write(tuple(k for k in self.ring().keys if k.state is not KeyState.PREVIOUS))

    def _read(self) -> KeyRing:
        try:
            rows = json.loads(self._path.read_text())["keys"]
            keys = tuple(
                Key(int(r["number"]), bytes.fromhex(r["secret"]), KeyState(r["state"])) for r in rows
            )
            ring = KeyRing(keys)
            _ = ring.current
        except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
            raise Misconfigured(f"the deconfliction key file {self._path} cannot be read: {error}") from error
        return ring

    def _create(self) -> None:
        """Make the file with a first key; of two processes one wins, and both use its file."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._draft((Key(1, secrets.token_bytes(32), KeyState.CURRENT),))
        try:
            os.link(draft, self._path)
        except FileExistsError:
            return
        finally:
            draft.unlink()

    def _write(self, keys: tuple[Key, ...]) -> KeyRing:
        self._draft(keys).replace(self._path)
        return self.ring()

    def _draft(self, keys: tuple[Key, ...]) -> Path:
        rows = [{"number": k.number, "secret": k.material.hex(), "state": str(k.state)} for k in keys]
        draft = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"keys": rows}, file)
            file.flush()
            os.fsync(file.fileno())
        return draft
