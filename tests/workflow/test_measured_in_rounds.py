"""More rounds: measured in turns, added to what is there, and shown."""

from __future__ import annotations

from typing import Any

import pytest
from sweep_workspace import Workspace

pytestmark = pytest.mark.slow


def by_time(workspace: Workspace) -> list[tuple[str, int]]:
    rows: list[dict[str, Any]] = [
        row
        for session in workspace.json("results/small/quant_sweep/sweep_summary.json")["sessions"]
        for row in session["per_quant"]
    ]
    found = [
        (item["measured_at"], row["quant_tag"], item["round"])
        for row in rows
        for item in row["rounds"]
    ]
    return [(quant, number) for _, quant, number in sorted(found)]


def test_a_second_round_goes_backwards_and_the_first_one_stays(workspace: Workspace) -> None:
    workspace.config |= {"quants": ["F16", "Q4_K_M", "Q2_K"], "task_limit": 3, "probe_runs": 1}
    workspace.config["rounds"] = 2
    workspace.config["canary"] = {**workspace.config["canary"], "closing": True}
    assert workspace.planned()["measure_cell"] == 6
    done = workspace.run()
    assert done.code == 0, done.text[-3000:]
    assert by_time(workspace) == [
        *(("F16", 1), ("Q4_K_M", 1), ("Q2_K", 1)),
        *(("Q2_K", 2), ("Q4_K_M", 2), ("F16", 2)),
    ]
    report = (workspace.folder / "results/small/quant_sweep/sweep_report.html").read_text("utf-8")
    assert report.count('<td>Q4_K_M</td><td class="n">2</td>') == 1
    (drift,) = workspace.json("results/small/quant_sweep/sweep_summary.json")["canary"]["drifts"]
    assert drift["closing_seconds"] > 0
    assert drift["closed_at"] > max(
        workspace.json(path.relative_to(workspace.folder).as_posix())["finished_at"]
        for path in workspace.folder.glob("results/small/cells/*/*/**/run.json")
    )
    assert "Measured again after the sweep" in report
    assert workspace.planned() == {}

    first = workspace.sealed()
    workspace.config["rounds"] = 3
    planned = workspace.planned()
    assert planned["measure_cell"] == 3
    workspace.config["rounds"] = 1
    assert workspace.run().code == 0
    assert by_time(workspace) == []
    assert workspace.sealed() == first
