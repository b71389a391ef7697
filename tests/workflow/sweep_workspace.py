"""A folder with the real Snakefile, models and banks, in which Snakemake can be run."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.load import load_sweep

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {
    "sweep": "small",
    "models": ["orket-nano"],
    "quants": ["F16", "Q2_K"],
    "artifact_template": "models/{model}/{model}-{quant}.gguf",
    "task_bank": "config/task_banks/reference.json",
    "task_limit": 14,
    "runs_per_quant": 2,
    "probe_runs": 3,
    "n_ctx": 2048,
    "max_output_tokens": 96,
    "seed": 7,
    "threads": 1,
    "execution_lane": "ci",
    # Wide open: these tests are about files, on machines that do other things beside.
    "canary": {"runs": 3, "latency_variance_threshold": 100},
    "row_max_orchestration_overhead_ratio": 1.0,
}


class Workspace:
    """A folder in which `snakemake` is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = dict(SMALL)
        for name in ("Snakefile", "rules", "profiles", "config", "models"):
            (folder / name).symlink_to(ROOT / name)

    def command(self, *arguments: str) -> list[str]:
        """Return a command line; targets come first, Snakemake's options swallow them."""
        name = f"{self.config['sweep']}.yaml"
        (self.folder / name).write_text(yaml.safe_dump(self.config), encoding="utf-8")
        return [sys.executable, "-m", "snakemake", *arguments, "--configfile", name]

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Result:
        """Run Snakemake to its end."""
        return self._ended(self.command(*arguments), env)

    def orket(self, name: str, *arguments: str) -> Result:
        """Run one of our commands on the config, which is written by `run`."""
        config = f"{self.config['sweep']}.yaml"
        return self._ended([sys.executable, "-m", "orket_lib", name, config, *arguments], None)

    def _ended(self, command: list[str], env: dict[str, str] | None) -> Result:
        done = subprocess.run(
            command,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=1800,
            env={**os.environ, **(env or {})},
            check=False,
        )
        return Result(done.returncode, done.stdout + done.stderr)

    def planned(self, *arguments: str) -> dict[str, int]:
        """Return the jobs that a dry run plans, by rule."""
        result = self.run("-n", *arguments)
        assert result.code == 0, result.text
        return jobs(result.text)

    def resolved(self) -> Sweep:
        """Return the sweep that the config means, resolved here and not by Snakemake."""
        with contextlib.chdir(self.folder):
            return load_sweep([f"{self.config['sweep']}.yaml"], {}, remember=False)

    def json(self, path: str) -> Any:
        """Return the content of a JSON file of the workspace."""
        return json.loads((self.folder / path).read_text(encoding="utf-8"))

    def runs(self) -> list[Path]:
        """Return the run reports of all cells of all sweeps."""
        return sorted(self.folder.glob("results/*/cells/*/*/run.json"))

    def sealed(self) -> set[Path]:
        """Return the folders of what was measured of cells, each time."""
        return {path.parent for path in self.folder.glob("storage/runs/*/*/*/parts/*/index.json")}


class Result:
    """How a call ended."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text


def jobs(text: str) -> dict[str, int]:
    """Return the table "Job stats" of a dry run, without total and target rule."""
    table: dict[str, int] = {}
    if "Job stats:" in text:
        for line in text.split("Job stats:")[1].split("\n\n")[0].splitlines()[3:]:
            name, count = line.split()
            table[name] = int(count)
    return {name: count for name, count in table.items() if name not in ("all", "total")}
