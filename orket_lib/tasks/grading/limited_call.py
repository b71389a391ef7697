"""Calls a function on model output in a child process that may hang or crash.

Matching a regular expression, parsing Python and validating against a JSON Schema can take
practically for ever or overflow the stack for some inputs. So they run in a child with limits of
CPU time and memory, and a grader reports what happened instead of hanging the sweep.

An answer fails only for what its own text caused. If the child didn't start, was killed by the
system, or got no CPU time on a busy machine, the answer is not graded.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orket_lib.tasks.grading.limited_call_child import LOADED
from orket_lib.vocabulary.errors import SandboxError

SECONDS = 10.0  # CPU time of the function
WALL_SECONDS = 60.0  # including the start of the child
MEMORY_MIB = 2048
_ROOT = Path(__file__).resolve().parents[3]
# Isolated (-I) from the user's environment, with the module path of this process.
_CHILD = (
    "import json, sys; request = json.loads(sys.stdin.buffer.read()); "
    "sys.path[:] = request['path']; "
    "from orket_lib.tasks.grading.limited_call_child import main; main(request)"
)
# A stack overflow ends a process with these signals, or on Windows with these statuses.
_OVERFLOWS = {-number for number in (signal.SIGSEGV, signal.SIGABRT)} | {0xC00000FD, 0xC0000005}
if sys.platform != "win32":
    _OVERFLOWS.add(-signal.SIGBUS)


class NoAnswer(Exception):
    """The child has no result; the message says why, for a check's detail."""


def call_limited(function: Callable[..., Any], **arguments: Any) -> Any:
    """Call a function in a child process, and return its result.

    Args:
        function: A module-level function; its module is imported in the child.
        arguments: Keyword arguments; like the result, they are sent as JSON.

    Raises:
        NoAnswer: Time or memory ran out, or the function raised or crashed.
        SandboxError: The function was not called, or was interrupted from outside.
    """
    request = {
        "path": [str(_ROOT), *map(str, sys.path)],
        "module": function.__module__,
        "function": function.__name__,
        "arguments": arguments,
        "seconds": SECONDS,
        "memory_mib": MEMORY_MIB,
    }
    try:
        ended = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        if sys.platform == "win32" and (error.stdout or b"").startswith(LOADED):
            raise NoAnswer(f"no result within {WALL_SECONDS:g} s") from None
        raise SandboxError(
            f"the checking process got too little CPU time within {WALL_SECONDS:g} s"
        ) from None
    except OSError as error:
        raise SandboxError(f"the checking process did not start: {error}") from None
    return _result(ended)


def _result(ended: subprocess.CompletedProcess[bytes]) -> Any:
    loaded, status = ended.stdout.startswith(LOADED), ended.returncode
    if loaded and status == 0:
        said = json.loads(ended.stdout.removeprefix(LOADED))
        if "failed" in said:
            raise NoAnswer(f"the check failed: {said['failed']}")
        return said["result"]
    if loaded and sys.platform != "win32" and status == -signal.SIGPROF:
        raise NoAnswer(f"no result within {SECONDS:g} s of CPU time")
    if loaded and status in _OVERFLOWS:
        raise NoAnswer(f"the checking process crashed with status {status}")
    last = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    raise SandboxError(
        f"the checking process {'was ended' if loaded else 'did not start'}: "
        f"{last[:200] or f'status {status}'}"
    )
