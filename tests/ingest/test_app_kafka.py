"""Ingest on a real Kafka broker: the same promises."""

import uuid
from pathlib import Path

from shared.log import open_log
from shared.settings import Settings
from tests.ingest.harness import Ingest, Switched, raw


def test_what_kafka_took_has_a_receipt(kafka: str, tmp_path: Path) -> None:
    url = f"{kafka}?prefix=ingest-{uuid.uuid4().hex[:8]}-&partitions=3&replication=1"
    settings = Settings(home=tmp_path, log_url=url)
    log = Switched(open_log(url))
    ingest = Ingest("EPIC", log, settings)
    with ingest.http:
        receipt = ingest.post(raw()).json()["receipt_id"]
        outcomes = ingest.bulk(b"\n".join(raw(number=n) for n in range(2, 700)))
        assert [o["outcome"] for o in outcomes] == ["ACCEPTED"] * 698
        state = ingest.http.get(f"/v1/receipts/{receipt}", headers=ingest.headers()).json()
        assert state["state"] == "ACCEPTED"
        assert sum(log.ends("reports.v1").values()) >= 699
        log.away = True
        assert ingest.post(raw()).status_code == 503
    log.close()
