"""An example with settings of a test's own behind it, run end to end against a simulator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from sweep_workspace import Result, Workspace

# What a shared machine can't hold, and how much there is time for.
HERE: dict[str, Any] = {
    "sweep": "example",
    "models": ["orket-nano"],
    "execution_lane": "ci",
    "task_limit": 3,
    "probe_runs": 1,
    "canary": {"runs": 0},
}


class ExampleSweep:
    """One example in one workspace.

    Args:
        workspace: Where it runs.
        example: Name of its file, without `.yaml`.
        settings: Behind it.
    """

    def __init__(self, workspace: Workspace, example: str, **settings: Any) -> None:
        self._workspace = workspace
        self._example = f"config/examples/{example}.yaml"
        self.settings = {**HERE, **settings}

    def run(self, **env: str) -> Result:
        """Run the sweep to its end."""
        path = self._workspace.folder / "example.yaml"
        path.write_text(yaml.safe_dump(self.settings), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--configfile", self._example, path.name],
            cwd=self._workspace.folder,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, **env},
            check=False,
        )
        return Result(done.returncode, done.stdout + done.stderr)

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows of the summary."""
        summary = self._workspace.json("results/example/quant_sweep/sweep_summary.json")
        return [row for session in summary["sessions"] for row in session["per_quant"]]

    def reports(self) -> list[dict[str, Any]]:
        """Return the report of every measurement."""
        paths: list[Path] = self._workspace.runs()
        return [
            self._workspace.json(path.relative_to(self._workspace.folder).as_posix())
            for path in paths
        ]


def reasons(row: dict[str, Any]) -> set[str]:
    """Return what pollutes a row."""
    return {seen["reason"] for seen in row["run_quality_reasons"]}
