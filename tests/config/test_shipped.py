"""Presets, profiles, examples: what is shipped is what the contract says, and plans anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orket_lib.artifacts.measurements.spec import WITH_WALLS
from orket_lib.cli import main
from orket_lib.sweep.load import load_sweep
from orket_lib.sweep.plan import needs

ROOT = Path(__file__).resolve().parents[2]
PRESETS = ("common_sessions", "logic_only", "mixed", "refactor_heavy")


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with what a clone holds, and no server anywhere."""
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")


def plan(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["plan", "--json", *arguments]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


def preset(name: str) -> str:
    return f"config/presets/quant_sweep_{name}.json"


def test_there_are_four_presets() -> None:
    found = {path.stem for path in (ROOT / "config" / "presets").glob("*.json")}
    assert found == {f"quant_sweep_{name}" for name in PRESETS}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_plans_without_a_server(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(capsys, preset(name))
    assert found["sweep"] == f"quant_sweep_{name}"
    assert found["provider"] == "ollama"
    assert found["models"] == ["qwen2.5-coder:7b", "llama3.1:8b"]
    assert found["quants"] == ["Q8_0", "Q6_K", "Q4_K_M"]
    assert found["execution_lane"] == "lab"
    assert [cell["artifact"] for cell in found["cells"]] == [
        f"{model}-instruct-{tag}"
        for model in ("qwen2.5-coder:7b", "llama3.1:8b")
        for tag in ("q8_0", "q6_K", "q4_K_M")
    ]
    assert found["expected_runs"] == 6 * found["task_bank"]["tasks"] * 2
    assert found["canary"]["enabled"]
    assert found["hardware_sidecar"]["enabled"] is False


@pytest.mark.parametrize(
    ("name", "bank", "tasks"),
    [
        ("common_sessions", "realworld", 65),
        ("logic_only", "logic", 66),
        ("refactor_heavy", "refactor", 30),
        ("mixed", "mixed", 60),
    ],
)
def test_a_preset_asks_what_its_name_says(
    name: str, bank: str, tasks: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = plan(capsys, preset(name))["task_bank"]
    assert (found["path"], found["tasks"]) == (f"config/task_banks/{bank}.json", tasks)


@pytest.mark.parametrize(("bank", "kinds"), [("reference", None), ("mixed", WITH_WALLS)])
def test_a_sandbox_is_needed_where_code_is_asked_for(
    bank: str, kinds: tuple[str, ...] | None
) -> None:
    path = ROOT / "config" / "examples" / "embedded.yaml"
    sweep = load_sweep([path], {"task_bank": f"config/task_banks/{bank}.json"}, remember=False)
    assert needs(sweep).code_sandbox == kinds


def test_refactoring_is_judged_more_strictly_and_may_take_longer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    strict, mixed = (plan(capsys, preset(name)) for name in ("refactor_heavy", "mixed"))
    assert strict["adherence_threshold"] > mixed["adherence_threshold"]
    assert strict["latency_ceiling"] > mixed["latency_ceiling"]


def test_an_example_behind_a_preset_keeps_its_thresholds_and_brings_its_files(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = plan(capsys, preset("refactor_heavy"), "config/examples/embedded.yaml")
    assert found["provider"] == "embedded"
    assert [cell["sha256"] is not None for cell in found["cells"]] == [True, True]
    assert found["task_bank"]["path"] == "config/task_banks/refactor.json"
    assert (found["adherence_threshold"], found["latency_ceiling"]) == (0.98, 40)


@pytest.mark.parametrize("name", ["embedded", "llama_server", "lmstudio", "ollama", "vllm"])
def test_an_example_plans_as_it_stands(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["plan", f"config/examples/{name}.yaml"]) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "config warning" in line]
    assert all("does not answer" in line for line in warnings)  # no server runs here


def test_context_profiles_are_those_of_the_contract() -> None:
    content = json.loads((ROOT / "config" / "context_profiles.json").read_text(encoding="utf-8"))
    assert content["profiles"] == {
        name: {
            "contexts": contexts,
            "adherence_min": adherence,
            "ttft_ceiling_ms": ttft,
            "decode_floor_tps": decode,
        }
        for name, contexts, adherence, ttft, decode in (
            ("safe", [4096, 8192, 16384], 0.95, 250, 20),
            ("balanced", [8192, 16384, 32768], 0.93, 350, 15),
            ("stress", [16384, 32768, 65536], 0.90, 500, 10),
        )
    }


def test_the_kpi_policy_is_that_of_the_contract() -> None:
    content = json.loads((ROOT / "config" / "kpi_policy.json").read_text(encoding="utf-8"))
    assert content == {
        "max_missing_telemetry_rate": 0.01,
        "max_polluted_run_rate": 0.1,
        "min_frontier_success_rate": 0.8,
        "min_determinism_rate": 1.0,
    }


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.json")), ids=lambda p: p.name)
def test_shipped_json_has_no_bom(path: Path) -> None:
    assert not path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_plan_has_all_that_the_contract_names(capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(capsys, preset("mixed"), "--config", "hardware_sidecar_profile=cpu_only")
    assert set(found) >= {"commit_sha", "dirty", "models", "quants", "cells", "row_quality_policy"}
    assert set(found["task_bank"]) == {"path", "sha256", "tasks"}
    assert set(found["experimental_controls"]) == {
        "seed",
        "threads",
        "affinity_policy",
        "warmup_steps",
    }
    assert set(found["canary"]) >= {
        "enabled",
        "runs",
        "task_limit",
        "task_id_min",
        "task_id_max",
        "latency_variance_threshold",
        "drop_first_run",
        "max_missing_telemetry_rate",
    }
    sidecar = found["hardware_sidecar"]
    assert set(sidecar) == {"enabled", "profile", "template", "timeout_sec"}
    assert (sidecar["enabled"], sidecar["profile"]) == (True, "cpu_only")
    assert found["provenance"]["config_sha256"]
    assert all("does not answer" in line for line in found["warnings"])  # no server runs here


def test_a_plan_has_what_the_config_says_of_serving(capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(capsys, preset("mixed"))["serving"] == {
        "n_ctx": 8192,
        "temperature": 0,
        "max_output_tokens": 1024,
        "task_timeout_sec": 120,
        "thinking": "default",
        "thinking_budget": None,
    }


def test_settings_may_follow_one_config_option_or_several(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pairs = ("seed=9", "n_ctx=512", "canary_runs=3")
    together = plan(capsys, preset("mixed"), "--config", *pairs)
    apart = plan(capsys, preset("mixed"), "--config", *pairs[:2], "--config", pairs[2])
    for found in (together, apart):
        assert found["sweep"] == "quant_sweep_mixed"
        assert found["experimental_controls"]["seed"] == 9
        assert found["serving"]["n_ctx"] == 512
        assert found["canary"]["runs"] == 3


def test_a_file_behind_config_is_told_where_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--config", "seed=9", preset("mixed")]) == 1
    said = capsys.readouterr().err
    assert "quant_sweep_mixed.json: must be key=value; config files come before --config" in said


def test_a_plan_shows_the_sidecars_command(capsys: pytest.CaptureFixture[str]) -> None:
    overrides = [
        "hardware_sidecar_template=probe --out {out_file}",
        "hardware_sidecar_timeout_sec=9",
    ]
    assert main(["plan", *(f"--config={pair}" for pair in overrides)]) == 0
    assert "probe --out '{out_file}', at most 9 s" in capsys.readouterr().out


def test_a_plan_shows_the_runner_s_command(capsys: pytest.CaptureFixture[str]) -> None:
    examples = ("config/examples/embedded.yaml", "config/examples/runner.yaml")
    command = ["orket", "run-task", "--task", "{task_file}", "--run-dir", "{run_dir}"]
    assert plan(capsys, *examples)["runner"] == [*command, "--seed", "{seed}"]
    assert main(["plan", *examples]) == 0
    said = capsys.readouterr().out
    assert "orket run-task --task '{task_file}'" in said
    assert "config warning" not in said
