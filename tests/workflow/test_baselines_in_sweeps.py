"""Baselines in real sweeps: recorded, compared, gating, and what the self-hosted workflows run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sweep_workspace import ROOT, Workspace

from orket_lib.artifacts.baseline import Baseline
from orket_lib.stores.baselines import BaselineStore

pytestmark = pytest.mark.slow

VIEWS = "results/small/quant_sweep"
REGRESSION = f"{VIEWS}/regression.json"
RECEIPT = f"{VIEWS}/baselines_recorded.json"


@pytest.fixture(autouse=True)
def smallest(workspace: Workspace) -> None:
    """Ask little: nothing here is about numbers."""
    workspace.config |= {"task_limit": 20, "probe_runs": 1, "canary": {"runs": 0}}


def script(workspace: Workspace, name: str, *arguments: str) -> tuple[int, str]:
    """Run a script of .ci/ in the workspace."""
    workspace.command()  # writes small.yaml
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / name), *arguments],
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def compared(workspace: Workspace, *options: str) -> tuple[int, str, str]:
    """Type `orket baselines compare` in the workspace."""
    command = [sys.executable, "-m", "orket_lib", "baselines", "compare"]
    done = subprocess.run(
        [*command, "--summary", f"{VIEWS}/sweep_summary.json", *options],
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def before(item: Baseline, day: int, score: float) -> Baseline:
    """Return a record as an earlier measurement might have left it."""
    metadata = item.baseline_metadata.model_copy(
        update={"test_run_id": f"earlier-{day}", "created_at": f"2026-01-{day:02d}T00:00:00Z"}
    )
    telemetry = item.gold_telemetry.model_copy(update={"adherence_score": score})
    return Baseline(baseline_metadata=metadata, gold_telemetry=telemetry)


def test_a_sweep_is_compared_and_recorded_only_where_that_is_asked_for(
    workspace: Workspace,
) -> None:
    assert workspace.run().code == 0
    assert not (workspace.folder / "storage/baselines").exists()

    workspace.config["baseline"] = {"compare": True, "record": True}
    planned = workspace.planned()
    assert {"compare_baselines", "record_baselines"} <= planned.keys()
    assert not {"measure_cell", "pass_regression"} & planned.keys()
    assert workspace.run().code == 0

    regression = workspace.json(REGRESSION)
    assert regression["verdict"] == "NOT_JUDGED"
    assert {cell["status"] for cell in regression["cells"]} == {"NO_BASELINE"}
    assert [cell["added"] for cell in workspace.json(RECEIPT)["recorded"]] == [20, 20]
    store = BaselineStore(workspace.folder / "storage")
    assert len(store.test_ids()) == 20
    first = store.history(store.test_ids()[0])
    assert {item.baseline_metadata.execution_lane for item in first} == {"ci"}
    assert all(item.baseline_metadata.clean is not None for item in first)
    assert workspace.planned() == {}

    # Recorded by now: what is compared again is not compared with itself.
    assert workspace.run("-R", "compare_baselines").code == 0
    again = workspace.json(REGRESSION)
    assert again["cells"] == regression["cells"]
    assert [cell["added"] for cell in workspace.json(RECEIPT)["recorded"]] == [0, 0]


def test_a_sweep_that_got_worse_fails_with_the_numbers_and_is_no_baseline(
    workspace: Workspace,
) -> None:
    """Earlier sweeps, made up, could do what Q2_K can't."""
    workspace.config["baseline_record"] = True
    assert workspace.run().code == 0
    store = BaselineStore(workspace.folder / "storage")
    for test_id in store.test_ids():
        for item in store.history(test_id):
            store.add(
                test_id,
                [
                    before(item, day + 10 * (item.baseline_metadata.quant_tag == "F16"), score=1.0)
                    for day in range(1, 5)
                ],
            )
    workspace.config["baseline_gate"] = True

    failed = workspace.run()

    assert failed.code == 1
    assert "worse than the baselines" in failed.text
    assert "Traceback" not in failed.text
    regression = workspace.json(REGRESSION)
    assert regression["verdict"] == "FAIL"
    assert all("adherence_score" in failure for failure in regression["failures"])
    assert any("Q2_K" in failure for failure in regression["failures"])
    receipt = workspace.json(RECEIPT)
    assert "Q2_K" in {cell["quant_tag"] for cell in receipt["not_recorded"]}
    assert (workspace.folder / VIEWS / "sweep_report.md").is_file()

    code, shown, _ = compared(workspace)
    assert code == 3
    assert "REGRESSED" in shown
    assert "FAIL: " in shown
    assert compared(workspace, "--verdict-only")[0] == 0
    code, _, error = compared(workspace, "--baseline-ref", "unknown")
    assert (code, error) == (
        1,
        "error: --baseline-ref unknown: no baseline of these tasks has that ref\n",
    )


