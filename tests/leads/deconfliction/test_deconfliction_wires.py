"""Notices over real sockets: a webhook that checks its signature, a mail server, and crashes on the way."""

import hmac
import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from services.leads.deconfliction import delivery_store
from services.leads.deconfliction.channels import Channels
from services.leads.deconfliction.delivery import Carrier, MailServer, Undelivered, mail_by, post_by
from tests.leads.deconfliction.house import PHONE, A, B, House
from tests.leads.deconfliction.test_deconfliction_replicas import Crash, crash_once


class Receiver(BaseHTTPRequestHandler):
    """An agency's webhook; what it got stands in ``server.got``, and it answers ``server.status``."""

    server: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


class Postman(socketserver.StreamRequestHandler):
    """A mail server of the few words that are needed; letters stand in ``server.got``."""

    server: Any

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        letter: list[bytes] | None = None
        for line in self.rfile:
            if letter is not None and line != b".\r\n":
                letter.append(line)
                continue
            if letter is not None:
                self.server.got.append(b"".join(letter).decode())
                letter = None
            elif line.upper().startswith(b"DATA"):
                letter = []
                self.wfile.write(b"354 go on\r\n")
                continue
            self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 fine\r\n")


@contextmanager
def served(server: Any, status: int = 200) -> Iterator[Any]:
    """Run a server meanwhile."""
    server.got, server.status = [], status
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def webhook() -> Iterator[Any]:
    """A receiver on this machine."""
    with served(HTTPServer(("127.0.0.1", 0), Receiver)) as server:
        yield server


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """The way out."""
    with httpx.Client() as made:
        yield made


def meet(house: House) -> None:
    """A conflict of two agencies, worked out."""
    for agency in (A, B):
        house.target(agency, "r1", **PHONE)
    house.settle()


def test_a_webhook_can_check_who_calls_and_knows_a_repeat(
    house: House, webhook: Any, client: httpx.Client
) -> None:
    url = f"http://127.0.0.1:{webhook.server_port}/notices"
    made = Channels(house.registry).add(A, "WEBHOOK", url)
    house.clock.now = house.clock.now.replace(year=2026)
    meet(house)
    Carrier(house.registry, post_by(client), mail_by(None)).step()
    ((headers, body),) = webhook.got
    stamp, given = headers["Interlock-Signature"].removeprefix("t=").split(",v1=")
    wanted = hmac.new(made["secret"].encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
    assert hmac.compare_digest(given, wanted)
    (notice,) = house.inbox(A)
    assert headers["Interlock-Notice"] == json.loads(body)["notice_id"] == notice["notice_id"]
    assert json.loads(body)["other"]["agency"] == B


@pytest.mark.parametrize("status", [301, 404, 500])
def test_any_answer_but_success_is_tried_again_and_no_redirect_followed(
    house: House, webhook: Any, client: httpx.Client, status: int
) -> None:
    webhook.status = status
    Channels(house.registry).add(A, "WEBHOOK", f"http://127.0.0.1:{webhook.server_port}/notices")
    meet(house)
    carrier = Carrier(house.registry, post_by(client), mail_by(None))
    assert carrier.step() == 1
    assert carrier.step() == 0, "not before its time"
    house.clock.now = house.clock.now.replace(second=30)
    webhook.status = 204
    assert carrier.step() == 1
    assert [headers["Interlock-Notice"] for headers, _ in webhook.got] == [house.inbox(A)[0]["notice_id"]] * 2


def test_a_receiver_that_is_away_is_tried_again(house: House, client: httpx.Client) -> None:
    with served(HTTPServer(("127.0.0.1", 0), Receiver)) as server:
        port = server.server_port
    with pytest.raises(Undelivered):
        post_by(client)(f"http://127.0.0.1:{port}/", b"{}", {})


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_while_delivering_repeats_the_notice_and_loses_none(
    house: House, webhook: Any, client: httpx.Client, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    Channels(house.registry).add(A, "WEBHOOK", f"http://127.0.0.1:{webhook.server_port}/notices")
    meet(house)
    carrier = Carrier(house.registry, post_by(client), mail_by(None))
    crash_once(monkeypatch, delivery_store, "settle" if after else "due", after=not after)
    with pytest.raises(Crash):
        carrier.step()
    house.clock.now = house.clock.now.replace(minute=2)
    assert carrier.step() == 1
    ids = [headers["Interlock-Notice"] for headers, _ in webhook.got]
    assert ids == [house.inbox(A)[0]["notice_id"]] * (1 + after)
    house.clock.now = house.clock.now.replace(hour=20)
    assert carrier.step() == 0


def test_a_letter_says_whom_to_call_and_nothing_of_the_target(house: House) -> None:
    Channels(house.registry).add(A, "EMAIL", "duty@agency.example")
    meet(house)
    with served(socketserver.TCPServer(("127.0.0.1", 0), Postman)) as server:
        port = server.server_address[1]
        post = mail_by(MailServer("127.0.0.1", port, "interlock@agency.example", tls=False))
        assert Carrier(house.registry, lambda *_: None, post).step() == 1
        end = time.monotonic() + 5
        while not server.got and time.monotonic() < end:
            time.sleep(0.01)
    (text,) = server.got
    assert "To: duty@agency.example" in text
    assert f"{B}, +19155550101" in text
    assert "5550142" not in text.replace("555-0142", "5550142")
    assert "LABEL" not in text
