"""Sweeps by runner: another asks, and what is measured stays what it is."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from sweep_workspace import ROOT, Workspace

from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.run_report import RunReport

RUN_TASK = "orket run-task --task {task_file} --run-dir {run_dir} --seed {seed}"


@pytest.fixture(autouse=True)
def smallest(workspace: Workspace) -> None:
    """Ask as little as possible: a process for each task takes its time."""
    workspace.config |= {"task_limit": 3, "probe_runs": 1, "canary": {"runs": 0}}


def rows(workspace: Workspace) -> dict[str, Any]:
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    return {row["quant_tag"]: row for row in summary["sessions"][0]["per_quant"]}


def reports(workspace: Workspace) -> dict[tuple[str, bool], RunReport]:
    """Return the reports by quant, and whether a runner was asked."""
    found = [read_model(path, RunReport) for path in workspace.runs()]
    return {(item.spec.quant_tag, item.spec.runner is not None): item for item in found}


@pytest.mark.slow
def test_a_sweep_by_run_task_gets_what_we_get_ourselves(workspace: Workspace) -> None:
    assert workspace.run().code == 0
    ourselves, before = rows(workspace), reports(workspace)

    workspace.config["runner_template"] = RUN_TASK
    workspace.config["canary"] = {"runs": 3, "latency_variance_threshold": 100}
    result = workspace.run()
    assert result.code == 0, result.text
    by_runner = rows(workspace)

    found = before | reports(workspace)
    for quant in ("F16", "Q2_K"):
        mine, theirs = found[quant, False], found[quant, True]
        for one, other in zip(mine.test_runs, theirs.test_runs, strict=True):
            assert (one.answer, one.answer_sha256) == (other.answer, other.answer_sha256)
            assert (one.outcome, one.checks) == (other.outcome, other.checks)
            theirs_counted, counted = (it.telemetry.token_metrics.counts for it in (other, one))
            for name in ("prompt_tokens", "output_tokens", "total_tokens"):
                assert getattr(theirs_counted, name) == getattr(counted, name), name
            assert theirs_counted.null_reasons["thinking_tokens"] == "NOT_REPORTED"
            assert other.telemetry.token_metrics.source == "runner"
            assert other.telemetry.total_latency > one.telemetry.total_latency  # type: ignore[operator]
        for name in ("adherence_score", "determinism_rate", "valid", "token_metrics_status"):
            assert ourselves[quant][name] == by_runner[quant][name], name
        # Speeds come from probes, which are ours in either sweep.
        assert by_runner[quant]["generation_tokens_per_second"] > 0
        assert by_runner[quant]["rate_source"] == "server"

    # The folders of all runs are kept below their cell, those of the canary next to it.
    cells = [path for path in workspace.sealed() if (path / "runner").is_dir()]
    assert len(cells) == 2
    for cell in cells:
        assert len(list(cell.glob("runner/*/*/answer.txt"))) == 3 * 2
        assert len(list(cell.glob("runner/*/*.task.json"))) == 3 * 2
    assert len(list(workspace.folder.glob("storage/canary/*/*/runner/*/*/answer.txt"))) == 3

    # Without a runner everything is as it was, and nothing is measured.
    del workspace.config["runner_template"]
    were = workspace.sealed()
    workspace.run()
    assert workspace.sealed() == were


@pytest.mark.slow
def test_a_runner_that_is_not_there_is_named_before_anything_is_measured(
    workspace: Workspace,
) -> None:
    workspace.config["runner_template"] = "no-such-agent {task_file}"
    result = workspace.run()
    assert result.code == 1
    assert "no-such-agent" in result.text
    assert "runner_template" in result.text
    assert "Traceback" not in result.text
    assert workspace.runs() == []


@pytest.mark.slow
def test_a_broken_runner_costs_its_runs_and_not_the_sweep(workspace: Workspace) -> None:
    """One task hangs, one is answered with a forged line and a bad end, one is answered."""
    (workspace.folder / "agent.py").write_text(
        "import json, sys, time\n"
        "task = json.load(open(sys.argv[1], encoding='utf-8'))\n"
        "if task['id'] == 1: time.sleep(1000)\n"
        "print(json.dumps({'telemetry': {'adherence_score': 1, 'internal_model_seconds': 0,"
        " 'prompt_tokens': 1, 'output_tokens': 1}}))\n"
        "sys.exit(task['id'] == 2)\n",
        encoding="utf-8",
    )
    workspace.config |= {
        "quants": ["Q2_K"],
        "runs_per_quant": 1,
        "task_timeout_sec": 2,
        "runner_template": [sys.executable, "-S", "agent.py", "{task_file}"],
    }
    workspace.run()
    row = rows(workspace)["Q2_K"]
    assert row["status"] == "measured"
    assert row["adherence_score"] == pytest.approx(1 / 3)
    assert (row["test_runs"], row["failed_runs"]) == (3, 2)
    assert [note["reason"] for note in row["notes"]] == ["SCORE_REPORTED_BY_RUNNER"]
    (report,) = reports(workspace).values()
    assert [run.outcome.value for run in report.test_runs] == ["timeout", "error", "pass"]
    assert report.test_runs[1].outcome_detail == "the runner ended with exit status 1"


@pytest.mark.slow
def test_the_agent_of_the_guide_works_as_it_is_printed(workspace: Workspace) -> None:
    guide = (ROOT / "docs" / "guides" / "runner.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (code,) = (block for block in blocks if "sys.argv" in block)
    (workspace.folder / "agent.py").write_text(code, encoding="utf-8")
    workspace.config |= {
        "quants": ["Q8_0"],
        "runs_per_quant": 1,
        "runner_template": "python agent.py {task_file} {run_dir}",
    }
    workspace.run()
    (report,) = reports(workspace).values()
    assert [run.outcome.value for run in report.test_runs] == ["pass"] * 3, [
        run.outcome_detail for run in report.test_runs
    ]
    row = rows(workspace)["Q8_0"]
    assert row["adherence_score"] == 1.0
    assert row["valid"], row["invalid_because"]


@pytest.mark.slow
def test_the_example_runs_over_the_example_of_a_server(workspace: Workspace) -> None:
    workspace.config = {
        "sweep": "mine",
        "quants": ["Q8_0"],
        "task_limit": 1,
        "probe_runs": 1,
        "canary": {"runs": 0},
        "execution_lane": "ci",
    }
    *command, mine = workspace.command()
    examples = ["config/examples/embedded.yaml", "config/examples/runner.yaml"]
    done = subprocess.run(
        [*command, *examples, mine],
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "sweep_report.html" in done.stdout, done.stderr
    (report,) = reports(workspace).values()
    assert report.spec.runner is not None
    assert report.spec.runner.environment == {"AGENT_DEPTH": "3"}
    assert [run.outcome.value for run in report.test_runs] == ["pass", "pass"]
