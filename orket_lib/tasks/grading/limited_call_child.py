"""The child process of `limited_call`: calls one function and prints its result.

Standard output is `LOADED`, written right before the call, and then a JSON object with the `result`
or with what `failed`. A failure before `LOADED` was not caused by the function's arguments.
"""

from __future__ import annotations

import json
import signal
import sys
from importlib import import_module
from typing import Any

from orket_lib.vocabulary.units import MIB

LOADED = b"loaded\n"
_SHOWN = 200


def main(request: dict[str, Any]) -> None:
    """Call the function of a request and print the result."""
    function = getattr(import_module(request["module"]), request["function"])
    _limit(request["seconds"], request["memory_mib"])
    sys.stdout.buffer.write(LOADED)
    sys.stdout.buffer.flush()
    try:
        said = json.dumps({"result": function(**request["arguments"])})
    except (ImportError, OSError):  # not the input's fault: a missing package, an unreadable file
        raise
    except Exception as error:
        said = json.dumps({"failed": f"{type(error).__name__}: {error}"[:_SHOWN]})
    sys.stdout.buffer.write(said.encode())


def _limit(seconds: float, mib: int) -> None:
    """Limit the CPU time and the memory of this process.

    On Windows, which has no such limits, the parent's time limit is the only one.
    """
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mib * MIB
    resource.setrlimit(
        resource.RLIMIT_AS,
        (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard),
    )
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
