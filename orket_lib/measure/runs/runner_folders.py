"""The folders of runners: a fresh one for each run.

`runner/<test_id>/<run_index>/` belongs to the command; we write `<run_index>.task.json`,
`.stdout.txt` and `.stderr.txt` next to it. All of them are kept, and sealed with their part.
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
    """The folder of a run; its path is absolute, because a command may change its directory."""

    work: Path

    @property
    def task_file(self) -> Path:
        """The file with the task."""
        return self._sibling("task.json")

    @property
    def name(self) -> str:
        """The folder as named in artifacts: relative to that of the measurement."""
        return "/".join(self.work.parts[-3:])

    def keep(self, stdout: CapturedText, stderr: CapturedText) -> None:
        """Keep the output of the command."""
        for captured, suffix in ((stdout, "stdout.txt"), (stderr, "stderr.txt")):
            parts = (captured.text,) if captured.end is None else (captured.text, captured.end)
            write_text(self._sibling(suffix), _GAP.join(parts))

    def _sibling(self, suffix: str) -> Path:
        return self.work.with_name(f"{self.work.name}.{suffix}")


def make_folder(runs: Path, task: Task, run_index: int) -> RunFolder:
    """Create an empty folder for a run, and write its task next to it.

    Anything there already is left over from a killed run, or was put there by another run.
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
            tools=task.offered,
        ),
    )
    return folder
