"""A person's decision about two profiles; in ``judgements.v1`` a tombstone withdraws it."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from shared.contracts.entities import Line
from shared.contracts.model import Contract

ProfileId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Judgement(Contract):
    """SAME joins, DIFFERENT keeps apart, UNSURE only takes the case out of the review queue.

    It changes the picture of those who may see both profiles or, with ``own_agency_only``, of the
    author's agency alone.
    """

    judgement_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
    a: ProfileId
    b: ProfileId
    verdict: Literal["SAME", "DIFFERENT", "UNSURE"]
    reason: Line
    author: Line
    agency: Line
    own_agency_only: bool = False
    at: AwareDatetime
