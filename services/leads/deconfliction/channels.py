"""Where an agency wants its notices sent besides its inbox: webhooks and mailboxes."""

import json
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from services.leads.deconfliction import delivery_store as store
from services.leads.deconfliction.registry import Registry


@dataclass(frozen=True, slots=True)
class Channels:
    """An agency's channels; addresses and secrets are sealed for it."""

    registry: Registry

    def add(self, agency: str, channel: str, address: str) -> dict[str, Any]:
        """Enter a channel; the answer is the only time that its secret is shown."""
        ident, secret = str(uuid4()), secrets.token_urlsafe(32)
        sealed = json.dumps({"address": address, "secret": secret}).encode()
        with self.registry.transaction() as (conn, ring):
            row = {"channel_id": ident, "agency": agency, "channel": channel}
            store.put_channel(conn, row | {"sealed": ring.seal(agency, sealed)})
        return {"channel_id": ident, "channel": channel, "address": address, "secret": secret}

    def all(self, agency: str) -> list[dict[str, Any]]:
        """The agency's channels, without their secrets."""
        ring = self.registry.keys.ring()
        with self.registry.db.snapshot() as conn:
            rows = store.channels(conn, agency)
        return [
            {
                "channel_id": r.channel_id,
                "channel": r.channel,
                "address": json.loads(ring.open(agency, r.sealed))["address"],
            }
            for r in rows
        ]

    def drop(self, agency: str, channel_id: str) -> bool:
        """Remove a channel; whether there was one."""
        with self.registry.transaction() as (conn, _):
            return store.drop_channel(conn, agency, channel_id)
