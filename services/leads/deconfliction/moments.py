"""Moments as the registry's tables keep them: milliseconds since 1970."""

from datetime import UTC, datetime


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.astimezone(UTC).timestamp() * 1000)


def moment(ms: int) -> datetime:
    """The inverse of ``milliseconds``."""
    return datetime.fromtimestamp(ms / 1000, UTC)
