"""Runs one service so that it cannot outlive its supervisor.

``python -m services.command.child FD PARENT MODULE [ARGUMENT…]``: FD is the reading end of a pipe whose
other end only the supervisor, process PARENT, holds. On Linux the kernel kills this process when the
supervisor dies; everywhere else the pipe's end tells, and the process asks itself to stop, then leaves.
"""

import ctypes
import os
import runpy
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 5.0


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process as soon as its parent dies; Linux only, elsewhere nothing."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def watch(pipe: int) -> None:
    """Wait for the pipe's end, which is the supervisor's; then stop this process, first kindly."""
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def main(arguments: list[str]) -> None:
    """Guard this process, then become the service."""
    pipe, parent, module, rest = int(arguments[0]), int(arguments[1]), arguments[2], arguments[3:]
    die_with_parent(parent)
    threading.Thread(target=watch, args=(pipe,), name="supervisor-watch", daemon=True).start()
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
