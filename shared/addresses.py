"""Where another process finds the services of a deployment."""

from urllib.parse import urlsplit

from shared.settings import Settings


def address_of(settings: Settings, service: str, pattern: str | None = None) -> str:
    """The address of a feed's ingest, ``leads`` or ``fusion``; without a pattern, on this machine.

    ``pattern`` is ``http://host`` (the port follows the base), ``http://host:port``, or has ``{service}`` and
    perhaps ``{port}`` in it, such as ``https://{service}.interlock.example``.
    """
    if not pattern:
        return settings.url_of(service)
    port = str(settings.port_of(service))
    if "{service}" in pattern:
        return pattern.replace("{service}", service.lower()).replace("{port}", port).rstrip("/")
    plain = pattern.rstrip("/")
    return plain if urlsplit(plain).port is not None else f"{plain}:{port}"
