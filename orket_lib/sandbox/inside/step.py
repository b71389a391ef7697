"""The last moments of a process that is ours: from the fork to the stranger's code.

Everything that it could hold on to is put down here: descriptors, limits, signals. What it may not
keep at all (capabilities, forbidden calls) was taken from its parent before.
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
        _settle(spec)
        kernel.reset_signals()
        os.execvp(spec["argv"][0], spec["argv"])
    except OSError as error:
        os.write(2, f"{spec['argv'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_CANNOT_START)


def start_call(spec: dict[str, Any], call: bytes, channel: int) -> NoReturn:
    """Make one call of a job; it reads nothing, and what it prints is dropped."""
    try:
        if channel != _ANSWER:
            os.dup2(channel, _ANSWER)
        null = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        kernel.close_from(_ANSWER + 1)
        _settle(spec)
        sys.path.insert(0, spec["folder"])
        sys.argv = [""]
        answer(spec["source"], spec["function"], call, _ANSWER)
    finally:
        os._exit(_CANNOT_START)


def _settle(spec: dict[str, Any]) -> None:
    os.setsid()
    os.chdir(spec["folder"])
    kernel.show_memory()
    limits = spec["limits"]
    # The supervisor keeps tighter limits over all processes; these hold between two of its looks.
    # An interpreter with threads reserves much more memory than it uses. Two processes may be the
    # launcher and the supervisor, and one more lets that see that the limit was passed.
    set_limits(limits, 2 * limits["memory_bytes"], limits["processes"] + 3)


def set_limits(limits: dict[str, Any], address_bytes: int, tasks: int | None = None) -> None:
    """Set the limits that the kernel keeps for a process, so that they can't be raised again.

    Args:
        limits: The limits of the job.
        address_bytes: How much address space the process may have.
        tasks: How many processes and threads its user may have; None sets no limit, since outside a
            namespace all of the user's count.
    """
    settings = [
        (resource.RLIMIT_AS, address_bytes),
        (resource.RLIMIT_CPU, int(limits["cpu_s"]) + 2),
        (resource.RLIMIT_CORE, 1),  # at 0, a crash handler of the host would still be started
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
