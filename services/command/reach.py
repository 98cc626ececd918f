"""How commands reach the services: their addresses, a token, and what their refusals mean."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.command.console import Failed
from shared.addresses import address_of
from shared.settings import PORT_OFFSETS, Settings

if TYPE_CHECKING:
    import httpx

# What takes long to import is imported where it is used, so that no other command waits for it.

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="INTERLOCK_URL",
        help="Where the services are: http://host (the ports follow the base), or a pattern such as "
        "https://{service}.interlock.example or http://{service}:{port}.",
        show_default="this machine",
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="INTERLOCK_TOKEN",
        help="Bearer token; without one, the local signing key makes it.",
        show_default=False,
    ),
]
Case = Annotated[
    str | None,
    typer.Option("--case", envvar="INTERLOCK_CASE", help="Case number that goes into the ledger."),
]
Purpose = Annotated[
    str, typer.Option("--purpose", envvar="INTERLOCK_PURPOSE", help="Purpose that goes into the ledger.")
]
FEEDS = tuple(name for name in PORT_OFFSETS if name not in ("leads", "fusion"))
DESK = "USZZZ0000"
"""The agency under which the local key asks when none is named (INTERLOCK_AGENCY names one)."""
LOCAL_CASE = "LOCAL-DESK"
TOKEN_TTL = timedelta(hours=1)


@dataclass(slots=True)
class Reach:
    """The services of one deployment, and who asks them."""

    settings: Settings
    pattern: str | None = None
    token: str | None = None
    transport: "httpx.BaseTransport | None" = None
    _minted: dict[tuple[str, ...], str] = field(default_factory=dict)

    @classmethod
    def of(cls, url: str | None, token: str | None) -> "Reach":
        """Reach for a command's options; raises ``Misconfigured``."""
        return cls(Settings.from_env(), url, token)

    def url(self, service: str) -> str:
        """The address of a feed's ingest, ``leads`` or ``fusion``."""
        return address_of(self.settings, service, self.pattern)

    def token_for(self, agency: str, roles: Iterable[str], centres: Iterable[str] = ()) -> str:
        """The token given, or one of the local key for this agency and these roles."""
        if self.token:
            return self.token
        roles, centres = tuple(roles), tuple(centres)
        key = (agency, *roles, "@", *centres)
        if key not in self._minted:
            from shared.auth import mint, signing_key  # noqa: PLC0415

            self._minted[key] = mint(
                signing_key(self.settings),
                subject="command-line",
                agency=agency,
                roles=roles,
                centres=centres,
                ttl=TOKEN_TTL,
            )
        return self._minted[key]

    def client(self, service: str, headers: Mapping[str, str]) -> "httpx.Client":
        """A client of one service."""
        import httpx  # noqa: PLC0415

        return httpx.Client(
            base_url=self.url(service), headers=dict(headers), timeout=60, transport=self.transport
        )

    def reader(self, purpose: str, case: str | None) -> "httpx.Client":
        """A client of the leads service that reads for a stated purpose and case.

        With a token of one's own the case must be named; the local key's owner sits at the desk.
        """
        agency = os.environ.get("INTERLOCK_AGENCY", DESK)
        token = self.token_for(agency, ("analyst", "reviewer", "supervisor"))
        headers = {"Authorization": f"Bearer {token}", "Interlock-Purpose": purpose}
        if case or not self.token:
            headers["Interlock-Case"] = case or LOCAL_CASE
        return self.client("leads", headers)


def ask(client: "httpx.Client", method: str, path: str, **options: Any) -> Any:
    """The JSON answer of one request; raises ``Failed`` with the service's own words."""
    import httpx  # noqa: PLC0415

    try:
        answer = client.request(method, path, **options)
    except httpx.TransportError as error:
        raise Failed(
            f"{client.base_url} does not answer ({error}). Is Interlock running? `interlock doctor` looks."
        ) from error
    if answer.is_success:
        return answer.json() if answer.content else None
    raise Failed(in_words(answer))


def in_words(answer: "httpx.Response") -> str:
    """What a refusal says: title, what to do, and each field to blame."""
    try:
        problem = answer.json()
    except ValueError:
        return f"{answer.status_code} {answer.reason_phrase}"
    lines = [f"{answer.status_code} {problem.get('title', answer.reason_phrase)}"]
    if problem.get("detail"):
        lines[0] += f": {problem['detail']}"
    lines += [f"  {reason}" for reason in reasons_of(problem)]
    return "\n".join(lines)


def reasons_of(problem: Mapping[str, Any]) -> list[str]:
    """One line for each field that a problem blames; its detail where it blames none."""
    found = []
    for error in problem.get("errors") or ():
        allowed = error.get("allowed")
        choice = f" (allowed: {', '.join(map(str, allowed[:12]))})" if allowed else ""
        found.append(f"{error.get('pointer', '')}: {error.get('message', '')}{choice}")
    return found or [str(problem.get("detail") or problem.get("title") or problem)]
