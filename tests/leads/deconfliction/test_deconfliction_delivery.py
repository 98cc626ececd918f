"""Notices reach webhooks and mailboxes at least once, signed, and over no open network."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.leads.deconfliction import delivery_store
from services.leads.deconfliction.delivery import Carrier, Undelivered, check_address, letter, signature
from services.leads.deconfliction.matcher import Matcher
from services.leads.deconfliction.submissions import TargetSubmission
from tests.leads.deconfliction.house import NOON, House


@pytest.mark.parametrize(
    ("channel", "address", "fine"),
    [
        ("WEBHOOK", "https://agency.example/notices", True),
        ("WEBHOOK", "http://127.0.0.1:9000/n", True),
        ("WEBHOOK", "http://localhost:9000/n", True),
        ("WEBHOOK", "http://agency.example/notices", False),
        ("WEBHOOK", "https://user:pass@agency.example/n", False),
        ("WEBHOOK", "file:///etc/passwd", False),
        ("WEBHOOK", "https://[", False),
        ("EMAIL", "duty@agency.example", True),
        ("EMAIL", "duty@agency.example, all@elsewhere.example", False),
    ],
)
def test_a_channel_is_refused_unless_it_is_private(channel: str, address: str, fine: bool) -> None:
    assert (check_address(channel, address) is None) is fine


def test_a_failing_webhook_is_tried_again_until_it_succeeds_and_then_no_more(house: House) -> None:
    registry, clock = house.registry, house.clock
    calls: list[tuple[bytes, dict[str, str]]] = []

    def post(url: str, body: bytes, headers: dict[str, str]) -> None:
        calls.append((body, headers))
        if len(calls) < 3:
            raise Undelivered("the receiver answered 500")

    settings = json.dumps({"address": "https://agency.example/n", "secret": "s3cret"}).encode()
    with registry.transaction() as (conn, ring):
        row = {"channel_id": "c1", "agency": "TXZZZ0001", "channel": "WEBHOOK"}
        delivery_store.put_channel(conn, row | {"sealed": ring.seal("TXZZZ0001", settings)})
    for agency in ("TXZZZ0001", "CAZZZ0002"):
        fields: dict[str, Any] = {
            "reference": "r", "unit": "U", "label": "L", "contact": {"name": "SYN", "phone": "+19155550101"},
            "identifiers": [{"type": "PHONE", "value": "+19155550142"}],
        }  # fmt: skip
        registry.submit(agency, TargetSubmission.model_validate(fields))
    Matcher(registry).check()
    carrier = Carrier(registry, post, lambda *_: None)
    for _ in range(12):
        carrier.step()
        clock.now += timedelta(seconds=3)
    assert len(calls) == 3
    body, headers = calls[-1]
    assert json.loads(body)["other"]["agency"] == "CAZZZ0002"
    stamp = int(headers["Interlock-Signature"].split(",")[0].removeprefix("t="))
    assert headers["Interlock-Signature"] == signature("s3cret", stamp, body)
    assert abs(stamp - NOON.timestamp()) < 60
    subject, text = letter("n1", json.loads(body))
    assert "+19155550101" in text
    assert "5550142" not in subject + text
