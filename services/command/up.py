"""``interlock up``: the embedded system, one supervisor and its child processes."""

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.status import Status

from services.command.console import Data, Failed, PortBase, err, out, table
from services.command.environment import environment_for, settings_for
from services.command.reach import FEEDS
from services.command.supervise import Supervisor, parts
from shared.settings import Settings

if TYPE_CHECKING:
    import httpx

    from services.command.figures import Figures

TICK_SECONDS = 0.2
FIGURES_SECONDS = 2.0
READY_SECONDS = 90.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TITLES = {"SOD": "communications", "OFC": "finance", "EPIC": "seizures", "BCSC": "bulk cash"}


@dataclass(slots=True)
class StopRequest:
    """Ctrl-C, or a kind kill: the first asks to stop, the second ends every child at once."""

    asked: bool = False
    supervisor: Supervisor | None = field(default=None, repr=False)

    def install(self) -> None:
        """Take the signals; children have process groups of their own and do not get the terminal's."""
        for each in SIGNALS:
            signal.signal(each, self._hear)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked and self.supervisor is not None:
            self.supervisor.kill()
        self.asked = True


def up(
    workers: Annotated[int, typer.Option("--workers", min=1, max=32, help="Fusion processes.")] = 1,
    data: Data = None,
    port_base: PortBase = None,
) -> None:
    """Start the whole system on this machine and keep it running until Ctrl-C.

    \b
    Examples:
      interlock up
      interlock up --data /srv/interlock --port-base 9100 --workers 2
    """
    settings = settings_for(data, port_base)
    stop = StopRequest()
    stop.install()
    supervisor = launch(settings, workers, err().print)
    stop.supervisor = supervisor
    try:
        wait_ready(supervisor, settings, stop, give_up=False)
        if not stop.asked:
            out().print(addresses(settings, workers))
            out().print(f"Data and logs: {settings.home}   Ctrl-C ends it.")
            attend(supervisor, settings, lambda: stop.asked)
    finally:
        stop.asked = True
        with err().status("Stopping"):
            supervisor.stop()
    out().print("Stopped.")


def launch(settings: Settings, workers: int, say: Callable[[str], None]) -> Supervisor:
    """Start every service on the settings; raises ``Misconfigured`` where a port or the data is taken."""
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = environment_for(str(settings.home), settings.port_base)
    supervisor = Supervisor(settings.home, parts(settings.port_base, FEEDS, workers), environment, say=say)
    try:
        supervisor.check_ports(settings.host)
        if not settings.jwks_url:
            from shared.auth import signing_key  # noqa: PLC0415

            signing_key(settings)
        supervisor.start()
    except BaseException:
        supervisor.stop()
        raise
    return supervisor


def wait_ready(supervisor: Supervisor, settings: Settings, stop: StopRequest, *, give_up: bool) -> None:
    """Tend the children until each says that it is ready.

    After ``READY_SECONDS`` it tells why they are not, and waits on or, with ``give_up``, raises ``Failed``.
    """
    import httpx  # noqa: PLC0415 - no other command waits for it

    address = httpx.URL(settings.url_of("leads"))
    waiting = {name: str(address.copy_with(port=port)) for name, port in supervisor.ports().items()}
    reasons: dict[str, str] = {}
    end = time.monotonic() + READY_SECONDS
    with err().status("Starting") as status, httpx.Client(timeout=2, verify=False) as client:  # noqa: S501 - our own
        while waiting and not stop.asked:
            supervisor.tend()
            reasons = {name: why for name, url in waiting.items() if (why := not_ready(client, url))}
            waiting = {name: waiting[name] for name in reasons}
            status.update(f"Starting: waiting for {', '.join(waiting)}")
            if waiting and time.monotonic() > end:
                told = [f"{n} is not ready: {why}\n{supervisor.last_lines(n)}" for n, why in reasons.items()]
                if give_up:
                    raise Failed("\n".join(told))
                err().print("\n".join(told), markup=False)
                end = time.monotonic() + READY_SECONDS
            time.sleep(0.05)


def not_ready(client: "httpx.Client", url: str) -> str | None:
    """Why a service is not ready; None where it is."""
    import httpx  # noqa: PLC0415

    try:
        answer = client.get(f"{url}/readyz")
    except httpx.HTTPError as error:
        return f"no answer ({type(error).__name__})"
    return None if answer.is_success else answer.text[:500]


def attend(supervisor: Supervisor, settings: Settings, over: Callable[[], bool]) -> None:
    """Tend the children until it is over, with one line of figures on a terminal."""
    from services.command.figures import figures  # noqa: PLC0415

    shown = 0.0
    with Status("", console=err(), spinner="dots") as status:

        def show() -> None:
            nonlocal shown
            if err().is_terminal and time.monotonic() - shown > FIGURES_SECONDS:
                shown = time.monotonic()
                status.update(in_one_line(figures(settings)))

        tend_until(supervisor, over, show)


def tend_until(
    supervisor: Supervisor, over: Callable[[], bool], between: Callable[[], None] = lambda: None
) -> None:
    """Tend the children until it is over."""
    while not over():
        supervisor.tend()
        between()
        time.sleep(TICK_SECONDS)


def in_one_line(now: "Figures") -> str:
    """The figures as a status line."""
    words: Mapping[str, float | None] = {
        "accepted": now.accepted, "fused": now.fused, "waiting": now.lag, "dead letters": now.dead_letters,
        "entities": now.entities, "leads": now.leads,
    }  # fmt: skip
    return " · ".join(f"{name} {value:,.0f}" for name, value in words.items() if value is not None)


def addresses(settings: Settings, workers: int) -> object:
    """The table of what runs where."""
    rows = [(f"{feed} ingest", TITLES.get(feed, ""), f"{settings.url_of(feed)}/docs") for feed in FEEDS]
    rows.append(("leads", "picture, leads, search", f"{settings.url_of('leads')}/docs"))
    rows.append(
        ("fusion", f"{workers} worker{'s' if workers > 1 else ''}", f"{settings.url_of('fusion')}/metrics")
    )
    return table(("service", "for", "address"), rows)
