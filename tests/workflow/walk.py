"""A random walk over a sweep: edits, failures, lost metadata; after each step the truth is checked.

    python tests/workflow/walk.py --steps 200 --seed 1

One invocation of Snakemake per step. Whenever it ends with 0, every view must be what config and
measurements in storage come to, computed here from scratch, and a second invocation must have
nothing to do. Whatever was sealed once must stay on the disk, byte for byte, and nothing that is
there is measured again but on request.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from sweep_workspace import Result, Workspace

FAULTS = Path(__file__).parent / "faults"
QUANTS = ["F16", "Q8_0", "Q4_K_M", "Q2_K"]
REPAIR = (
    *("-R", "write_plan", "write_policy", "write_spec", "write_canary_spec"),
    "write_sidecar_spec",
)


class Walk:
    """The workspace, what was done to it, and what must hold."""

    def __init__(self, workspace: Workspace, seed: int) -> None:
        self.workspace = workspace
        self.dice = random.Random(seed)
        self.policy = workspace.folder / "kpi_policy.json"
        self.policy.write_text("{}", encoding="utf-8")
        workspace.config |= {
            "quants": ["F16", "Q2_K"],
            "task_limit": 3,
            "probe_runs": 1,
            "kpi_policy": "kpi_policy.json",
        }
        self.attempts: set[str] = set()
        self.measured: set[tuple[Any, ...]] = set()
        self.history = [json.dumps(workspace.config)]
        self.fault = ""
        self.arguments: tuple[str, ...] = ()

    def step(self) -> list[str]:
        """Edit, run once, and return what is wrong then."""
        self.fault, self.arguments = "", ()
        edits = self.dice.sample(list(EDITS), k=self.dice.randint(1, 3))
        for name in edits:
            EDITS[name](self)
        result = self.invoke(*self.arguments)
        if "is lost" in result.text:
            result = self.invoke(*REPAIR)
        problems = self.check(result)
        self.history.append(json.dumps(self.workspace.config))
        print(f"{' '.join(edits):<48} rc {result.code}", "; ".join(problems) or "ok", flush=True)
        return problems

    def invoke(self, *arguments: str) -> Result:
        """Run Snakemake with the step's fault."""
        path = os.pathsep.join([str(FAULTS), os.environ.get("PYTHONPATH", "")])
        env = {"WALK_FAIL": self.fault, "PYTHONPATH": path} if self.fault else None
        return self.workspace.run(*arguments, env=env)

    def check(self, result: Result) -> list[str]:
        """Return what does not hold."""
        problems = []
        if "Traceback" in result.text:
            problems.append("a traceback: " + result.text[-2000:])
        now = {path.as_posix() for path in self.workspace.sealed()}
        asked_again = "measure_cell" in self.arguments
        for path in now - self.attempts:
            items = json.loads((Path(path) / "index.json").read_text(encoding="utf-8"))["parts"]
            cell = Path(path).parents[1].as_posix()
            again = {(cell, part["kind"], *item) for part in items for item in part["items"]}
            if self.measured & again and not asked_again:
                problems.append(f"measured again for no reason: {path}")
            self.measured |= again
        if self.attempts - now:
            problems.append(f"measurements lost: {sorted(self.attempts - now)}")
        self.attempts |= now
        expected_failure = bool(self.fault) or self.canary_fails() or self.gate_fails()
        if result.code == 0:
            problems += self.stale_views()
            again = self.workspace.run("-n").text
            if "Nothing to be done" not in again:
                problems.append("a second invocation still has work: " + again[-1500:])
            if self.canary_fails() or self.gate_fails():
                problems.append("a verdict failed and the exit status is 0")
        elif not expected_failure:
            problems.append("failed for no reason: " + result.text[-2000:])
        return problems

    def canary_fails(self) -> bool:
        """Tell whether no canary can pass under the config."""
        return self.workspace.config["canary"]["latency_variance_threshold"] == 0

    def gate_fails(self) -> bool:
        """Tell whether the verdict of the KPI gate, which `stale_views` checks, is FAIL."""
        gates = self.workspace.folder.glob("results/small/quant_sweep/kpi_gate.json")
        return any(
            json.loads(path.read_text(encoding="utf-8"))["verdict"] == "FAIL" for path in gates
        )

    def stale_views(self) -> list[str]:
        """Hold every view against one that is computed here, from config and storage."""
        from orket_lib.analysis.frontier import FrontierPolicy
        from orket_lib.analysis.kpi_gate import gate_failures
        from orket_lib.analysis.rows import build_row
        from orket_lib.analysis.summaries import summarize
        from orket_lib.artifacts.io import read_model
        from orket_lib.artifacts.kpi_gate import KpiGate, KpiPolicy
        from orket_lib.artifacts.row import Row
        from orket_lib.artifacts.run_report import RunReport
        from orket_lib.artifacts.summary import Summary
        from orket_lib.stores.explorers import FRONTIERS, identity
        from orket_lib.vocabulary.statuses import SidecarStatus

        folder = self.workspace.folder
        sweep = self.workspace.resolved()
        config = sweep.config
        views = folder / sweep.results / "quant_sweep"
        problems, rows = [], []
        for cell in sweep.cells:
            row = read_model(views / cell.model_slug / f"{cell.quant_tag}.json", Row)
            path = f"{sweep.results}/cells/{cell.model_slug}/{cell.quant_tag}/run.json"
            report = read_model(folder / path, RunReport)
            found = cell_store(folder, cell).find(cell.wanted[0])
            truth = build_row(
                report,
                config.row_policy,
                config.execution_lane,
                config.quant_bits,
                SidecarStatus.NOT_APPLICABLE,
                path,
            )
            if report.spec != cell.spec or row.metrics != truth or found.missing:
                problems.append(f"row of {cell.quant_tag} is stale")
            rows.append(row)
        policy = FrontierPolicy(
            config.adherence_threshold, config.latency_ceiling, config.include_invalid
        )
        truth_summary = summarize(rows, config.models, policy, config.execution_lane)
        summary = read_model(views / "sweep_summary.json", Summary)
        if summary.sessions != truth_summary.sessions:
            problems.append("summary is stale")
        if summary.matrix != config.model_dump(mode="json"):
            problems.append("summary holds another config")
        gate = read_model(views / "kpi_gate.json", KpiGate)
        limits = KpiPolicy.model_validate_json(self.policy.read_text(encoding="utf-8"))
        if gate.policy != limits or gate.failures != gate_failures(summary.stability_kpis, limits):
            problems.append("KPI gate is stale")
        frontier = json.loads((views / "frontier_explorer.json").read_text(encoding="utf-8"))
        kept = [entry for file in FRONTIERS.files(folder / "storage") for entry in file.read()]
        if [identity(entry) for entry in kept].count(identity(frontier)) != 1:
            problems.append("the frontier is not in its history, once")
        report_text = (views / "sweep_report.md").read_text(encoding="utf-8")
        if summary.generated_at not in report_text:
            problems.append("report is of another summary")
        return problems


