"""Variants in a real sweep: served as asked, with their own measurements and verdicts."""

from __future__ import annotations

import pytest
from sweep_workspace import Workspace

VARIANTS = {"kv4": {"cache_type_k": "q4_0", "cache_type_v": "q4_0", "flash_attn": "on"}}
CHEAP = {"runs_per_quant": 1, "probe_runs": 1, "canary": {"runs": 0}}


@pytest.mark.slow
def test_each_quant_is_measured_plain_and_in_its_variant(workspace: Workspace) -> None:
    workspace.config |= CHEAP | {"task_limit": 30}
    assert workspace.run("report").code == 0
    before = set(workspace.folder.glob("storage/runs/*/*/*"))
    workspace.config["variants"] = VARIANTS
    done = workspace.run("report")
    assert done.code == 0, done.text
    after = set(workspace.folder.glob("storage/runs/*/*/*"))
    assert before < after  # nothing plain was measured again
    assert {path.parent.name for path in after - before} == {"F16@kv4", "Q2_K@kv4"}
    (session,) = workspace.json("results/small/quant_sweep/sweep_summary.json")["sessions"]
    assert session["baseline_quant"] == "F16"
    rows = {row["quant_tag"]: row for row in session["per_quant"]}
    assert list(rows) == ["F16", "F16@kv4", "Q2_K", "Q2_K@kv4"]
    for tag, kind, mib in (("Q2_K", "f16", 4.0), ("Q2_K@kv4", "q4_0", 1.125)):
        cache = rows[tag]["artifact"]["kv_cache"]
        assert (cache["type_k"], cache["type_v"], cache["cells"]) == (kind, kind, 2048)
        assert cache["computed_mib"] == mib
        assert cache["mib"] == pytest.approx(mib, rel=0.02)
    reasons = {item["reason"] for row in rows.values() for item in row["run_quality_reasons"]}
    assert "MISSING_EXPERIMENTAL_CONTROLS" not in reasons
    assert {item["quant_tag"] for item in session["verdicts"]} >= {"F16@kv4", "Q2_K", "Q2_K@kv4"}
    report = (workspace.folder / "results/small/quant_sweep/sweep_report.md").read_text("utf-8")
    assert "| Quant | plain | kv4 |" in report
