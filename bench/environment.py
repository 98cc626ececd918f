"""What figures were measured on: the machine, how busy it was before, and the versions of what took part."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

_LOAD: Final = os.getloadavg()[0]


def machine() -> dict[str, Any]:
    """Processor, cores, system, Python, and the load of the minute before this program started."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {
        "cpu": next(models, platform.processor() or platform.machine()),
        "cpus": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": _LOAD,
    }


def peak_mb(process: int | str = "self") -> int:
    """The most memory that a process has held so far, as Linux counts it."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def versions(*packages: str) -> dict[str, str]:
    """The versions of these installed packages."""
    return {name: version(name) for name in packages}
