"""Check digits and shapes that no library covers as a canonical form needs them."""

import re
from typing import Final

from stdnum import bitcoin
from stdnum.exceptions import ValidationError

_VIN: Final = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_VIN_VALUES: Final = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True)
) | {str(d): d for d in range(10)}
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_HEX: Final = re.compile(r"[0-9A-F]+")
_TAIL: Final = re.compile(
    r"N(?:[1-9]\d{0,4}|[1-9]\d{0,3}[A-HJ-NP-Z]|[1-9]\d{0,2}[A-HJ-NP-Z]{2})"  # US: 14 CFR 45.23
    r"|X[ABC][A-Z]{3}"  # Mexico
    r"|C[FGI][A-Z]{3}"  # Canada
    r"|(?!N|X[ABC]|C[FGI])[A-Z0-9]{1,2}[A-Z0-9]{3,5}"
)
_ETH: Final = re.compile(r"0x[0-9a-f]{40}")
_OTHER_WALLET: Final = re.compile(
    r"(T[1-9A-HJ-NP-Za-km-z]{33}|[48][1-9A-HJ-NP-Za-km-z]{94}|[LM][1-9A-HJ-NP-Za-km-z]{33})"
)


def valid_vin(vin: str) -> bool:
    """Whether a VIN has its 17 characters and, where North America built it, its check digit (49 CFR 565)."""
    if not _VIN.fullmatch(vin):
        return False
    if vin[0] not in "12345":
        return True
    total = sum(_VIN_VALUES[c] * w for c, w in zip(vin, _VIN_WEIGHTS, strict=True)) % 11
    return vin[8] == ("X" if total == 10 else str(total))


def valid_hex(text: str, length: int) -> bool:
    """Whether ``text`` is ``length`` upper-case hexadecimal digits, not all the same."""
    return len(text) == length and _HEX.fullmatch(text) is not None and len(set(text)) > 1


def valid_mmsi(digits: str) -> bool:
    """Whether a maritime identity has nine digits and an assigned leading digit (ITU-R M.585)."""
    return len(digits) == 9 and digits.isdigit() and digits[0] != "1" and len(set(digits)) > 2


def valid_tail(tail: str) -> bool:
    """Whether an aircraft's registration has the shape that its state of registry uses."""
    return _TAIL.fullmatch(tail) is not None


def valid_wallet(text: str) -> bool:
    """Whether a wallet is well formed: Bitcoin by checksum; Ethereum, Tron, Monero, Litecoin by shape."""
    try:
        bitcoin.validate(text)
    except ValidationError:
        return bool(_ETH.fullmatch(text) or _OTHER_WALLET.fullmatch(text))
    return True
