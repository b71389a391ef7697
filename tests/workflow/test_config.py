"""Configs through the real `snakemake -n`: what a person sees, and how fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from sweep_workspace import ROOT, Workspace, jobs

PRESETS = sorted(path.name for path in (ROOT / "config" / "presets").glob("*.json"))


def dry_run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "name",
    [PRESETS[0], *(pytest.param(name, marks=pytest.mark.slow) for name in PRESETS[1:])],
)
def test_a_preset_dry_runs_quickly_without_a_server(name: str, workspace: Workspace) -> None:
    before_s = psutil.Process().cpu_times().children_user
    done = dry_run(workspace.folder, "--configfile", f"config/presets/{name}")
    cpu_s = psutil.Process().cpu_times().children_user - before_s

    assert done.returncode == 0, done.stderr
    for word in (
        "commit_sha",
        "qwen2.5-coder:7b, llama3.1:8b",
        "Q8_0, Q6_K, Q4_K_M",
        "experimental_controls",
        "canary",
        "hardware_sidecar",
        "qwen2.5-coder:7b-instruct-q4_K_M",
    ):
        assert word in done.stdout
    assert cpu_s < 5  # about 1; it is CPU time because the machine may be busy
    assert not (workspace.folder / "storage").exists()
    assert not (workspace.folder / "results").exists()


@pytest.mark.slow
def test_a_real_run_without_its_server_stops_at_the_preflight_with_the_line_that_starts_it(
    workspace: Workspace,
) -> None:
    nowhere = "base_url=http://127.0.0.1:9"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake"),
            *("--configfile", "config/presets/quant_sweep_mixed.json", "--config", nowhere),
        ],
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "ollama at http://127.0.0.1:9: connection refused" in done.stderr
    assert "    ollama serve\n" in done.stderr
    assert f"run: snakemake -R check_needs --configfile config/presets/{PRESETS[2]}" in done.stderr
    assert "Traceback" not in done.stderr
    assert workspace.runs() == []


@pytest.mark.slow
def test_a_template_is_refused_without_a_traceback(workspace: Workspace) -> None:
    (workspace.folder / "more.yaml").write_text("__use_yte__: true\n", encoding="utf-8")
    workspace.command()  # writes small.yaml
    done = dry_run(workspace.folder, "--configfile", "more.yaml", "small.yaml")
    assert done.returncode == 1
    assert "config error:" in done.stderr
    assert "must not be a template" in done.stderr
    assert "Traceback" not in done.stderr


def test_all_mistakes_are_told_at_once_and_no_secret(workspace: Workspace) -> None:
    mistakes = {
        "canary: {run: 1}": "did you mean `canary.runs`?",
        "runtime_env: {API_KEY: hunter2}": "looks like a secret",
        "sweep: other": "sweep: must be `small`, the name of",
        "rounds: 0": "rounds: must be a whole number from 1 to 1000",
        "adherence_treshold: 1": "did you mean `adherence_threshold`?",
    }
    (workspace.folder / "more.yaml").write_text("\n".join(mistakes), encoding="utf-8")
    del workspace.config["models"]
    workspace.command()  # writes small.yaml
    done = dry_run(workspace.folder, "--configfile", "more.yaml", "small.yaml")
    assert done.returncode == 1
    for message in (*mistakes.values(), "models: missing"):
        assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_a_plan_has_what_all_files_and_the_command_line_say(workspace: Workspace) -> None:
    (workspace.folder / "more.json").write_text('{"latency_ceiling": 1e-3}', encoding="utf-8-sig")
    workspace.command()
    done = dry_run(
        workspace.folder,
        *("--configfile", "more.json", "small.yaml"),
        *("--config", "canary_runs=7", "seed=null", "model_id=orket-nano"),
    )
    assert done.returncode == 0, done.stderr
    assert "latency <= 0.001 s" in done.stdout
    assert "7 runs of 1 task" in done.stdout
    assert "seed default" in done.stdout
    assert (done.stdout + done.stderr).count("model_id: deprecated key") == 1
    # Neither a context sweep nor a thermal series was asked for.
    assert not [rule for rule in jobs(done.stdout) if "context" in rule or "thermal" in rule]
