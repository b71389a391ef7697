"""Where the code of answers is run, if a measurement's tasks need that at all."""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.tasks.bank import Task
from orket_lib.tasks.grading.graders import NotRun
from orket_lib.tasks.task import needs_sandbox


def sandbox_for(tasks: Sequence[Task], allowed: Sequence[str]) -> Sandbox | None:
    """Return the sandbox that tasks are judged in; None when no code has to be run.

    Args:
        tasks: What is asked.
        allowed: Kinds of sandboxes, the first that works is taken.

    Raises:
        NotRun: Code has to be run, and there is no sandbox for it.
    """
    code = [task for task in tasks if needs_sandbox(task)]
    if not code:
        return None
    found = find_sandbox(allowed)
    if isinstance(found, Unavailable):
        raise NotRun(
            f"{len(code)} of {len(tasks)} tasks are not_run, {code[0].test_id} the first of them: "
            f"their code has to be run, and there is no sandbox ({found.reason})"
        )
    return found
