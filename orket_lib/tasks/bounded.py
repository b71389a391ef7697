"""Looking at text that a model wrote, in a process that may hang or crash without harm.

Matching a regular expression, parsing Python and checking a JSON Schema are safe as far as the
system goes, but there are inputs for which they take for ever or overflow the stack, and a bank's
author need not know them. So they run in a child with a time and a memory limit; a grader then says
what happened instead of hanging a night's sweep.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 10.0  # of wall time, with the start of the child
MEMORY_MIB = 2048
_ROOT = Path(__file__).resolve().parents[2]
# Isolated from the user's environment; ours is the only folder that is added to the path.
_CHILD = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from orket_lib.tasks.bounded_child import main; main()"
)


class NoAnswer(Exception):
    """The child came to no result; the message says why, in words for a check's detail."""


def call_bounded(function: Callable[..., Any], **arguments: Any) -> Any:
    """Return what a function of this room returns, called in a process of its own.

    Args:
        function: A function at the top of a module; its module is imported in the child.
        arguments: By name; they and the result travel as JSON.

    Raises:
        NoAnswer: Time or memory ran out, or the child crashed.
    """
    request = {
        "module": function.__module__,
        "function": function.__name__,
        "arguments": arguments,
        "memory_mib": MEMORY_MIB,
    }
    try:
        ended = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD, str(_ROOT)],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"no result within {SECONDS:g} s") from None
    if ended.returncode:
        last = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise NoAnswer(f"the checking process ended with status {ended.returncode}: {last[:200]}")
    return json.loads(ended.stdout)
