"""The thermal series in a real sweep: measured once, judged again for nothing."""

from __future__ import annotations

import pytest
from sweep_workspace import Workspace

PROFILE = "results/small/thermal/orket-nano/thermal_profile.json"
THERMAL = {"repeats": 3, "generations": 3, "cooldown_timeout_sec": 2, "quant_tag": "Q2_K"}


@pytest.mark.slow
def test_a_series_is_measured_once_and_judged_as_often_as_one_likes(workspace: Workspace) -> None:
    workspace.config |= {"thermal": THERMAL, "task_limit": 1, "probe_runs": 1}
    workspace.config["canary"] = {"runs": 0}
    done = workspace.run()
    assert done.code in (0, 1), done.text  # the KPI gate may say no to so small a sweep
    profile = workspace.json(PROFILE)
    assert profile["quant_tag"] == "Q2_K"
    assert len(profile["points"]) == 3
    assert all(point["total_latency"] > 0 for point in profile["points"])
    assert profile["latency_trend"] in ("rising", "steady", "falling", "unknown")
    assert profile["recommendation"] in done.text.replace("\n", " ")
    report = workspace.folder / "results/small/quant_sweep/sweep_report.html"
    assert "orket-nano Q2_K: decode rate of each run" in report.read_text(encoding="utf-8")
    (kept,) = workspace.folder.glob("storage/thermal_profiles/*.json")
    (series,) = workspace.folder.glob("storage/thermal/orket-nano/*/*/*/series.json")
    before = series.stat().st_mtime_ns
    assert "measure_thermal" not in workspace.planned()

    # Other thresholds and another bank's tasks measure no series again: the job takes it from
    # storage.
    workspace.config["thermal"] = THERMAL | {"monotonic_window": 1}
    workspace.config["task_limit"] = 2
    assert "make_thermal_profile" in workspace.planned()
    workspace.run()
    assert series.stat().st_mtime_ns == before
    assert workspace.json(PROFILE)["thresholds"]["monotonic_window"] == 1
    assert len(list(series.parent.parent.glob("*/series.json"))) == 1

    # A longer series is another one; that of before is found again.
    workspace.config["thermal"] = THERMAL | {"repeats": 4}
    workspace.run()
    assert len(workspace.json(PROFILE)["points"]) == 4
    workspace.config["thermal"] = THERMAL
    workspace.run()
    assert len(workspace.json(PROFILE)["points"]) == 3
    assert series.stat().st_mtime_ns == before
    assert kept.is_file()
