"""The example for LM Studio, against a simulator that has the reference model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from example_sweeps import ExampleSweep, reasons
from simulated_servers import Program, program
from sweep_workspace import Workspace

QUANTS = ["Q8_0", "Q2_K"]


@pytest.fixture(scope="module")
def server() -> Iterator[Program]:
    """Run an LM Studio that has the reference model in two quants."""
    models = [word for quant in QUANTS for word in ("--model", f"nano@{quant.lower()}={quant}")]
    with program("lmstudio_server.py", *models) as running:
        yield running


@pytest.fixture
def honest(server: Program) -> Iterator[Program]:
    """Let the server tell the truth again after each test."""
    yield server
    server.lie(free_prompts=False, n_ctx=None, quant=None, keeps_words=None, foreign=0)


def sweep(workspace: Workspace, server: Program, **settings: Any) -> ExampleSweep:
    chosen = settings.pop("quants", QUANTS[1:])
    tags = {quant: f"nano@{quant.lower()}" for quant in chosen}
    address = {"base_url": server.base_url, "quants": chosen, "tags": {"orket-nano": tags}}
    return ExampleSweep(workspace, "lmstudio", **{"n_ctx": 2048, **address, **settings})


@pytest.mark.slow
def test_the_example_loads_measures_and_unloads_each_quant(
    workspace: Workspace, server: Program
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
        assert row["generation_tokens_per_second"] > 0
        assert row["null_reasons"]["prompt_tokens_per_second"] == "CACHED_TOKENS_UNKNOWN"
        assert row["init_latency"] > 0
        assert row["peak_memory_rss"] > 0
        assert row["artifact"]["build"].startswith("LM Studio, llama.cpp-linux")
    for report in example.reports():
        (session,) = report["sessions"]
        assert session["served"]["quant_tag"] == report["spec"]["quant_tag"]
        assert session["served"]["n_ctx"] == 2048
        assert session["decode_clock"] == "first_token"
    loaded = [body["model"] for body in server.requests("/api/v1/models/load")]
    unloaded = [body["instance_id"] for body in server.requests("/api/v1/models/unload")]
    assert loaded == unloaded
    assert sorted(loaded) == ["nano@q2_k", "nano@q8_0", "nano@q8_0"], "each cell, and the canary"
    assert "Nothing to be done" in example.run().text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lies", "reason"),
    [
        pytest.param({"n_ctx": 1024}, "CONTEXT_MISMATCH", id="ignored context"),
        pytest.param({"quant": "Q8_0"}, "QUANT_IDENTITY_MISMATCH", id="another quant"),
        pytest.param({"keeps_words": 60}, "CONTEXT_TRUNCATED", id="silent truncation"),
        pytest.param({"foreign": 1}, "FOREIGN_REQUESTS", id="another client"),
    ],
)
def test_a_server_that_lies_has_no_valid_row_and_the_reason_by_name(
    workspace: Workspace, honest: Program, lies: dict[str, Any], reason: str
) -> None:
    honest.lie(**lies)
    example = sweep(workspace, honest, execution_lane="lab", exclusive=True)
    result = example.run()
    assert "Traceback" not in result.text
    (row,) = example.rows()
    assert reason in reasons(row)
    assert not row["valid"]


@pytest.mark.slow
def test_a_cache_that_makes_prompts_free_gives_no_prompt_rate(
    workspace: Workspace, honest: Program
) -> None:
    honest.lie(free_prompts=True)
    example = sweep(workspace, honest, exclusive=True)
    result = example.run()
    assert result.code == 0, result.text
    (row,) = example.rows()
    assert row["prompt_tokens_per_second"] is None
    assert row["generation_tokens_per_second"] > 0
