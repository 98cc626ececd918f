"""A whole Interlock for tests: real processes, spoken to over HTTP and the command line."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

FEED_PORTS = {"SOD": 1, "OFC": 2, "EPIC": 3, "BCSC": 4}
LEADS_PORT = 100
FUSION_PORT = 200
READ_HEADERS = {"Interlock-Purpose": "INVESTIGATION", "Interlock-Case": "TEST-26-0001"}


def free_port_base() -> int:
    """A base whose ports (ingest, leads, fusion) are all free now."""
    start = 20_000 + (os.getpid() * 37) % 20_000
    for base in range(start, start + 20_000, 300):
        if all(_is_free(base + p) for p in (*FEED_PORTS.values(), LEADS_PORT, FUSION_PORT)):
            return base
    raise RuntimeError("no free range of ports")


def _is_free(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_until(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer of ``holds``; fails with ``what`` after ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = holds()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


@dataclass
class System:
    """One deployment: ``environment`` says which log and databases it stands on."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port_base: int = field(default_factory=free_port_base)
    supervisor: subprocess.Popen[bytes] | None = None
    tokens: dict[tuple[Any, ...], str] = field(default_factory=dict)
    clients: dict[tuple[int, str], httpx.Client] = field(default_factory=dict)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``interlock`` with these arguments against this deployment."""
        done = subprocess.run(
            [sys.executable, "-m", "services", *arguments],
            env=self.environ(), capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(
                f"interlock {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def environ(self) -> dict[str, str]:
        """The environment in which commands of this deployment run."""
        return os.environ | {
            "INTERLOCK_HOME": str(self.home), "INTERLOCK_PORT_BASE": str(self.port_base), **self.environment,
        }  # fmt: skip

    def start(self, seconds: float = 90) -> None:
        """Start everything and wait until every service is ready."""
        self.home.mkdir(parents=True, exist_ok=True)
        home = str(self.home)
        with (self.home / "supervisor.out").open("ab") as out:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "services", "up", "--data", home, "--port-base", str(self.port_base)],
                env=self.environ(), stdout=out, stderr=out,
            )  # fmt: skip
        self.wait_ready(seconds)

    def wait_ready(self, seconds: float = 90) -> None:
        """Wait until every service answers that it is ready."""
        for offset in (*FEED_PORTS.values(), LEADS_PORT, FUSION_PORT):
            wait_until(
                lambda o=offset: self._ready(o),
                seconds,
                f"port {self.port_base + offset} ready\n{self.log()}",
            )

    def _ready(self, offset: int) -> bool:
        assert self.supervisor is not None
        assert self.supervisor.poll() is None, f"the supervisor ended\n{self.log()}"
        try:
            return httpx.get(f"{self.url(offset)}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def log(self) -> str:
        """The last of what the supervisor printed."""
        file = self.home / "supervisor.out"
        return file.read_text(errors="replace")[-3000:] if file.exists() else ""

    def stop(self) -> int:
        """Ctrl-C; returns the supervisor's exit code."""
        assert self.supervisor is not None
        for client in self.clients.values():
            client.close()
        self.clients.clear()
        self.supervisor.send_signal(signal.SIGINT)
        return self.supervisor.wait(60)

    def children(self) -> dict[int, str]:
        """Process ids of the services and their command lines."""
        assert self.supervisor is not None
        found: dict[int, str] = {}
        for task in Path(f"/proc/{self.supervisor.pid}/task").iterdir():
            for pid in (task / "children").read_text().split():
                try:
                    found[int(pid)] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                except OSError:
                    continue
        return found

    def kill(self, name: str) -> int:
        """Kill -9 the service whose command line contains ``name``; returns its process id."""
        pid = next(p for p, line in self.children().items() if name in line)
        os.kill(pid, signal.SIGKILL)
        return pid

    def url(self, offset: int) -> str:
        """The address of the service on this port offset."""
        return f"http://127.0.0.1:{self.port_base + offset}"

    def token(
        self, agency: str, *roles: str, authorities: Iterable[str] = (), centres: Iterable[str] = ()
    ) -> str:
        """A token of this deployment, from the command line; made once for each kind."""
        key = (agency, roles, tuple(authorities), tuple(centres))
        if key not in self.tokens:
            options = [f"--role={r}" for r in roles] + [f"--authority={a}" for a in authorities]
            options += [f"--centre={c}" for c in centres]
            self.tokens[key] = self.run("token", "--agency", agency, *options).stdout.strip()
        return self.tokens[key]

    def ingest(self, feed: str, agency: str) -> httpx.Client:
        """A client of a feed's ingest that submits for ``agency``."""
        return self._client(FEED_PORTS[feed], self.token(agency, "submitter"))

    def leads(self, agency: str, *roles: str, **claims: Iterable[str]) -> httpx.Client:
        """A client of the leads API, with purpose and case."""
        return self._client(LEADS_PORT, self.token(agency, *(roles or ("analyst",)), **claims))

    def _client(self, offset: int, token: str) -> httpx.Client:
        """A client for this service and token, closed when the deployment stops."""
        if (offset, token) not in self.clients:
            headers = {"Authorization": f"Bearer {token}", **READ_HEADERS}
            self.clients[offset, token] = httpx.Client(
                base_url=self.url(offset),
                headers=headers,
                timeout=30,
                transport=httpx.HTTPTransport(retries=2),
            )
        return self.clients[offset, token]

    def receipt_state(self, client: httpx.Client, receipt_id: str) -> str:
        """The state of a receipt now."""
        answer = client.get(f"/v1/receipts/{receipt_id}")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    def wait_fused(self, client: httpx.Client, receipt_id: str, seconds: float = 15) -> None:
        """Wait until the receipt says FUSED."""
        wait_until(lambda: self.receipt_state(client, receipt_id) == "FUSED", seconds, f"{receipt_id} fused")

    def json(self, *arguments: str) -> Any:
        """What ``interlock … --json`` answers."""
        return json.loads(self.run(*arguments, "--json").stdout)
