"""The steps of a child process from the fork to the untrusted code.

They close its descriptors, set its limits and reset its signals. Capabilities and forbidden system
calls were dropped by its parent before.
"""

from __future__ import annotations

import os
import resource
import sys

from orket_lib.sandbox.inside import kernel
from orket_lib.sandbox.inside.calls import answer

assert sys.platform == "linux"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_ANSWER = 3  # the descriptor that a call answers on
_STACK_BYTES = 8 * 1024**2
_CANNOT_START = 127


def start_program(spec: dict[str, Any], stdin: int) -> NoReturn:
    """Become the program of a job."""
    try:
        os.dup2(stdin, 0)
        kernel.close_from(3)
        _enter_limits(spec)
        kernel.reset_signals()
        os.execvp(spec["argv"][0], spec["argv"])
    except OSError as error:
        os.write(2, f"{spec['argv'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_CANNOT_START)


def start_call(spec: dict[str, Any], call: bytes, channel: int) -> NoReturn:
    """Make one call of a job, with standard input empty and output discarded."""
    try:
        if channel != _ANSWER:
            os.dup2(channel, _ANSWER)
        null = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        kernel.close_from(_ANSWER + 1)
        _enter_limits(spec)
        sys.path.insert(0, spec["folder"])
        sys.argv = [""]
        answer(spec["source"], spec["function"], call, _ANSWER)
    finally:
        os._exit(_CANNOT_START)


def _enter_limits(spec: dict[str, Any]) -> None:
    os.setsid()
    os.chdir(spec["folder"])
    kernel.show_memory()
    limits = spec["limits"]
    # The supervisor enforces tighter limits over all processes; these hold between its checks. The
    # address space is doubled, because an interpreter with threads reserves more memory than it
    # uses. Of the three extra tasks, two are the launcher and the supervisor, and one lets the
    # supervisor see that the limit was exceeded.
    set_limits(limits, 2 * limits["memory_bytes"], limits["processes"] + 3)


def set_limits(limits: dict[str, Any], address_bytes: int, tasks: int | None = None) -> None:
    """Set the rlimits of this process, soft and hard, so that they can't be raised again.

    Args:
        limits: The limits of the job.
        address_bytes: Limit of the address space.
        tasks: Limit of the user's processes and threads; None sets none, because outside a
            namespace all processes of the user count.
    """
    settings = [
        (resource.RLIMIT_AS, address_bytes),
        (resource.RLIMIT_CPU, int(limits["cpu_s"]) + 2),
        (resource.RLIMIT_CORE, 1),  # 0 would still start a crash handler of the host
        (resource.RLIMIT_FSIZE, limits["disk_bytes"]),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_STACK, _STACK_BYTES),
    ]
    if tasks is not None:
        settings.append((resource.RLIMIT_NPROC, tasks))
    for which, most in settings:
        allowed = resource.getrlimit(which)[1]
        if allowed == resource.RLIM_INFINITY or most < allowed:
            resource.setrlimit(which, (most, most))
