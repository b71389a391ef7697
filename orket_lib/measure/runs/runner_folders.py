"""Where runners work: one fresh folder for each run, with its task and its output beside it.

`runner/<test_id>/<run_index>/` is the command's own; `<run_index>.task.json`, `.stdout.txt` and
`.stderr.txt` beside it are ours. All of it is kept, and sealed with the part that it belongs to.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.io import write_model, write_text
from orket_lib.artifacts.measurements.runner import RunnerTask
from orket_lib.artifacts.measurements.sidecar import CapturedText
from orket_lib.tasks.bank import Task

RUNS = "runner"
_GAP = "\n[...]\n"


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run; all paths are absolute, so that a command may change its own."""

    work: Path

    @property
    def task_file(self) -> Path:
        """Where the task stands."""
        return self._beside("task.json")

    @property
    def name(self) -> str:
        """The folder as artifacts name it: below that of the measurement."""
        return "/".join(self.work.parts[-3:])

    def keep(self, stdout: CapturedText, stderr: CapturedText) -> None:
        """Write down what the command wrote."""
        for captured, suffix in ((stdout, "stdout.txt"), (stderr, "stderr.txt")):
            parts = (captured.text,) if captured.end is None else (captured.text, captured.end)
            write_text(self._beside(suffix), _GAP.join(parts))

    def _beside(self, suffix: str) -> Path:
        return self.work.with_name(f"{self.work.name}.{suffix}")


def make_folder(runs: Path, task: Task, run_index: int) -> RunFolder:
    """Return an empty folder for one run, with its task beside it.

    What lies there already is left over from a run that was killed, or put there by another run.
    """
    folder = RunFolder(runs.resolve() / task.test_id / str(run_index))
    if folder.work.is_dir() and not folder.work.is_symlink():
        shutil.rmtree(folder.work)
    else:
        folder.work.unlink(missing_ok=True)
    folder.work.mkdir(parents=True)
    write_model(
        folder.task_file,
        RunnerTask(
            id=task.id,
            test_id=task.test_id,
            category=task.family,
            tier=task.tier,
            prompt=task.prompt,
        ),
    )
    return folder