def cell_store(folder: Path, cell: Any) -> Any:
    """Return the store of a cell of the workspace."""
    from orket_lib.stores.parts import CellStore

    return CellStore(folder / cell.store.folder)


def _canary_runs(walk: Walk) -> None:
    walk.workspace.config["canary"] = walk.workspace.config["canary"] | {
        "runs": walk.dice.randint(3, 5)
    }


def _canary_limit(walk: Walk) -> None:
    limit = walk.dice.choice([0, 90, 100])
    walk.workspace.config["canary"] = walk.workspace.config["canary"] | {
        "latency_variance_threshold": limit
    }


def _row_policy(walk: Walk) -> None:
    walk.workspace.config["row_max_orchestration_overhead_ratio"] = walk.dice.choice([0.01, 0.5, 1])


def _threshold(walk: Walk) -> None:
    walk.workspace.config["adherence_threshold"] = walk.dice.choice([0.1, 0.5, 0.95])


def _context(walk: Walk) -> None:
    walk.workspace.config["n_ctx"] = walk.dice.choice([1024, 2048])


def _quants(walk: Walk) -> None:
    count = walk.dice.randint(1, 3)
    walk.workspace.config["quants"] = walk.dice.sample(QUANTS, k=count)


def _kpi_policy(walk: Walk) -> None:
    limits = {"min_frontier_success_rate": walk.dice.choice([0.1, 0.5, 0.8])}
    walk.policy.write_text(json.dumps(limits), encoding="utf-8")


def _revert(walk: Walk) -> None:
    walk.workspace.config = json.loads(walk.dice.choice(walk.history))


def _failing_run(walk: Walk) -> None:
    walk.fault = f"measure-cell:{walk.dice.choice(walk.workspace.config['quants'])}"


def _failing_view(walk: Walk) -> None:
    walk.fault = walk.dice.choice(["row:Q", "summary:results", "kpi-gate:results", "report:md"])


def _lost_metadata(walk: Walk) -> None:
    shutil.rmtree(walk.workspace.folder / ".snakemake", ignore_errors=True)


def _measure_again(walk: Walk) -> None:
    walk.arguments = ("-R", "measure_cell")


def _delete_all(walk: Walk) -> None:
    if (walk.workspace.folder / ".snakemake").exists():
        walk.workspace.run("--delete-all-output")


def _tasks(walk: Walk) -> None:
    walk.workspace.config["task_limit"] = walk.dice.choice([2, 3, 5])


def _runs(walk: Walk) -> None:
    walk.workspace.config["runs_per_quant"] = walk.dice.choice([2, 3])


def _lost_results(walk: Walk) -> None:
    shutil.rmtree(walk.workspace.folder / "results", ignore_errors=True)


EDITS: dict[str, Callable[[Walk], None]] = {
    "canary_runs": _canary_runs,
    "canary_limit": _canary_limit,
    "row_policy": _row_policy,
    "threshold": _threshold,
    "context": _context,
    "quants": _quants,
    "kpi_policy": _kpi_policy,
    "revert": _revert,
    "failing_run": _failing_run,
    "failing_view": _failing_view,
    "lost_metadata": _lost_metadata,
    "measure_again": _measure_again,
    "delete_all": _delete_all,
    "tasks": _tasks,
    "runs": _runs,
    "lost_results": _lost_results,
}


def walk(folder: Path, steps: int, seed: int) -> list[Any]:
    """Walk and return the problems of all steps."""
    walker = Walk(Workspace(folder), seed)
    return [problem for _ in range(steps) for problem in walker.step()]


def main() -> int:
    """Walk as the command line says; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        problems = walk(Path(folder), options.steps, options.seed)
    print(f"{options.steps} steps, seed {options.seed}: {len(problems)} problems")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
