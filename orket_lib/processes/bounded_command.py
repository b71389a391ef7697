"""Running a command of the config within bounds: no shell, a time limit, limited output.

The work is done by `bounded_command_child`, which ends the command with all its descendants, also
when this process is killed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from orket_lib.artifacts.measurements.sidecar import CapturedText
from orket_lib.processes.json_child import json_child

# What the child that watches a command takes in addition: its own start, and ending what the
# command left behind. A child that is silent for longer was stopped, or hangs in the kernel.
_OVERHEAD_S = 60.0
_END_S = 15.0


class Ended(BaseModel):
    """How a command ended.

    Attributes:
        error: `timeout`, `output_limit`, `command_not_found`, `command_not_executable`, or
            `runner_killed` when the process that watches it was killed or stopped; None when it
            ended by itself.
        exit_status: None when it did not end by itself; negative for a signal.
        seconds: From its start to its end, not counting the cleanup of its descendants.
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
    """Run a command until it ends, or this process does.

    Args:
        argv: The command and its arguments, as they are.
        env: Added to the inherited environment.
        timeout_s: After this time the command and everything that it started is killed.
        out_file: A file that the command may write.
        inherited: Names of the inherited variables; None means all of them.
    """
    own = {name: os.environ[name] for name in inherited or () if name in os.environ}
    settings = {
        "argv": list(argv),
        "env": {**(os.environ if inherited is None else own), **env},
        "timeout_s": timeout_s,
        "out_file": None if out_file is None else str(out_file),
    }
    module = "orket_lib.processes.bounded_command_child"
    with json_child(module, settings, _END_S) as child:
        try:
            answer = child.answer(timeout_s + _OVERHEAD_S)
        except TimeoutError:
            answer = None
    return Ended.model_validate(answer) if answer else _KILLED
