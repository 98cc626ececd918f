"""Errors named by what to do next.

::

    InterlockError
    ├── Poison        this input can never be processed: dead-letter it and go on
    ├── Transient     the world is away for a moment: back off and try again
    └── Misconfigured the operator must change a setting: stop and say which

Anything else is a defect: the process stops loudly and its supervisor starts it again.
"""


class InterlockError(Exception):
    """Base of every error that Interlock raises on purpose."""


class Poison(InterlockError):
    """The input can never be processed; ``step`` names where that was found."""

    def __init__(self, message: str, *, step: str = "parse") -> None:
        super().__init__(message)
        self.step = step


class Transient(InterlockError):
    """Something outside is away; trying again later is right. ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Misconfigured(InterlockError):
    """A setting is missing or wrong; the message names it and says what to do."""
