"""The one place through which report content leaves: who got what, why. The ledger grows here."""

import logging
from collections.abc import Collection

from services.leads.viewer import Viewer

_LEDGER = logging.getLogger("interlock.disclosure")


def disclose(viewer: Viewer, what: str, reports: Collection[str]) -> None:
    """Record that ``viewer`` is given content of these reports; ``what`` names the answer."""
    if not reports:
        return
    extra = {
        "viewer": viewer.identity.subject,
        "agency": viewer.clearance.agency,
        "purpose": viewer.purpose.value,
        "case": viewer.case,
        "what": what,
        "reports": sorted(reports),
    }
    _LEDGER.info("disclosed", extra=extra)
