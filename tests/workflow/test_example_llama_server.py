"""The example for the user's own llama-server, with a real one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from real_llama_server import LLAMA_SERVER, llama_server_of_others
from sweep_workspace import ROOT, Result, Workspace

pytestmark = pytest.mark.skipif(
    LLAMA_SERVER not in os.environ,
    reason=f"{LLAMA_SERVER} names no llama-server (.ci/build_llama_server makes one)",
)
EXAMPLE = "config/examples/llama_server.yaml"
# What a shared machine can't hold, and how much there is time for here; no other key is touched.
HERE = (
    "execution_lane=ci",
    "canary_latency_variance_threshold=100",
    "row_max_orchestration_overhead_ratio=1",
    "task_limit=3",
    "probe_runs=1",
)


def run(workspace: Workspace, *settings: str) -> Result:
    """Run the example with some settings of one's own."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--configfile", EXAMPLE),
            *("--config", "sweep=example", *HERE, *settings),
        ],
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Result(done.returncode, done.stdout + done.stderr)


def rows(workspace: Workspace) -> list[dict[str, Any]]:
    summary = workspace.json("results/example/quant_sweep/sweep_summary.json")
    return [row for session in summary["sessions"] for row in session["per_quant"]]


def reports(workspace: Workspace) -> list[dict[str, Any]]:
    return [
        workspace.json(path.relative_to(workspace.folder).as_posix()) for path in workspace.runs()
    ]


@contextmanager
def running(workspace: Workspace, quant: str) -> Iterator[str]:
    """Run someone else's server with a file of the workspace's models."""
    model = ROOT / "models" / "orket-nano" / f"orket-nano-{quant}.gguf"
    with llama_server_of_others(model, workspace.folder, "--ctx-size", "2048") as address:
        yield address


@pytest.mark.slow
def test_each_quant_is_served_by_a_server_of_its_own(workspace: Workspace) -> None:
    result = run(workspace, f"server_binary={os.environ[LLAMA_SERVER]}", "threads=1")
    assert result.code == 0, result.text
    found = rows(workspace)
    assert [(row["quant_tag"], row["status"]) for row in found] == [
        ("Q8_0", "measured"),
        ("Q4_K_M", "measured"),
    ]
    assert all(row["valid"] for row in found), [row["invalid_because"] for row in found]
    assert all(row["test_runs"] == 2 * 3 for row in found)
    assert all(row["generation_tokens_per_second"] > 0 for row in found)
    assert all(row["init_latency"] > 0 for row in found)
    for report in reports(workspace):
        (session,) = report["sessions"]
        assert session["served"]["build"].startswith("llama-server, llama.cpp b")
        assert session["served"]["quant_tag"] == report["spec"]["quant_tag"]
        assert session["served"]["n_ctx"] == 2048
        assert {item["name"]: item["held"] for item in session["controls"]} == {
            "seed": True,
            "threads": True,
        }
        assert session["decode_clock"] == "first_token"


def test_a_binary_that_is_not_there_costs_nothing_and_is_named(workspace: Workspace) -> None:
    result = run(workspace, "server_binary=no-such-server")
    assert result.code != 0
    assert "no-such-server" in result.text
    assert "Traceback" not in result.text
    assert workspace.runs() == []


@pytest.mark.slow
def test_a_server_that_runs_is_used_as_it_is_and_goes_on_running(workspace: Workspace) -> None:
    with running(workspace, "Q8_0") as address:
        result = run(workspace, f"base_url={address}", "quants=Q8_0")
        again = run(workspace, f"base_url={address}", "quants=Q8_0")
    assert result.code == 0, result.text
    assert "Nothing to be done" in again.text
    (row,) = rows(workspace)
    assert row["valid"], row["invalid_because"]
    assert row["null_reasons"]["init_latency"] == "SERVER_ALREADY_RUNNING"
    assert row["peak_memory_rss"] > 0


@pytest.mark.slow
def test_a_server_that_serves_another_quant_makes_no_row_of_it(workspace: Workspace) -> None:
    with running(workspace, "Q8_0") as address:
        result = run(workspace, f"base_url={address}", "quants=Q4_K_M", "canary_runs=0")
    assert result.code != 0 or not rows(workspace)[0]["valid"]
    (report,) = reports(workspace)
    assert report["status"] == "load_failed"
    assert "orket-nano-Q8_0.gguf" in report["status_reason"]
    assert "orket-nano-Q4_K_M.gguf" in report["status_reason"]
