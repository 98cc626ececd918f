"""The real process: real sockets, real signals."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.auth import mint, signing_key
from shared.log import open_log
from shared.settings import Settings
from tests.ingest.harness import AGENCY, raw


class Process:
    """``python -m services.ingest --feed EPIC`` on a free port."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        environ = {"INTERLOCK_HOME": str(home), "INTERLOCK_PORT": str(self.port)}
        self.settings = Settings.from_env(environ)
        token = mint(signing_key(self.settings), subject="s", agency=AGENCY, roles=["submitter"])
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.errors = home / "stderr"
        with self.errors.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.ingest", "--feed", "EPIC"],
                env={**os.environ, **environ},
                stderr=stderr,
            )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=self.headers, timeout=30)

    def wait_until_ready(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if self.http.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(self.errors.read_text())

    def records(self) -> int:
        log = open_log(self.settings.log_url)
        try:
            return sum(log.ends("reports.v1").values())
        finally:
            log.close()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path)
    try:
        made.wait_until_ready()
        yield made
    finally:
        made.http.close()
        made.process.kill()
        made.process.wait(10)


def test_sigterm_finishes_what_is_in_flight_and_ends_with_zero(process: Process) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)
    body = b"".join(raw(number=n) + b"\n" for n in range(200))
    headers = process.headers | {"Content-Type": "application/x-ndjson", "Content-Length": str(len(body))}
    connection.putrequest("POST", "/v1/reports:bulk")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body[: len(body) // 2])
    until = time.monotonic() + 30
    while "interlock_http_in_flight 2.0" not in process.http.get("/metrics").text:
        assert time.monotonic() < until
    process.process.send_signal(signal.SIGTERM)
    connection.send(body[len(body) // 2 :])
    outcomes = [json.loads(line) for line in connection.getresponse().read().splitlines()]
    connection.close()
    assert [o["outcome"] for o in outcomes] == ["ACCEPTED"] * 200
    assert process.process.wait(30) == 0
    assert process.records() == 200


def test_a_field_of_10_mb_is_answered_over_a_real_socket(process: Process) -> None:
    body = raw().replace(b'"N-1"', b'"' + b"N" * 10_000_000 + b'"')
    for _ in range(2):
        answer = process.http.post("/v1/reports", content=body)
        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems/too-large"
    chunked = process.http.post("/v1/reports", content=iter([body[:5_000_000], body[5_000_000:]]))
    assert chunked.status_code == 413
    assert process.http.post("/v1/reports", content=raw()).status_code == 202


def test_what_is_not_http_does_not_hurt(process: Process) -> None:
    for junk in (
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/reports HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", process.port), timeout=10) as connection:
            connection.sendall(junk)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    assert process.http.get("/readyz").status_code == 200


def test_a_client_that_leaves_in_the_middle_does_not_hurt(process: Process) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in process.headers.items())
    with socket.create_connection(("127.0.0.1", process.port), timeout=10) as connection:
        connection.sendall(
            f"POST /v1/reports HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 1000\r\n\r\n{{".encode()
        )
    assert process.http.post("/v1/reports", content=raw()).status_code == 202
    assert "Traceback" not in process.errors.read_text()


def test_the_log_lines_are_json_and_name_no_content(process: Process) -> None:
    process.http.post("/v1/reports", content=raw())
    process.http.get("/v1/reports?identifier=phone:%2B19155550142")
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(30) == 0
    lines = [json.loads(line) for line in process.errors.read_text().splitlines()]
    answered = [
        line for line in lines if line["logger"] == "interlock.access" and line["path"] == "/v1/reports"
    ]
    assert {line["status"] for line in answered} == {202, 405}
    assert all(line["trace_id"] and line["request_id"] for line in answered)
    assert "5550142" not in json.dumps(answered)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"INTERLOCK_MAX_BODY": "much"}, "INTERLOCK_MAX_BODY"),
        ({"INTERLOCK_LOG": "redis://x"}, "INTERLOCK_LOG"),
    ],
)
def test_a_wrong_setting_ends_the_process_with_its_name(
    tmp_path: Path, environ: dict[str, str], said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.ingest", "--feed", "EPIC"],
        env={**os.environ, "INTERLOCK_HOME": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
