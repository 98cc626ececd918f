"""Receipts: where an accepted report stands in the log, sealed so that nobody can read or forge it.

Ingest keeps no database. A receipt is the log position, the agency and the time, encrypted and
authenticated (AES-SIV: equal receipts for equal positions, and no count of others' reports leaks).
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from shared.auth import derive_secret
from shared.settings import Settings

_LAYOUT: Final = struct.Struct(">BHQQ9s")
_VERSION: Final = 1
_SIZE: Final = 2 * (16 + _LAYOUT.size)
"""Hexadecimal digits of a receipt id."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt id says: the report's place in ``reports.v1``, whose it is, when it was accepted."""

    partition: int
    offset: int
    agency: str
    accepted_ms: int

    @property
    def accepted_at(self) -> datetime:
        """When the report was durable."""
        return datetime.fromtimestamp(self.accepted_ms / 1000, UTC)


class Sealer:
    """Turns receipts into ids and back; replicas with the same secret read each other's."""

    def __init__(self, key: bytes) -> None:
        """``key`` is 32 bytes."""
        self._cipher = AESSIV(key)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The sealer of a deployment."""
        return cls(derive_secret(settings, "ingest receipts"))

    def seal(self, receipt: Receipt) -> str:
        """The receipt's id: lower-case hexadecimal."""
        plain = _LAYOUT.pack(
            _VERSION, receipt.partition, receipt.offset, receipt.accepted_ms, receipt.agency.encode("ascii")
        )
        return self._cipher.encrypt(plain, None).hex()

    def open(self, receipt_id: str) -> Receipt | None:
        """What the id says; None for anything that this deployment has not sealed."""
        if len(receipt_id) != _SIZE or receipt_id != receipt_id.lower():
            return None
        try:
            plain = self._cipher.decrypt(bytes.fromhex(receipt_id), None)
        except (ValueError, InvalidTag):
            return None
        version, partition, offset, accepted_ms, agency = _LAYOUT.unpack(plain)
        if version != _VERSION:
            return None
        return Receipt(partition, offset, agency.decode("ascii"), accepted_ms)
