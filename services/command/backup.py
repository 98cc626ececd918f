"""``interlock backup`` and ``interlock restore``: the embedded system's whole state in one file."""

import tarfile
from pathlib import Path
from typing import Annotated

import typer

from services.command.console import Data, Failed, out
from services.command.environment import settings_for
from services.command.supervise import alone
from shared.errors import Misconfigured
from shared.settings import Settings

LEFT_OUT = frozenset({"logs", "supervisor.lock", "simulated"})
"""What in the data directory is no state."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="Such as interlock.tar.gz.", dir_okay=False)]


def backup(file: File, data: Data = None) -> None:
    """Write log, databases and keys to one file; Interlock must be stopped meanwhile.

    \b
    Example:
      interlock backup /srv/backups/interlock-$(date +%F).tar.gz
    """
    settings = _embedded(settings_for(data))
    if not settings.home.is_dir():
        raise Failed(f"{settings.home} does not exist: there is nothing to back up")
    if file.exists():
        raise Failed(f"{file} exists already")
    draft = file.with_name(file.name + ".part")
    with alone(settings.home), tarfile.open(draft, "w:gz", compresslevel=3) as archive:
        for each in sorted(settings.home.iterdir()):
            if each.name not in LEFT_OUT:
                archive.add(each, each.name)
    draft.chmod(0o600)
    draft.replace(file)
    out().print(
        f"{file}: {file.stat().st_size / 1e6:,.1f} MB. It holds the keys: keep it safe.", markup=False
    )


def restore(file: File, data: Data = None) -> None:
    """Bring back what a backup holds, into a data directory that is empty or does not exist.

    \b
    Example:
      interlock restore /srv/backups/interlock-2026-03-01.tar.gz
    """
    settings = _embedded(settings_for(data))
    if not file.exists():
        raise Failed(f"{file} does not exist")
    if settings.home.exists() and {p.name for p in settings.home.iterdir()} - LEFT_OUT:
        raise Failed(f"{settings.home} is not empty: move it aside, or name another --data")
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with alone(settings.home), tarfile.open(file) as archive:
            archive.extractall(settings.home, filter="data")
    except tarfile.TarError as error:
        raise Failed(f"{file} is no backup of Interlock: {error}") from error
    out().print(f"Restored to {settings.home}. Start it with interlock up.", markup=False)


def _embedded(settings: Settings) -> Settings:
    for variable, url in (
        ("INTERLOCK_LOG", settings.log_url),
        ("INTERLOCK_FUSION_DATABASE", settings.fusion_database),
        ("INTERLOCK_LEADS_DATABASE", settings.leads_database),
        ("INTERLOCK_DECONFLICTION_DATABASE", settings.deconfliction_database),
        ("INTERLOCK_DECONFLICTION_DATABASE", settings.deconfliction_database),
    ):
        if not url.startswith("sqlite:"):
            raise Misconfigured(
                f"{variable} names a server: back it up with its own tools (docs/operations.md, Backup)"
            )
    return settings
