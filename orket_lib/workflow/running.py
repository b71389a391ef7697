"""Begins the progress file of a sweep: which jobs are due, and how long they will take."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orket_lib.artifacts.progress import PROGRESS, Start, announce
from orket_lib.processes.process_end import started_at
from orket_lib.sweep.cells import Sweep
from orket_lib.workflow.estimate import estimates
from orket_lib.workflow.invocation import Invocation
from orket_lib.workflow.targets import Targets


def begin_progress(
    workflow: Any,
    invocation: Invocation,
    sweep: Sweep,
    targets: Targets,
    again: str,
    say: Callable[[str], None],
) -> None:
    """Write the first line, and announce the file to all jobs.

    Without a file, jobs print their progress themselves.

    Args:
        workflow: Snakemake's `workflow`, when it has made its plan.
        invocation: Of the workflow.
        sweep: The sweep.
        targets: Its files.
        again: What is measured again of every cell; see `estimates`.
        say: Prints a message.
    """
    try:
        jobs = estimates(sweep, targets, again).jobs
    except Exception as error:  # a bar is not worth a sweep
        say(f"no progress is shown, because the time can't be estimated: {error!r}")
        return
    expected = {invocation.path(path): due for path, due in jobs.items()}
    measuring, others = {}, 0
    for job in workflow.dag.needrun_jobs():
        outputs = [str(path) for path in job.output]
        due = next((expected[path] for path in outputs if path in expected), None)
        if due:
            measuring[outputs[0]] = due
        else:
            others += job.is_shell
    start = Start(
        sweep=sweep.config.sweep,
        pid=os.getpid(),
        started_s=started_at(os.getpid()),
        at_s=time.time(),
        measuring=measuring,
        others=others,
        at_most=bool(sweep.cells[0].batches),
    )
    announce(Path(invocation.path(f"logs/{sweep.config.sweep}"), PROGRESS), start)
