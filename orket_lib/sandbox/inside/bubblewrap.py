"""Entry point under bubblewrap, which has made the namespaces: starts the supervisor."""

# ruff: noqa: PTH123
# pathlib takes 10 ms to import, a third of what a sandbox may cost.

from __future__ import annotations

import os
import sys

from orket_lib.sandbox.inside import supervisor
from orket_lib.sandbox.inside.values import decode

assert sys.platform == "linux"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main(spec: str, status: str) -> NoReturn:
    """Read the spec from a descriptor and run its job."""
    with open(int(spec), "rb") as stream:
        job = decode(stream.read())
    os.umask(0o022)
    os.environ.pop("PWD", None)  # the only variable that bubblewrap adds
    supervisor.serve(job, int(status))
