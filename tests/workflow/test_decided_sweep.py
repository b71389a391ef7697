"""Asking until the verdicts are decided: fewer runs, the same pick, and nothing measured twice."""

from __future__ import annotations

from typing import Any

import pytest
from sweep_workspace import Workspace

pytestmark = pytest.mark.slow

SUMMARY = "results/small/quant_sweep/sweep_summary.json"
CELLS = "results/small/cells/orket-nano"


def session(workspace: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = workspace.json(SUMMARY)["sessions"][0]
    return found


def test_until_decided_asks_less_and_picks_the_same(workspace: Workspace) -> None:
    workspace.config |= {"quants": ["F16", "Q4_K_M", "Q2_K"], "runs_per_quant": 1, "probe_runs": 1}
    workspace.config |= {"until": "decided", "task_limit": 168}
    assert workspace.planned()["measure_cell"] == 9  # the most that can come
    done = workspace.run()
    assert done.code == 0, done.text[-3000:]
    found = session(workspace)
    rows = {row["quant_tag"]: row for row in found["per_quant"]}
    verdicts = {item["quant_tag"]: item for item in found["verdicts"]}
    assert (found["decision"]["status"], found["decision"]["pick"]) == ("PROVED", "Q4_K_M")
    assert verdicts["Q2_K"]["verdict"] == "LOST"
    assert verdicts["Q2_K"]["certain"] == 0.995
    assert rows["Q2_K"]["tasks"] < 168
    assert rows["Q2_K"]["determinism_rate"] is None
    assert rows["Q2_K"]["test_runs"] == rows["Q2_K"]["tasks"]
    receipt = workspace.json(f"{CELLS}/Q2_K/batch-3/receipt.json")
    assert (receipt["parts"], receipt["dropped"]["reason"]) == ([], "DECIDED")
    asked = found["batches"]["runs"]
    assert asked == sum(row["test_runs"] for row in rows.values()) < 3 * 168
    # The baseline answers 30 tasks twice, for the noise floor.
    assert f"Asked {asked} of at most 534 graded runs." in found["recommendation"]
    assert found["fidelity"][0]["agreement"]["tasks"] == 30
    assert workspace.planned() == {}

    # All tasks: only what is missing is measured, and the pick stays.
    sealed = workspace.sealed()
    workspace.config["until"] = None
    again = workspace.run()
    assert again.code == 0, again.text[-3000:]
    assert session(workspace)["decision"]["pick"] == "Q4_K_M"
    assert sealed < workspace.sealed()
    answers = [
        answer["key"]
        for folder in workspace.sealed()
        if folder.parts[-4] == "Q2_K" and (folder / "answers.json").is_file()
        for answer in workspace.json(
            (folder / "answers.json").relative_to(workspace.folder).as_posix()
        )["answers"]
    ]
    assert len(answers) == len(set(answers)) == 168

    # And back: everything is in the store.
    sealed = workspace.sealed()
    workspace.config["until"] = "decided"
    assert workspace.run().code == 0
    assert workspace.sealed() == sealed
    assert session(workspace)["batches"]["runs"] == asked


def test_a_quick_sweep_is_an_answer_within_its_budget(workspace: Workspace) -> None:
    workspace.config |= {"quants": ["F16", "Q4_K_M"], "task_limit": 0, "quick": True}
    workspace.config |= {"thermal": {"repeats": 3}, "context_sweep_contexts": [512]}
    done = workspace.run()
    assert done.code == 0, done.text[-3000:]
    found = session(workspace)
    assert found["decision"]["status"] in ("LIKELY", "PROVED", "UNDECIDED")
    assert 20 <= found["batches"]["tasks"] <= 60
    assert found["batches"]["seconds"] > 0
    assert not (workspace.folder / "results/small/thermal").exists()


def test_a_budget_names_what_it_leaves_out_and_a_larger_one_goes_on(workspace: Workspace) -> None:
    workspace.config |= {"quants": ["F16", "Q4_K_M"], "runs_per_quant": 1, "probe_runs": 1}
    workspace.config |= {"task_limit": 168, "budget": "1s"}
    workspace.config |= {"thermal": {"repeats": 100, "cooldown_timeout_sec": 600}}
    first = workspace.run()
    assert first.code == 0, first.text[-3000:]
    found = session(workspace)
    assert "The budget ended after 40 of 168 tasks" in found["recommendation"]
    assert (found["decision"]["status"], found["batches"]["runs"]) == ("LIKELY", 110)
    assert found["decision"]["next"].startswith("raise `budget:`, and run the same command")

    sealed = workspace.sealed()
    workspace.config["budget"] = "2h"
    further = workspace.run()
    assert further.code == 0, further.text[-3000:]
    found = session(workspace)
    assert (found["decision"]["status"], found["decision"]["pick"]) == ("PROVED", "Q4_K_M")
    assert sealed < workspace.sealed()  # nothing was measured again
    assert found["batches"]["runs"] == sum(row["test_runs"] for row in found["per_quant"])
    assert "no thermal series: BUDGET_SPENT: it would take about" in further.text
