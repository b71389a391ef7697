"""Entry point without walls: sets limits and runs the untrusted code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from orket_lib.sandbox.inside.calls import answer
from orket_lib.sandbox.inside.values import decode

_BINARY = getattr(os, "O_BINARY", 0)  # keeps Windows from writing \r\n for \n


def main(spec: str) -> None:
    """Read the spec from a file, set limits, and become the program or make the call."""
    job = decode(Path(spec).read_bytes())
    if sys.platform == "linux":
        from orket_lib.sandbox.inside import kernel
        from orket_lib.sandbox.inside.step import set_limits

        kernel.die_with_parent()
        if os.getppid() != job["parent"]:  # it died before the request took effect
            os._exit(1)
        set_limits(job["limits"], job["limits"]["memory_bytes"])
    os.chdir(job["folder"])
    if job["argv"]:
        _become(job["argv"])
    _drop_output()
    sys.path.insert(0, job["folder"])
    sys.argv = [""]
    channel = os.open(job["answer"], os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY)
    answer(job["source"], job["function"], job["call"], channel)


def _drop_output() -> None:
    """Make standard input empty and discard output, as in the sandboxes with walls."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def _become(argv: list[str]) -> None:
    if sys.platform == "win32":  # exec would end this process before the program ends
        sys.exit(subprocess.call(argv))
    os.execvp(argv[0], argv)
