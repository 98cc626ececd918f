"""How deep the JSON that agencies send may nest."""

import re
from typing import Final

_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_OTHERS: Final = bytes(set(range(256)) - set(b"{}[]"))
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def deeper_than(raw: bytes, levels: int) -> bool:
    """Whether JSON text nests deeper than ``levels``, whatever else may be wrong with it.

    Brackets outside of strings are all that counts; each round takes away the innermost pairs.
    """
    if raw.count(b"{") + raw.count(b"[") <= levels:
        return False
    outside = _STRING.sub(b"", raw) if b"\\" in raw else b"".join(raw.split(b'"')[::2])
    brackets = left = outside.translate(_SQUARE, _OTHERS)
    for _ in range(levels):
        left = left.replace(b"[]", b"")
        if not left:
            return False
    return _deepest(brackets, levels + 1) > levels


def _deepest(brackets: bytes, enough: int) -> int:
    """The deepest nesting of text whose brackets may not match, counted up to ``enough``."""
    depth = deepest = 0
    for bracket in brackets:
        depth += 1 if bracket == 0x5B else -1
        deepest = max(deepest, depth)
        if deepest >= enough:
            break
    return deepest
