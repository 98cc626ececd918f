"""The settings that a command runs with, and the environment that it gives to the services it starts."""

import os
from collections.abc import Mapping

from shared.settings import Settings


def environment_for(data: str | None, port_base: int | None = None) -> dict[str, str]:
    """What ``--data`` and ``--port-base`` say, as environment variables."""
    given = {}
    if data:
        given["INTERLOCK_HOME"] = str(data)
    if port_base:
        given["INTERLOCK_PORT_BASE"] = str(port_base)
    return given


def settings_for(data: str | None, port_base: int | None = None) -> Settings:
    """This process's settings with a command's options over them; raises ``Misconfigured``."""
    environ: Mapping[str, str] = {**os.environ, **environment_for(data, port_base)}
    return Settings.from_env(environ)
