"""The context sweep of the real model: the ceiling is found where retrieval really breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweep_workspace import Workspace

CONTEXTS = {
    "sweep_contexts": [256, 512, 1024, 2048, 4096],
    "tasks": ["retrieval"],
    "tasks_per_depth": 4,
    "quants": "Q4_K_M",
}
FOLDER = "results/small/context_sweep/orket-nano"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path)
    found.config |= {"quants": ["F16", "Q4_K_M"], "context": CONTEXTS}
    return found


@pytest.mark.slow
@pytest.mark.timed  # a late answer lowers the ceiling too
def test_the_ceiling_is_where_the_model_loses_the_word(workspace: Workspace) -> None:
    done = workspace.run()
    assert done.code == 0, done.text
    found = workspace.json(f"{FOLDER}/context_ceiling.json")
    assert (found["safe_context_ceiling"], found["quant_tag"]) == (1024, "Q4_K_M"), found["points"]
    points = {point["context"]: point for point in found["points"]}
    for context in (256, 512, 1024):
        assert points[context]["passed"], points[context]
        assert points[context]["adherence_score"] >= 0.95
    assert "ADHERENCE_BELOW_MIN" in points[2048]["reasons"]
    assert points[2048]["adherence_score"] < 0.8
    assert points[4096]["reasons"] == ["CONTEXT_NOT_LOADED"]
    assert points[4096]["detail"].startswith("served 2048 of 4096 asked for; the model was trained")
    for context in (256, 512, 1024, 2048):
        point = points[context]
        assert (
            0.9 * 208 / 256 <= point["seen"]["filled_min"] <= point["seen"]["filled_mean"] <= 0.85
        )
        # The follow-up is served from the cache, so it comes much sooner.
        assert point["seen"]["cached_tokens"] > 0.6 * context
        assert point["ttft_ms"] < point["ttft_cold_ms"]
        assert point["seen"]["peak_memory_rss"] > 0
    assert f"context: {found['recommendation']}" in done.text

    assert workspace.planned() == {}

    # Another search takes what it needs from storage: nothing is measured again.
    before = workspace.sealed()
    workspace.config["context"] = CONTEXTS | {"search": "bisect"}
    assert "measure_contexts" in workspace.planned()
    assert workspace.run().code == 0
    again = workspace.json(f"{FOLDER}/context_ceiling.json")
    assert again["safe_context_ceiling"] == 1024
    assert [point["context"] for point in again["points"]] == [1024, 2048]
    assert workspace.sealed() == before
    report = (workspace.folder / "results/small/quant_sweep/sweep_report.html").read_text("utf-8")
    assert "use a context of up to 1024 tokens" in report
    assert "not tried" in report


@pytest.mark.slow
def test_every_quant_has_a_ceiling_compared_with_that_of_the_largest(workspace: Workspace) -> None:
    """Q2_K of this model often misses the word, at any context; 14 tasks pick no quant."""
    asked = CONTEXTS | {"sweep_contexts": [256, 512, 2048], "quants": "all"}
    workspace.config |= {"quants": ["Q2_K", "F16"], "context": asked, "budget": "30m"}
    assert workspace.run().code == 0
    found = workspace.json(f"{FOLDER}/context_quants.json")
    largest, smallest = found["quants"]
    assert (found["baseline_quant"], largest["quant_tag"]) == ("F16", "F16")
    assert (largest["safe_context_ceiling"], largest["ceiling"]) == (512, None)
    assert [it["context"] for it in largest["points"]] == [256, 512, 2048]
    compared = smallest["ceiling"]
    assert compared["verdict"] in ("lower", "undecided")
    assert (compared["verdict"] == "lower") == (compared["paired"]["low"] > 0)
    assert smallest["points"][0]["context"] == 256
    tasks = {
        quant: [it["task"] for it in row["answers"]]
        for quant in ("F16", "Q2_K")
        for row in workspace.json(f"{FOLDER}/{quant}/context_256.json")["rows"]
    }
    assert len(tasks["F16"]) == 20
    assert tasks["F16"] == tasks["Q2_K"]
    measured = workspace.sealed()
    assert workspace.json(f"{FOLDER}/context_ceiling.json")["points"] == []
    assert workspace.planned() == {}

    # Other limits are judged from storage.
    workspace.config["context"] = asked | {"adherence_min": 0.97}
    assert "measure_quant_contexts" in workspace.planned()
    assert workspace.run().code == 0
    assert workspace.sealed() == measured
    report = (workspace.folder / "results/small/quant_sweep/sweep_report.html").read_text("utf-8")
    assert "Context ceilings: F16 512" in report
