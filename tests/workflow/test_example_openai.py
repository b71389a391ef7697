"""The example for vLLM and its like, against a simulator that serves the reference model."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from example_sweeps import ExampleSweep, reasons
from simulated_servers import Program, program
from sweep_workspace import Workspace

from orket_lib.cli import main

QUANTS = ["Q8_0", "Q2_K"]


@pytest.fixture(scope="module")
def server() -> Iterator[Program]:
    """Run a router that has the reference model in two quants."""
    models = [word for quant in QUANTS for word in ("--model", f"nano-{quant}={quant}")]
    with program("openai_server.py", *models) as running:
        yield running


@pytest.fixture
def honest(server: Program) -> Iterator[Program]:
    """Let the server tell the truth again after each test."""
    yield server
    server.lie(free_prompts=False, tells_cache=True, n_ctx=None, keeps_words=None, api_key=None)


def sweep(workspace: Workspace, server: Program, **settings: Any) -> ExampleSweep:
    chosen = settings.pop("quants", QUANTS[1:])
    tags = {quant: f"nano-{quant}" for quant in chosen}
    address = {"base_url": f"{server.base_url}/v1", "quants": chosen, "tags": {"orket-nano": tags}}
    return ExampleSweep(workspace, "vllm", **{**address, **settings})


@pytest.mark.slow
def test_the_example_measures_what_the_server_has(workspace: Workspace, server: Program) -> None:
    canary = {"runs": 3, "latency_variance_threshold": 100}
    example = sweep(workspace, server, quants=QUANTS, canary=canary)
    result = example.run()
    assert result.code == 0, result.text
    found = example.rows()
    assert [row["quant_tag"] for row in found] == QUANTS
    for row in found:
        assert row["valid"], row["invalid_because"]
        assert [note["reason"] for note in row["notes"]] == ["QUANT_IDENTITY_UNVERIFIED"]
        assert row["rate_source"] == "client"
        assert row["prompt_tokens_per_second"] > 0
        assert row["generation_tokens_per_second"] > 0
        assert row["peak_memory_rss"] > 0
        assert row["null_reasons"]["init_latency"] == "SERVER_ALREADY_RUNNING"
        assert row["null_reasons"]["orchestration_overhead_ratio"] == "TIMING_UNAVAILABLE"
        assert row["artifact"]["build"] == "vLLM 0.11.0"
    for report in example.reports():
        assert [probe["cached_tokens"] for probe in report["probes"]] == [0]
        assert [probe["output_tokens"] for probe in report["probes"]] == [128]
    verdict = workspace.json("results/example/canary/verdict.json")
    assert verdict["passed"]
    assert verdict["figures"]["latency_source"] == "client"
    assert "Nothing to be done" in example.run().text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lies", "settings", "reason"),
    [
        pytest.param({"free_prompts": True}, {}, "PREFIX_CACHE_HIT", id="free prompts"),
        pytest.param({"n_ctx": 1024}, {"n_ctx": 2048}, "CONTEXT_MISMATCH", id="ignored context"),
        pytest.param({"keeps_words": 60}, {}, "CONTEXT_TRUNCATED", id="silent truncation"),
    ],
)
def test_a_server_that_lies_has_no_valid_row_and_the_reason_by_name(
    workspace: Workspace,
    honest: Program,
    lies: dict[str, Any],
    settings: dict[str, Any],
    reason: str,
) -> None:
    honest.lie(**lies)
    example = sweep(workspace, honest, execution_lane="lab", **settings)
    result = example.run()
    assert "Traceback" not in result.text
    (row,) = example.rows()
    assert reason in reasons(row)
    assert not row["valid"]


@pytest.mark.slow
def test_a_cache_that_nobody_tells_of_leaves_no_prompt_rate(workspace: Workspace) -> None:
    with program("openai_server.py", "--model", "nano-Q2_K=Q2_K", "--kind", "plain") as silent:
        silent.lie(free_prompts=True)
        example = sweep(workspace, silent)
        result = example.run()
    assert result.code == 0, result.text
    (row,) = example.rows()
    assert row["prompt_tokens_per_second"] is None
    assert row["null_reasons"]["prompt_tokens_per_second"] == "CACHED_TOKENS_UNKNOWN"
    assert row["generation_tokens_per_second"] > 0


@pytest.mark.slow
def test_a_model_that_the_server_does_not_have_is_named_with_those_that_it_has(
    workspace: Workspace, server: Program
) -> None:
    example = sweep(workspace, server)
    example.settings["tags"] = {"orket-nano": {"Q2_K": "nano-Q3_K_M"}}
    result = example.run()
    assert result.code != 0
    assert "nano-Q3_K_M" in result.text
    assert "Traceback" not in result.text
    assert example.reports() == []


@pytest.mark.slow
def test_a_key_is_taken_from_the_environment_and_never_written(
    workspace: Workspace, honest: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest.lie(api_key="s3cret-token")
    example = sweep(workspace, honest, api_key="${ENV:LAMP_KEY}")
    result = example.run(LAMP_KEY="s3cret-token")
    assert result.code == 0, result.text
    assert example.rows()[0]["valid"]
    monkeypatch.chdir(workspace.folder)
    for command in (["bundle"], ["export", "--out", "runs.csv"], ["export", "--out", "card.svg"]):
        assert main([*command[:1], "example", *command[1:]]) == 0
    with zipfile.ZipFile("example.orket.zip") as bundle:
        bundle.extractall("unpacked")
    files = [path for path in workspace.folder.rglob("*") if path.is_file()]
    folders = {path.relative_to(workspace.folder).parts[0] for path in files}
    assert {"results", "storage", "logs", "unpacked", "runs.csv", "card.svg"} < folders
    for path in files:
        content = path.read_bytes()
        opened = gzip.decompress(content) if path.suffix == ".gz" else content
        assert b"s3cret-token" not in opened, path
