"""What planning costs as cells get more: it grows with their number, and not with its square.

    python tests/workflow/scaling.py            all, some minutes
    python tests/workflow/scaling.py --small    without the sweep of 10,000 cells
    python tests/workflow/scaling.py --cluster  only 50 models x 20 quants, planned for 3 machines

CPU seconds of `snakemake -n`, `orket status` and `orket plan` are held against those of 100 cells,
so that neither a slow machine nor what else it does decides. Peak memory is printed beside.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from large_sweeps import large_sweep, machines, pretend_measured
from sweep_workspace import Workspace

SNAKEMAKE = [sys.executable, "-m", "snakemake", "-n", "--configfile", "large.yaml"]
ORKET = [sys.executable, "-m", "orket_lib"]
COMMANDS = {
    "snakemake -n": SNAKEMAKE,
    "orket status": [*ORKET, "status", "large.yaml"],
    "orket plan": [*ORKET, "plan", "large.yaml"],
}
# How many times the cost of another sweep a sweep may cost: (command, cells, held against): times.
# The start of Snakemake weighs more than 100 cells, so ten times the cells are far from ten times.
LIMITS = {
    ("snakemake -n", 1000, 100): 4.5,
    ("snakemake -n", 10_000, 1000): 12.0,
    ("orket status", 1000, 100): 3.5,
    ("orket status", 10_000, 1000): 12.0,
    ("orket plan", 1000, 100): 4.0,
    ("orket plan", 10_000, 1000): 12.0,
}


_MODELS, _QUANTS, _MACHINES = 50, 20, 3


class Cost(NamedTuple):
    """Of one command, with all that it starts."""

    cpu_s: float
    wall_s: float
    peak_mib: float


def cost(command: list[str], workspace: Workspace) -> Cost:
    """Return what a command takes to its end; it must succeed."""
    began = time.monotonic()
    with Path(os.devnull).open("w") as nowhere:
        process = subprocess.Popen(command, cwd=workspace.folder, stdout=nowhere, stderr=nowhere)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} in {workspace.folder}: wait status {status}")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024)


def measured(folder: Path, sizes: list[int], finished: bool) -> dict[tuple[str, int], Cost]:
    """Return what each command costs, by (command, cells), printing as it goes."""
    costs = {}
    for cells in sizes:
        workspace = large_sweep(folder / f"{cells}-{finished}", cells)
        if finished:
            pretend_measured(workspace)
        for name, command in COMMANDS.items():
            found = costs[name, cells] = cost(command, workspace)
            print(
                f"{name:<13} {cells:>6} cells {'measured' if finished else 'due':<8} "
                f"{found.cpu_s:6.1f} s CPU {found.wall_s:6.1f} s {found.peak_mib:6.0f} MiB",
                flush=True,
            )
    return costs


def over(costs: dict[tuple[str, int], Cost]) -> list[str]:
    """Return a line for each command that costs more than it may; prints every ratio."""
    lines = []
    for (name, cells, base), limit in LIMITS.items():
        if (name, cells) in costs:
            ratio = costs[name, cells].cpu_s / costs[name, base].cpu_s
            line = f"{name}: {cells} cells cost {ratio:.1f} x {base} cells, at most {limit:g}"
            print(f"  {line}")
            lines += [line] if ratio > limit else []
    return lines


def for_machines(folder: Path) -> list[str]:
    """Plan a large matrix for several machines; return a line for each plan that is not right."""
    wrong = []
    for number, machine in enumerate(machines(_MACHINES)):
        workspace = large_sweep(folder / f"machine-{number}", _MODELS * _QUANTS, _QUANTS, machine)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        jobs = workspace.planned()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        cells = {name: jobs[name] for name in ("measure_cell", "make_row", "write_spec")}
        canaries = jobs["measure_canary"]
        print(
            f"{machine}: {sum(jobs.values())} jobs planned in {took:.1f} s CPU: {cells}", flush=True
        )
        if set(cells.values()) != {_MODELS * _QUANTS} or canaries != 1:
            wrong.append(f"{machine}: {cells}, {canaries} canaries")
    return wrong


def main() -> int:
    """Measure, and return 1 where something costs more than it may."""
    if "--cluster" in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as name:
            lines = for_machines(Path(name))
        print("\n".join(lines) or f"{_MODELS * _QUANTS * _MACHINES} cells, as they should be")
        return int(bool(lines))
    sizes = [100, 1000] if "--small" in sys.argv[1:] else [100, 1000, 10_000]
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for finished in (False, True):
            costs = measured(Path(folder), sizes if not finished else sizes[:2], finished)
            wrong += over(costs)
    print("\n".join(f"too much: {line}" for line in wrong) or "cost grows with the number of cells")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
