"""What time it is, and times as the store keeps them: milliseconds since 1970."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

NO_REPORT: Final = 1 << 62
"""Stands for the time of acceptance where no report waits: such work comes last."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def clock_of(ahead: Path | None) -> Callable[[], datetime]:
    """The clock of a service: the time, or with a file as far ahead of it as the file says, in seconds."""

    def now() -> datetime:
        return datetime.now(UTC)

    def turned() -> datetime:
        assert ahead is not None
        try:
            seconds = float(ahead.read_text())
        except (FileNotFoundError, ValueError):
            seconds = 0.0
        return now() + timedelta(seconds=seconds)

    return now if ahead is None else turned


def ms(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(milliseconds: int) -> datetime:
    """The inverse of ``ms``, in UTC."""
    return _EPOCH + milliseconds * _MILLISECOND


def stamp(at: str | int) -> str:
    """A time of JSON, or in milliseconds, as the API writes it: RFC 3339, UTC, ``Z``."""
    when = datetime.fromisoformat(at).astimezone(UTC) if isinstance(at, str) else moment(at)
    return when.isoformat(timespec="milliseconds" if when.microsecond else "seconds").replace("+00:00", "Z")
