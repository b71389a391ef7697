"""As a new user would: ask the doctor, copy its suggestion, run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import yaml
from ollama_running import simulated_ollama
from sweep_workspace import ROOT, Workspace

FILES = {
    quant: ROOT / "models/orket-nano" / f"orket-nano-{quant}.gguf" for quant in ("F16", "Q2_K")
}
# Less of what is suggested, and tasks that this model can do, on the command line; every port is
# shut but the one that a test opens.
SHORT = ("task_limit=3", "probe_runs=1", "canary_runs=3", "task_bank=reference")
SHUT = [
    f"--server={provider}=http://127.0.0.1:9"
    for provider in ("ollama", "lmstudio", "llama_server", "openai")
]


def doctor(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "orket_lib", "doctor", "--json", *SHUT, *arguments],
        cwd=workspace.folder,
        env={**os.environ, "HOME": str(workspace.folder)},  # without models of your own
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def run_suggestion(
    workspace: Workspace, found: dict[str, Any], *more: str
) -> dict[str, list[dict[str, Any]]]:
    """Copy what was suggested into a file, run it, and return the rows of each model."""
    (workspace.folder / "mine.yaml").write_text(found["suggestion"], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--configfile", "mine.yaml", "--config", *SHORT, *more],
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        timeout=600,  # it may have to wait for other measurements on this machine
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = workspace.json("results/mine/quant_sweep/sweep_summary.json")
    found_rows = {it["model_id"]: it["per_quant"] for it in summary["sessions"]}
    for rows in found_rows.values():
        assert [row["status"] for row in rows] == ["measured"] * len(rows)
        assert all(row["valid"] for row in rows)
    return found_rows


def readings(found: dict[str, Any]) -> dict[str, str]:
    return {item["reading"]: item["reason"] for item in found["missing"]}


@pytest.mark.slow
def test_with_nothing_running_the_suggestion_sweeps_the_reference_model(
    workspace: Workspace,
) -> None:
    found = doctor(workspace)
    (rows,) = run_suggestion(workspace, found, "quants=F16,Q2_K").values()
    assert yaml.safe_load(found["suggestion"])["provider"] == "embedded"
    assert [row["quant_tag"] for row in rows] == ["F16", "Q2_K"]
    # What the doctor said would be null is what is null, by the same reasons.
    nulls = {reading: why for row in rows for reading, why in row["null_reasons"].items()}
    assert nulls["peak_vram_mib"] == readings(found)["peak_vram_mib"]
    (report, *_) = [json.loads(path.read_text(encoding="utf-8")) for path in workspace.runs()]
    of_the_host = set(report["hosts"][0]["null_reasons"].values())
    assert of_the_host <= set(readings(found).values())


@pytest.mark.slow
def test_with_an_ollama_the_suggestion_sweeps_the_quants_that_it_has(workspace: Workspace) -> None:
    shelf = {f"mine:{tag}": {"file": str(FILES[tag.upper()])} for tag in ("q2_K", "f16")}
    with simulated_ollama(shelf | {"other:8b": {"file": str(FILES["Q2_K"])}}) as server:
        found = doctor(workspace, f"--server=ollama={server.url}")
        by_model = run_suggestion(workspace, found)
        assert server.loaded == []
    tags = {
        model: [(row["quant_tag"], row["artifact"]["tag"]) for row in rows]
        for model, rows in by_model.items()
    }
    assert tags == {
        "mine": [("F16", "mine:f16"), ("Q2_K", "mine:q2_K")],
        "other:8b": [("Q2_K", "other:8b")],
    }
    rows = by_model["mine"]
    assert yaml.safe_load(found["suggestion"])["task_bank"].endswith("/general.json")
    assert len({row["artifact"]["digest"] for row in rows}) == 2
    nulls = {reading: why for row in rows for reading, why in row["null_reasons"].items()}
    assert nulls["peak_vram_mib"] == readings(found)["peak_vram_mib"]


@pytest.mark.slow
def test_a_preflight_that_has_every_tag_lets_the_sweep_begin_and_one_that_lacks_some_says_so(
    workspace: Workspace,
) -> None:
    workspace.config |= {
        "provider": "ollama",
        "quants": ["F16", "Q2_K"],
        "tags": {"orket-nano": {"F16": "mine:f16", "Q2_K": "mine:q2_K"}},
        "threads": None,
    }
    with simulated_ollama({"mine:f16": {"file": str(FILES["F16"])}}) as server:
        workspace.config["base_url"] = server.url
        stopped = workspace.run()
        assert stopped.code == 1
        assert "mine:q2_K: not found; on offer: mine:f16\n    ollama pull mine:q2_K" in stopped.text
        assert "run: snakemake -R check_needs --configfile small.yaml" in stopped.text
        assert server.loads == 0  # nothing was begun

        server.keep("mine:q2_K", file=str(FILES["Q2_K"]))  # the user's `ollama pull`
        again = workspace.run("results/small/preflight_passed.ok", "-R", "check_needs")
        assert again.code == 0, again.text
        verdict = workspace.json("results/small/preflight.json")
        assert verdict["passed"]
        assert [check["ok"] for check in verdict["checks"]] == [True] * len(verdict["checks"])
