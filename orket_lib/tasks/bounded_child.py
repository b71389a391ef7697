"""The other side of `bounded`: one request on standard input, its result on standard output."""

from __future__ import annotations

import json
import sys
from importlib import import_module


def main() -> None:
    """Call one function and print its result as JSON."""
    request = json.loads(sys.stdin.buffer.read())
    _limit_memory(request["memory_mib"])
    function = getattr(import_module(request["module"]), request["function"])
    sys.stdout.write(json.dumps(function(**request["arguments"])))


def _limit_memory(mib: int) -> None:
    """Have the kernel refuse more memory; where there is no such limit, time is the only one."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mib * 1024**2
    resource.setrlimit(
        resource.RLIMIT_AS,
        (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard),
    )
