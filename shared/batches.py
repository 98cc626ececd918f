"""Sending reports in batches over HTTP: what became of each, and how long to wait before what is left.

One batch, one attempt; whoever sends keeps the order, the patience and the account.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    import httpx

NDJSON: Final = "application/x-ndjson"
BULK: Final = "/v1/reports:bulk"
BUSY: Final = (429, 502, 503, 504)
"""Statuses of what may be sent again after a while, for a batch or for one line of it."""
LONGEST_WAIT: Final = 30.0
Outcome = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """What an attempt came to.

    ``outcomes`` has one entry a line, None for those to send again after ``pause`` seconds; ``refusal`` is
    the answer of a service that took none of it, and never will as it is.
    """

    outcomes: "list[Outcome | None]"
    pause: float = 1.0
    refusal: "httpx.Response | None" = None

    @property
    def again(self) -> bool:
        """Whether something is to be sent again."""
        return any(outcome is None for outcome in self.outcomes)


def send(
    client: "httpx.Client", url: str, token: str, body: bytes, *, count: int | None = None, kind: str = NDJSON
) -> Sent:
    """Post one body of ``count`` reports; lines before whose answer the service broke off count as not sent.

    Without ``count`` (a document holds as many as it holds) there is at least one entry.
    """
    import httpx  # noqa: PLC0415 - takes long, and commands that send nothing should not wait for it

    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    nothing: list[Outcome | None] = [None] * (1 if count is None else count)
    try:
        answer = client.post(url, content=body, headers=headers)
    except httpx.TransportError:
        return Sent(nothing)
    pause = _retry_after(answer.headers.get("Retry-After", "1"))
    if answer.status_code in BUSY:
        return Sent(nothing, pause)
    if not answer.is_success:
        return Sent(nothing, pause, answer)
    told = [orjson.loads(row) for row in answer.content.splitlines() if row.strip()]
    outcomes = [None if _is_busy(outcome) else outcome for outcome in told[:count]]
    return Sent(outcomes + nothing[len(outcomes) :] if count else outcomes, pause)


def _is_busy(outcome: Outcome) -> bool:
    return outcome.get("outcome") == "REFUSED" and (outcome.get("problem") or {}).get("status") in BUSY


def _retry_after(text: str) -> float:
    """Seconds to wait, from Retry-After; 1 where it is a date."""
    try:
        seconds = float(text)
    except ValueError:
        return 1.0
    return min(max(seconds, 0.1), LONGEST_WAIT)
