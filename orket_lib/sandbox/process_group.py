"""A process whose limits it sets itself, in a group of its own: Linux without walls."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

from orket_lib.processes.json_child import kill
from orket_lib.sandbox.jobs import Limits

assert sys.platform != "win32"


class Fenced:
    """A running command; its output is for the caller to read."""

    def __init__(
        self, command: list[str], limits: Limits, environment: Mapping[str, str], stdin: IO[bytes]
    ) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )

    def end(self) -> None:
        """Kill the group; who left it gets away, which is why this is no wall."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        kill(self.process)