def test_the_full_sweep_fails_on_its_kpi_policy_with_all_artifacts_in_place(
    workspace: Workspace,
) -> None:
    """One run for each task can't show the determinism that the policy asks for."""
    policy = {"min_determinism_rate": 1.0}
    (workspace.folder / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
    workspace.config |= {"runs_per_quant": 1}

    settings: tuple[str, ...] = ("kpi_policy=policy.json", "provenance_ref=ci:test")
    code, text = script(workspace, "full_sweep.py", "small.yaml", "--config", *settings)

    assert code == 3, text
    assert "determinism_rate=null (1 run per task)" in text
    assert f"the sweep did not pass: {VIEWS}/kpi_gate.json" in text
    sums = (workspace.folder / "results/small/SHA256SUMS").read_text(encoding="utf-8")
    listed = [line.split("  ")[1] for line in sums.splitlines()]
    for name in ("sweep_summary.json", "kpi_gate.json", "sweep_report.md", "plots/frontier.png"):
        assert f"{VIEWS}/{name}" in listed
    assert sum(path.endswith("/run.json") for path in listed) == 2
    assert workspace.json(f"{VIEWS}/sweep_summary.json")["provenance"]["ref"] == "ci:test"
    check = subprocess.run([sys.executable, "-c", _CHECK_SUMS], cwd=workspace.folder, check=False)
    assert check.returncode == 0

    settings = ("kpi_policy=config/kpi_policy.json", "runs_per_quant=2", "baseline_record=true")
    code, text = script(workspace, "full_sweep.py", "small.yaml", "--config", *settings)

    assert code == 0, text
    assert "the sweep passed" in text
    _locked(workspace, *settings)
    _retention(workspace)


def _locked(workspace: Workspace, *settings: str) -> None:
    """A sweep that can't begin is no verdict, though all products are there of the last time."""
    lock = workspace.folder / ".snakemake" / "locks" / "0.output.lock"
    lock.parent.mkdir(exist_ok=True)
    # Also on a file of another sweep: a lock that only a dead one left on this would be taken away.
    lock.write_text(f"{VIEWS}/sweep_summary.json\nresults/other/plan.json\n", encoding="utf-8")
    code, text = script(workspace, "full_sweep.py", "small.yaml", "--config", *settings)
    lock.unlink()
    assert "LockException" in text
    assert (code, "no verdict of it says why" in text) == (1, True), text


_CHECK_SUMS = """
import hashlib, pathlib
for line in pathlib.Path("results/small/SHA256SUMS").read_text().splitlines():
    digest, path = line.split("  ")
    assert hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest() == digest, path
"""


def _retention(workspace: Workspace) -> None:
    """Retention of what was recorded, and of a history that is damaged."""
    store = BaselineStore(workspace.folder / "storage")
    (first, second, *_) = store.test_ids()
    store.add(first, [before(store.history(first)[0], day, 1.0) for day in range(1, 5)])
    assert len(store.history(first)) == 6

    code, text = script(workspace, "baseline_retention.py", "--keep-last", "2")

    assert code == 0, text
    folder = "results/baseline-retention"
    assert workspace.json(f"{folder}/prune-dry-run.json") | {"dry_run": False} == workspace.json(
        f"{folder}/prune.json"
    )
    assert workspace.json(f"{folder}/prune.json")["per"] == "test"
    assert len(workspace.json(f"{folder}/prune.json")["removed"]) == 4
    assert len(store.history(first)) == 2
    assert not any(item["problem"] for item in workspace.json(f"{folder}/health.json")["histories"])

    store.path(second).write_text('{"history": [', encoding="utf-8")
    code, text = script(workspace, "baseline_retention.py", "--keep-last", "1")
    assert code == 1
    assert f"{second}.json" in text
    assert len(store.history(first)) == 2
    assert Path(store.path(second)).read_text(encoding="utf-8") == '{"history": ['
