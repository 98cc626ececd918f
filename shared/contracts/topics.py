"""The topics: their names, what they carry, and how long they are kept."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; compacted = keeps the latest value of each key; ``retention_days`` None = for ever."""

    name: str
    compacted: bool
    retention_days: int | None


REPORTS: Final = Topic("reports.v1", compacted=True, retention_days=None)
JUDGEMENTS: Final = Topic("judgements.v1", compacted=True, retention_days=None)
RELEASES: Final = Topic("releases.v1", compacted=True, retention_days=None)
RESOLUTIONS: Final = Topic("resolutions.v1", compacted=False, retention_days=7)
DEAD_LETTERS: Final = Topic("dead-letters.v1", compacted=False, retention_days=90)

TOPICS: Final = (REPORTS, JUDGEMENTS, RELEASES, RESOLUTIONS, DEAD_LETTERS)

FUSION_GROUP: Final = "fusion"
"""Consumer group of the fusion workers; a report is processed once this group has committed past it."""
LEADS_GROUP: Final = "leads"
"""Consumer group of the leads projection."""

H_TRACEPARENT: Final = "traceparent"
H_SCHEMA: Final = "schema"
"""Header: contract name and version of the value, such as ``report/1``."""
H_TOPIC: Final = "source-topic"
H_PARTITION: Final = "source-partition"
H_OFFSET: Final = "source-offset"
H_ERROR: Final = "error"
H_STEP: Final = "step"
"""Headers of a dead letter: where the original stood, what went wrong, and in which step."""
H_HANDLED: Final = "handled"
H_LETTER: Final = "letter"
"""Headers of a tombstone in the dead letters: how one was dealt with, and which (partition-offset).

With ``H_TOPIC``, ``H_PARTITION`` and ``H_OFFSET`` as its letter has them.
"""
H_AGAIN: Final = "again"
"""Header of such a tombstone: where the original was given to its topic again (partition-offset)."""
