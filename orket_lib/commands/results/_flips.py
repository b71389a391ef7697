"""The flipped tasks of a sweep, from its run reports and its task bank, as far as they are here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from orket_lib.analysis.flips import AskedTask, flips_of_model
from orket_lib.analysis.rows.rounds import as_one
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.request import AskedTasks
from orket_lib.artifacts.printed.flips import ModelFlips
from orket_lib.artifacts.views.run_report import RunReport, TestRun
from orket_lib.artifacts.views.summary import Summary
from orket_lib.commands._reports import report_files, reports_of
from orket_lib.config.shipped import located
from orket_lib.tasks.bank import Task, load_bank, task_key
from orket_lib.tasks.task import right_answer
from orket_lib.vocabulary.errors import ArtifactError


def flips_of(summary: Summary, cells: Path) -> Iterator[ModelFlips]:
    """Yield the flipped tasks of each model; a quant whose run reports are missing is left out.

    Args:
        summary: Of the sweep.
        cells: Its folder of run reports; the sweep's tasks are in `../policy/tasks.json`.

    Raises:
        ArtifactError: A report was made from other measurements than the summary (T22).
    """
    bank = _bank(cells.parent / "policy" / "tasks.json")
    for session in summary.sessions:
        runs: dict[str, tuple[TestRun, ...]] = {}
        asked: dict[str, AskedTask] = {}
        for row in session.per_quant:
            measured = row.adherence_score is not None
            if measured and all(path.is_file() for path in report_files(row, cells)):
                report = as_one(reports_of(row, cells))
                runs[row.quant_tag] = report.test_runs
                asked |= _asked(report, bank)
        yield flips_of_model(session, runs, asked)


def _bank(policy: Path) -> Mapping[int, Task]:
    """Return the tasks of the sweep's bank by number; nothing if it can't be read any more."""
    try:
        bank = located(read_model(policy, AskedTasks).bank)
        return {task.id: task for task in load_bank(bank).tasks}
    except ArtifactError:
        return {}


def _asked(report: RunReport, bank: Mapping[int, Task]) -> dict[str, AskedTask]:
    """Return the tasks that the bank still has in the words in which they were sent."""
    spec = report.spec
    pairs = zip(spec.tasks.ids, spec.tasks.keys, strict=False)
    return {
        task.test_id: AskedTask(task.prompt, right_answer(task))
        for number, key in pairs
        if (task := bank.get(number)) and task_key(task, spec.runner is not None) == key
    }
