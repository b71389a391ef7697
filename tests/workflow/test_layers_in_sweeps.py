"""`gpu_layers: search` in a real sweep, on a simulated GPU."""

from __future__ import annotations

from typing import Any

import pytest
from gpu_llama_server import Gpu, binary
from sweep_workspace import Workspace

pytestmark = pytest.mark.slow

GPU = Gpu(cpu_ms=4.0, gpu_ms=0.5)
WANTED = 90.0  # 2 of 5 layers give 76.9 tokens/s, 3 give 105.3
SUMMARY = "results/small/quant_sweep/sweep_summary.json"


def searching(workspace: Workspace, gpu: Gpu, **changes: Any) -> None:
    workspace.config |= {
        "provider": "llama_server",
        "server_binary": str(binary(workspace.folder, gpu)),
        "quants": ["Q4_K_M"],
        "gpu_layers": "search",
        "wants": {"decode_tps": WANTED},
        "task_limit": 4,
        "runs_per_quant": 1,
        "probe_runs": 1,
        "canary": {"runs": 0},
    } | changes


def loads(workspace: Workspace) -> list[dict[str, Any]]:
    (kept,) = workspace.folder.glob("storage/runs/orket-nano/Q4_K_M/*/offload.json")
    found: dict[str, Any] = workspace.json(kept.relative_to(workspace.folder).as_posix())
    return list(found["loads"])


def row(workspace: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = workspace.json(SUMMARY)["sessions"][0]["per_quant"][0]
    return found


def test_a_sweep_finds_the_fewest_layers_once_and_serves_with_them(workspace: Workspace) -> None:
    searching(workspace, GPU, canary={"runs": 3, "latency_variance_threshold": 100})
    done = workspace.run("report")
    assert done.code == 0, done.text
    measured = row(workspace)
    best = GPU.fewest(WANTED)
    assert best == 3
    assert measured["offload"]["layers"] == best
    assert measured["valid"], measured["invalid_because"]
    assert measured["generation_tokens_per_second"] == pytest.approx(105.3, rel=0.02)
    assert len(measured["offload"]["loads"]) <= 4  # log2(5) + 2
    sentence = (
        "3 of 5 layers on the GPU, the fewest that reach 90 tokens/s: 105 tokens/s; 2 give 76.9"
    )
    report = (workspace.folder / "results/small/quant_sweep/sweep_report.md").read_text("utf-8")
    page = (workspace.folder / "results/small/quant_sweep/sweep_report.html").read_text("utf-8")
    shown = workspace.orket("show").text
    for text in (report, page, shown):
        assert sentence in text
        assert "--n-gpu-layers 3" in text
    # The canary searched; the cell took what it found, and so do more tasks.
    before, sealed = loads(workspace), workspace.sealed()
    workspace.config["task_limit"] = 6
    again = workspace.run("report")
    assert again.code == 0, again.text
    assert sealed < workspace.sealed()
    assert loads(workspace) == before
    assert row(workspace)["tasks"] == 6


def test_a_server_that_lies_about_its_layers_has_no_valid_row(workspace: Workspace) -> None:
    searching(workspace, Gpu(lie="ignores"), wants={})
    assert workspace.run("report").code == 0
    measured = row(workspace)
    assert not measured["valid"]
    (reason,) = (
        it["evidence"]
        for it in measured["run_quality_reasons"]
        if it["reason"] == "MISSING_EXPERIMENTAL_CONTROLS"
    )
    assert "they make no difference; set gpu_layers to a number" in reason


def test_a_variant_searches_by_itself(workspace: Workspace) -> None:
    small = Gpu(free_mib=2500)
    searching(workspace, small, wants={}, gpu_layers=0)
    workspace.config["variants"] = {"most": {"gpu_layers": "search"}}
    done = workspace.run("report")
    assert done.code == 0, done.text
    rows = workspace.json(SUMMARY)["sessions"][0]["per_quant"]
    assert {it["quant_tag"]: (it["offload"] or {}).get("layers") for it in rows} == {
        "Q4_K_M": None,
        "Q4_K_M@most": small.fewest(None),
    }
