"""What everyday actions measure: a walk over three sweeps, with the number of measurements of each.

    python tests/workflow/dag_walk.py [--executor cluster-generic]

Every step is one command that a user types. What it measured is counted in the store: the folders
that sealed measurements are in. A step that measures, or ends, otherwise than it should is marked,
and the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
SWEEP: dict[str, Any] = {
    "models": ["orket-nano"],
    "artifact_template": "models/{model}/{model}-{quant}.gguf",
    "task_bank": "config/task_banks/reference.json",
    "task_limit": 2,
    "probe_runs": 1,
    "n_ctx": 1024,
    "max_output_tokens": 32,
    "seed": 7,
    "threads": 1,
    "execution_lane": "ci",
    "row_max_orchestration_overhead_ratio": 1.0,
}
CLUSTER = [
    *("--executor", "cluster-generic", "--cluster-generic-submit-cmd", "bash"),
    *("--jobs", "1", "--seconds-between-status-checks", "1"),
]


class Walk:
    """A folder in which sweeps are run, and what went otherwise than it should."""

    def __init__(self, folder: Path, options: list[str]) -> None:
        self.folder = folder
        self.options = options
        self.wrong = 0
        for name in ("Snakefile", "rules", "profiles", "config", "models"):
            (folder / name).symlink_to(ROOT / name)

    def sweep(self, name: str, quants: list[str], overhead: float, limit: float) -> None:
        """Write the config of a sweep."""
        canary = {"runs": 3, "latency_variance_threshold": limit}
        content = SWEEP | {"quants": quants, "canary": canary}
        content |= {"row_max_orchestration_overhead_ratio": overhead}
        (self.folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")

    def say(self, text: str) -> None:
        """Print what is done next."""
        print(text, flush=True)

    def run(self, *arguments: str, measured: int, code: int = 0, nothing: bool = False) -> None:
        """Run Snakemake, and hold what it did against what it should do."""
        before = self._sealed()
        command = [sys.executable, "-m", "snakemake", *arguments, *self.options]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=600, check=False
        )
        text = done.stdout + done.stderr
        new = len(self._sealed() - before)
        idle = "Nothing to be done" in text
        right = (new, done.returncode, idle or not nothing) == (measured, code, True)
        self.wrong += not right
        print(
            f"   {' '.join(arguments):<62} exit {done.returncode}, measured {new}"
            f"{', nothing to be done' if idle else ''}{'' if right else '   <-- WRONG'}",
            flush=True,
        )
        if not right or "Traceback" in text:
            print(text[-4000:], flush=True)

    def _sealed(self) -> set[Path]:
        store = self.folder / "storage"
        cells = store.glob("runs/*/*/*/parts/*/index.json")
        canaries = store.glob("canary/*/*/canary.json")
        return {path.parent for path in (*cells, *canaries)}

    @contextlib.contextmanager
    def killer(self) -> Iterator[None]:
        """Kill each server that is started below this process, as an out-of-memory killer would."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.02):
                for process in psutil.Process().children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        if "orket_lib.providers.llama_cpp.embedded_child" in process.cmdline():
                            process.kill()

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def walk(it: Walk) -> None:
    """Walk; each number is what the step is to measure."""
    a, b, c = (("--configfile", f"{name}.json") for name in "abc")
    it.sweep("a", ["Q8_0", "Q4_K_M"], 0.9, 100)
    it.sweep("b", ["Q8_0", "Q4_K_M"], 0.9, 100)
    it.say("fresh, and again")
    it.run(*a, measured=3)
    it.run(*a, measured=0, nothing=True)
    it.say("views deleted")
    shutil.rmtree(it.folder / "results" / "a")
    it.run(*a, measured=0)
    it.run(*a, measured=0, nothing=True)
    it.say("another sweep with the same cells")
    it.run(*b, measured=0)
    for other in (b, a, b):
        it.run(*other, measured=0, nothing=True)
    it.say("a policy edited")
    it.sweep("a", ["Q8_0", "Q4_K_M"], 0.95, 100)
    it.run(*a, measured=0)
    it.say("measured again, with a job due above it")
    it.sweep("a", ["Q8_0", "Q4_K_M"], 0.95, 90)
    it.run(*a, "-R", "measure_cell", measured=2)
    it.run(*a, measured=0, nothing=True)
    it.run(*b, measured=0, nothing=True)
    it.say("one cell again, by its file")
    it.run("results/a/cells/orket-nano/Q4_K_M/receipt.json", *a, "-f", measured=1)
    it.run(*a, measured=0)
    it.say("b's canary fails; a; b by mtime")
    it.sweep("b", ["Q8_0", "Q4_K_M", "Q3_K_M"], 0.9, 0)
    it.run(*b, measured=0, code=1)
    it.run(*a, measured=0, nothing=True)
    it.run(*b, "--rerun-triggers", "mtime", measured=0, code=1)
    it.run(*a, measured=0, nothing=True)
    it.say("b repaired")
    it.sweep("b", ["Q8_0", "Q4_K_M", "Q3_K_M"], 0.9, 80)
    it.run(*b, measured=1)
    it.run(*b, measured=0, nothing=True)
    it.say(".snakemake lost")
    shutil.rmtree(it.folder / ".snakemake")
    it.run(*a, measured=0, nothing=True)
    it.run(*b, measured=0, nothing=True)
    it.say("all outputs deleted")
    it.run(*a, "--delete-all-output", measured=0)
    it.run(*a, measured=0)
    it.say("preflight's file lost")
    (it.folder / "results" / "a" / "preflight.json").unlink()
    it.run(*a, measured=0)
    it.say("a new checkout, storage/ copied")
    shutil.rmtree(it.folder / "results")
    shutil.rmtree(it.folder / ".snakemake")
    it.run(*a, measured=0)
    it.say("a server killed; killed again; not killed")
    it.sweep("c", ["Q8_0", "Q5_K_M"], 0.9, 100)
    with it.killer():
        it.run(*c, measured=0, code=1)
        it.run(*c, measured=0, code=1)
    it.run(*c, measured=1)
    it.run(*c, measured=0, nothing=True)


def main() -> int:
    """Walk as the command line says; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--executor", choices=["local", "cluster-generic"], default="local")
    executor = parser.parse_args().executor
    with tempfile.TemporaryDirectory() as folder:
        it = Walk(Path(folder), CLUSTER if executor == "cluster-generic" else [])
        walk(it)
    print(f"{executor}: {it.wrong} steps went wrong")
    return int(bool(it.wrong))


if __name__ == "__main__":
    sys.exit(main())
