"""The other side of `bounded`: calls one function and says what came of it.

On standard output: `LOADED`, as soon as there is nothing left to do but to call the function, and
then a JSON object with the `result`, or with what `failed`. What comes without that first line is
no matter of the function's arguments.
"""

from __future__ import annotations

import json
import signal
import sys
from importlib import import_module
from typing import Any

LOADED = b"loaded\n"
_SHOWN = 200


def main(request: dict[str, Any]) -> None:
    """Call the function of a request and write what came of it."""
    function = getattr(import_module(request["module"]), request["function"])
    _limit(request["seconds"], request["memory_mib"])
    sys.stdout.buffer.write(LOADED)
    sys.stdout.buffer.flush()
    try:
        said = json.dumps({"result": function(**request["arguments"])})
    except (ImportError, OSError):  # a package that is not there, a file that can't be opened
        raise
    except Exception as error:
        said = json.dumps({"failed": f"{type(error).__name__}: {error}"[:_SHOWN]})
    sys.stdout.buffer.write(said.encode())


def _limit(seconds: float, mib: int) -> None:
    """Have the kernel end this process after so much CPU time, and refuse it more memory.

    Where there are no such limits, the parent's time limit is the only one.
    """
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mib * 1024**2
    resource.setrlimit(
        resource.RLIMIT_AS,
        (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard),
    )
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
