"""The garbage collector's part in a process that runs for weeks and keeps large caches."""

import gc
from typing import Final

_THRESHOLDS: Final = (200_000, 50, 100)


def settle() -> None:
    """Spare what was made at start, and look for cycles seldom: each look at the caches stops all work.

    Nearly everything here is freed by counting references; measured on fusing, the default rounds took
    half of the processor's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
