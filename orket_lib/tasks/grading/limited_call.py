"""Looking at text that a model wrote, in a process that may hang or crash without harm.

Matching a regular expression, parsing Python and checking a JSON Schema are safe as far as the
system goes, but there are inputs for which they take for ever or overflow the stack, and a bank's
author need not know them. So they run in a child with a limit of CPU time and of memory; a grader
then says what happened instead of hanging a night's sweep.

Only what such an input can do is held against it. A child that never came so far as to look at it,
that the system killed, or that a busy machine gave no time, says nothing about any answer.
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

SECONDS = 10.0  # of CPU time, for the function alone
WALL_SECONDS = 60.0  # with the start of the child
MEMORY_MIB = 2048
_ROOT = Path(__file__).resolve().parents[3]
# Isolated from the user's environment: it finds modules where this process finds them.
_CHILD = (
    "import json, sys; request = json.loads(sys.stdin.buffer.read()); "
    "sys.path[:] = request['path']; "
    "from orket_lib.tasks.grading.limited_call_child import main; main(request)"
)
# How an overflow of the stack ends a process: by these signals, or on Windows with these statuses.
_OVERFLOWS = {-number for number in (signal.SIGSEGV, signal.SIGABRT)} | {0xC00000FD, 0xC0000005}
if sys.platform != "win32":
    _OVERFLOWS.add(-signal.SIGBUS)


class NoAnswer(Exception):
    """The child came to no result; the message says why, in words for a check's detail."""


def call_bounded(function: Callable[..., Any], **arguments: Any) -> Any:
    """Return what a function of this room returns, called in a process of its own.

    Args:
        function: A function at the top of a module; its module is imported in the child.
        arguments: By name; they and the result travel as JSON.

    Raises:
        NoAnswer: Time or memory ran out, or the function failed or crashed.
        SandboxError: The function was not called, or was not left in peace until its end.
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
