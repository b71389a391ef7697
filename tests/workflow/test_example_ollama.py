"""The example for Ollama, against a simulator that serves the reference model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from example_sweeps import ExampleSweep, reasons
from ollama_running import SimulatedOllama, simulated_ollama
from sweep_workspace import ROOT, Workspace

QUANTS = ["Q8_0", "Q4_K_M"]


def model(file_quant: str, **facts: Any) -> dict[str, Any]:
    file = ROOT / "models" / "orket-nano" / f"orket-nano-{file_quant}.gguf"
    return {"file": str(file), **facts}


MODELS = {f"orket-nano:{quant.lower()}": model(quant) for quant in QUANTS}


@pytest.fixture(scope="module")
def shared() -> Iterator[SimulatedOllama]:
    with simulated_ollama(MODELS) as server:
        yield server


@pytest.fixture
def server(shared: SimulatedOllama) -> Iterator[SimulatedOllama]:
    """Return a server that tells the truth again after each test."""
    yield shared
    shared.behave(free_prompts=False, cached_count=True, context=None, cut_prompts=None)
    shared.keep("orket-nano:q4_k_m", **MODELS["orket-nano:q4_k_m"])


def sweep(workspace: Workspace, server: SimulatedOllama, **settings: Any) -> ExampleSweep:
    chosen = settings.pop("quants", QUANTS[1:])
    tags = {quant: f"orket-nano:{quant.lower()}" for quant in chosen}
    here: dict[str, Any] = {
        "base_url": server.url,
        "quants": chosen,
        "tags": {"orket-nano": tags},
        "n_ctx": 2048,
        "max_output_tokens": 96,
        "row_max_orchestration_overhead_ratio": 1.0,
    }
    return ExampleSweep(workspace, "ollama", **(here | settings))


@pytest.mark.slow
def test_a_quick_sweep_of_a_model_as_slow_as_a_7b_on_a_gpu_takes_minutes(
    workspace: Workspace, server: SimulatedOllama
) -> None:
    server.behave(load_s=5.0, prompt_token_s=1 / 2000, token_s=1 / 60)
    try:
        began = time.monotonic()
        settings = {"quick": True, "task_bank": "reference", "canary": {}, "probe_runs": 3}
        example = sweep(workspace, server, quants=QUANTS, task_limit=0, **settings)
        result = example.run()
        seconds = time.monotonic() - began
    finally:
        server.behave(load_s=0.0, prompt_token_s=0.0, token_s=0.0)
    assert result.code == 0, result.text
    rows = example.rows()
    assert all(row["tasks"] >= 20 for row in rows)
    assert all(40 < row["generation_tokens_per_second"] < 60 for row in rows)
    (session,) = workspace.json("results/example/quant_sweep/sweep_summary.json")["sessions"]
    assert session["decision"]["status"] in ("LIKELY", "PROVED", "TASKS_TOO_EASY")
    assert seconds < 180, f"{seconds:.0f} s for two quants"


@pytest.mark.slow
def test_a_tag_and_files_are_measured_in_one_sweep(
    workspace: Workspace, server: SimulatedOllama
) -> None:
    files = {quant: f"models/orket-nano/orket-nano-{quant}.gguf" for quant in ("F16", "Q2_K")}
    models = {
        "served": {
            "provider": "ollama",
            "base_url": server.url,
            "tags": {"Q8_0": "orket-nano:q8_0", "Q4_K_M": "orket-nano:q4_k_m"},
        },
        "orket-nano": {"provider": "embedded", "artifacts": files},
    }
    example = sweep(workspace, server, models=models, tags={}, task_bank="reference", task_limit=30)
    example.settings["quants"] = ["F16", "Q8_0", "Q4_K_M", "Q2_K"]
    result = example.run()
    assert result.code == 0, result.text
    found = [(row["model_id"], row["quant_tag"], row["rate_source"]) for row in example.rows()]
    assert set(found) == {
        ("served", "Q8_0", "server"),
        ("served", "Q4_K_M", "server"),
        ("orket-nano", "F16", "server"),
        ("orket-nano", "Q2_K", "server"),
    }
    assert all(row["valid"] for row in example.rows())
    assert server.loaded == []
    assert "Nothing to be done" in example.run().text


@pytest.mark.slow
def test_the_example_loads_measures_and_unloads_each_tag(
    workspace: Workspace, server: SimulatedOllama
) -> None:
    canary = {"runs": 3, "latency_variance_threshold": 100}
    example = sweep(workspace, server, quants=QUANTS, canary=canary)
    result = example.run()
    assert result.code == 0, result.text
    found = example.rows()
    assert [row["quant_tag"] for row in found] == QUANTS
    for row in found:
        assert row["valid"], row["invalid_because"]
        assert row["notes"] == []
        assert row["rate_source"] == "server"
        assert row["adherence_score"] > 0.5
        assert row["test_runs"] == 2 * 3
        assert row["artifact"]["tag"] == f"orket-nano:{row['quant_tag'].lower()}"
        assert row["artifact"]["build"] == "ollama 0.33.2"
        for name in (
            "init_latency",
            "ttft_ms",
            "peak_memory_rss",
            "prompt_tokens_per_second",
            "generation_tokens_per_second",
        ):
            assert row[name] > 0, name
    assert len({row["artifact"]["digest"] for row in found}) == 2
    assert found[0]["quant_rank"] == pytest.approx(850, abs=10), "counted over the tensors"
    assert found[1]["quant_rank"] == pytest.approx(491, abs=10)
    for report in example.reports():
        (session,) = report["sessions"]
        assert session["served"]["n_ctx"] == 2048
        assert session["served"]["server_vram_mib"] == 0
        assert [control["applied"] for control in session["controls"]] == ["greedy"]
        assert [probe["output_tokens"] for probe in report["probes"]] == [128]
    assert workspace.json("results/example/canary/verdict.json")["passed"]
    assert server.loaded == []
    assert "Nothing to be done" in example.run().text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        pytest.param({"free_prompts": True}, "PREFIX_CACHE_HIT", id="free prompts"),
        pytest.param({"context": 1024}, "CONTEXT_MISMATCH", id="ignored context"),
        pytest.param({"cut_prompts": 60}, "CONTEXT_TRUNCATED", id="silent truncation"),
    ],
)
def test_a_server_that_lies_has_no_valid_row_and_the_reason_by_name(
    workspace: Workspace, server: SimulatedOllama, lie: dict[str, Any], reason: str
) -> None:
    server.behave(**lie)
    example = sweep(workspace, server, execution_lane="lab")
    result = example.run()
    assert "Traceback" not in result.text
    (row,) = example.rows()
    assert reason in reasons(row)
    assert not row["valid"]
    (probe,) = example.reports()[0]["probes"]
    processed = probe["prompt_tokens"] - probe["cached_tokens"]
    rate = probe["prompt_tokens_per_second"]
    assert rate == pytest.approx(processed / probe["prefill_seconds"]), "right for what it read"


@pytest.mark.slow
def test_a_cache_that_nobody_tells_of_leaves_no_prompt_rate(
    workspace: Workspace, server: SimulatedOllama
) -> None:
    server.behave(free_prompts=True, cached_count=False)
    example = sweep(workspace, server)
    result = example.run()
    assert result.code == 0, result.text
    (row,) = example.rows()
    assert row["prompt_tokens_per_second"] is None
    assert row["null_reasons"]["prompt_tokens_per_second"] == "CACHED_TOKENS_UNKNOWN"
    assert row["generation_tokens_per_second"] > 0


@pytest.mark.slow
def test_a_tag_that_is_secretly_another_quant_has_no_valid_row(
    workspace: Workspace, server: SimulatedOllama
) -> None:
    server.keep("orket-nano:q4_k_m", **model("Q2_K", quant="Q4_K_M"))
    example = sweep(workspace, server)
    result = example.run()
    assert "Traceback" not in result.text
    (row,) = example.rows()
    assert "QUANT_IDENTITY_MISMATCH" in reasons(row)
    assert not row["valid"]
    evidence = str(row["run_quality_reasons"])
    assert "the file's header says Q2_K, asked for Q4_K_M" in evidence


@pytest.mark.slow
def test_a_model_of_somebody_else_costs_the_row_and_is_named(
    workspace: Workspace, server: SimulatedOllama
) -> None:
    server.load("orket-nano:q8_0")
    try:
        example = sweep(workspace, server)
        result = example.run()
        assert server.loaded == ["orket-nano:q8_0"], "it is left alone"
    finally:
        server.unload("orket-nano:q8_0")
    assert "Traceback" not in result.text
    assert "type: ollama stop orket-nano:q8_0" in result.text
    (row,) = example.rows()
    assert row["status"] == "load_failed"
