"""Every preset runs on the embedded model, when the example's file is given after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sweep_workspace import ROOT, Workspace

from orket_lib.vocabulary.thresholds import LEAST_BASELINE_ADHERENCE

PRESETS = sorted(path.stem for path in (ROOT / "config" / "presets").glob("*.json"))
# What a shared machine can't hold, and how much there is time for here; no other key is touched.
HERE = (
    "execution_lane=ci",
    "canary_latency_variance_threshold=100",
    "row_max_orchestration_overhead_ratio=1",
    "task_limit=5",
    "probe_runs=1",
)
NO_FRONTIER = "frontier_success_rate=0 is below min_frontier_success_rate=0.8"


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_runs_end_to_end_on_the_embedded_model(name: str, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--configfile"),
            *(f"config/presets/{name}.json", "config/examples/embedded.yaml"),
            *("--config", "sweep=preset", *HERE),
        ],
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    summary = workspace.json("results/preset/quant_sweep/sweep_summary.json")
    rows = [row for session in summary["sessions"] for row in session["per_quant"]]
    assert [(row["quant_tag"], row["status"]) for row in rows] == [
        ("Q8_0", "measured"),
        ("Q4_K_M", "measured"),
    ], done.stderr[-3000:]
    assert all(row["test_runs"] == 2 * 5 for row in rows)
    assert all(row["valid"] for row in rows), [row["invalid_because"] for row in rows]
    assert (tmp_path / "results/preset/quant_sweep/sweep_report.md").exists()
    # The model was never taught these tasks. What fails them recommends nothing, and the gate says
    # so; nothing else may be wrong.
    solves = rows[0]["adherence_score"] >= LEAST_BASELINE_ADHERENCE
    gate = workspace.json("results/preset/quant_sweep/kpi_gate.json")
    assert gate["failures"] == ([] if solves else [NO_FRONTIER])
    assert done.returncode == (0 if solves else 1), done.stderr[-3000:]
