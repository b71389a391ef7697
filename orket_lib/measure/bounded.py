"""Running a foreign command so that it can do no harm: no shell, a time limit, bounded output.

The work is done by `bounded_child`, which ends the command with all its descendants, also when this
process is killed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel

from orket_lib.artifacts.sidecar import CapturedText


class Ended(BaseModel):
    """How a command ended.

    Attributes:
        error: `timeout`, `output_limit`, `command_not_found`, `command_not_executable`, or
            `runner_killed` when somebody killed the process that watches over it; None when it
            ended by itself.
        exit_status: None when it did not end by itself; negative for a signal.
        seconds: From its start to its end, without the ending of what it left behind.
    """

    error: str | None
    exit_status: int | None
    seconds: float | None
    stdout: CapturedText
    stderr: CapturedText
    out_file: CapturedText


_NOTHING = CapturedText(text="", bytes=0)
_KILLED = Ended(
    error="runner_killed",
    exit_status=None,
    seconds=None,
    stdout=_NOTHING,
    stderr=_NOTHING,
    out_file=_NOTHING,
)


def run_bounded(
    argv: Sequence[str],
    env: Mapping[str, str],
    timeout_s: float,
    out_file: Path | None = None,
    inherited: Collection[str] | None = None,
) -> Ended:
    """Run a command to its end, or to ours.

    Args:
        argv: The command and its arguments, as they are.
        env: Added to what it inherits of our own environment.
        timeout_s: After so long the command and everything that it started is killed.
        out_file: A file that the command may write.
        inherited: Names of what it inherits; None is everything.
    """
    own = {name: os.environ[name] for name in inherited or () if name in os.environ}
    settings = {
        "argv": list(argv),
        "env": {**(os.environ if inherited is None else own), **env},
        "timeout_s": timeout_s,
        "out_file": None if out_file is None else str(out_file),
    }
    child = _start()
    assert child.stdin is not None
    assert child.stdout is not None
    # Both ends stay open until it has answered: a closed input tells it that we are gone.
    with child:
        with suppress(OSError):  # it is dead already, which the missing answer shows
            child.stdin.write(json.dumps(settings).encode() + b"\n")
            child.stdin.flush()
        answer = child.stdout.readline()
    return Ended.model_validate_json(answer) if answer else _KILLED


def _start() -> subprocess.Popen[bytes]:
    """Start the child out of reach of Ctrl-C, which reaches us and makes us close its input."""
    command = [sys.executable, "-m", "orket_lib.measure.bounded_child"]
    if sys.platform == "win32":
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
        )
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
