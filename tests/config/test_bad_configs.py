"""Every mistake is named with its key and what is allowed; nothing is shown as a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from orket_lib.cli import main

pytestmark = pytest.mark.usefixtures("folder")

Bad = dict[str, Any]
TABLE = Path(__file__).with_name("bad_configs.yaml")
BAD_CONFIGS: list[Bad] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
GOOD_KEYS = {
    "models": "models: [nano]\n",
    "quants": "quants: [Q8_0, Q4_K_M]\n",
    "task_bank": "task_bank: bank.json\n",
    "artifact_template": "artifact_template: models/{model}-{quant}.gguf\n",
}
GOOD = "".join(GOOD_KEYS.values())


def planned(text: str, *overrides: str) -> int:
    Path("mine.yaml").write_text(text, encoding="utf-8")
    return main(["plan", "mine.yaml", *(f"--config={pair}" for pair in overrides)])


def whole(bad: Bad) -> str:
    without = bad.get("without", ())
    kept = () if without == "all" else (key for key in GOOD_KEYS if key not in without)
    return f"{''.join(GOOD_KEYS[key] for key in kept)}{bad['config']}\n"


def test_there_are_enough_of_them_and_no_name_stands_twice() -> None:
    assert len({bad["name"] for bad in BAD_CONFIGS}) == len(BAD_CONFIGS) >= 40


def test_what_they_are_made_from_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert planned(GOOD) == 0
    # Their files are no models, which is a warning.
    assert "config error" not in capsys.readouterr().err.split("plan of")[0]


@pytest.mark.parametrize("bad", BAD_CONFIGS, ids=lambda bad: bad["name"])
def test_a_mistake_is_named(bad: Bad, capsys: pytest.CaptureFixture[str]) -> None:
    assert planned(whole(bad)) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    first, *lines = captured.err.splitlines()
    assert first == "config error:"
    for part in bad["says"]:
        assert part in captured.err
    for part in ("hunter2", "Traceback", "Input should", "Value error", "validation error"):
        assert part not in captured.err
    assert len(lines) == len(set(lines)) == bad.get("lines", len(lines))


def test_all_mistakes_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    text = """
quants: [Q8_0, Q9_Z, Q6_K]
models: [nano]
artifact_template: models/{model}-{quant}.gguf
runs_per_qant: 3
temperature: hot
canary: {runs: -2, latency_variance_treshold: 1}
task_bank: no.json
task_id_min: 5
task_id_max: 4
kpi_policy: no_policy.json
context_sweep_profile: none
hardware_sidecar_profile: none
affinity_policy: 9999
seed: 1
seed: 2
"""
    assert planned(text) == 1
    said = capsys.readouterr().err
    for part in (
        "mine.yaml: duplicate key: seed (lines ",
        "runs_per_qant: there is no such key",
        "canary.latency_variance_treshold: ",
        "temperature: must be",
        "canary.runs: must be",
        "quants.Q9_Z: unknown quant tag",
        "task_id_min: must not be above",
        "task_bank: no.json",
        "artifacts.nano.Q9_Z, .Q6_K: file not found",
        "kpi_policy: no_policy.json",
        "context_sweep_profile: ",
        "hardware_sidecar_profile: ",
        "affinity_policy: this machine has no CPU 9999",
    ):
        assert part in said
    assert len(said.splitlines()) == 14


def test_a_bank_is_looked_at_though_the_models_are_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert planned("quants: [Q8_0]\ntask_bank: no.json") == 1
    said = capsys.readouterr().err
    assert "models: missing" in said
    assert "task_bank: no.json: there is no such file" in said
    assert "artifacts" not in said  # nothing is known about them


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "mine.yaml: No such file", id="missing"),
        pytest.param(GOOD.encode("utf-16"), "mine.yaml: not UTF-8 (PowerShell's", id="UTF-16"),
        pytest.param(b"seed: \xff", "mine.yaml: not UTF-8", id="Latin-1"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        Path("mine.yaml").write_bytes(content)
    assert main(["plan", "mine.yaml"]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("runs_per_quant", "--config runs_per_quant: must be key=value"),
        ("sweep=../x", 'sweep: must be text such as `my-sweep` (got "../x")'),
        ("sweep=nul", "sweep: is not a folder name on every system"),
        ("runs_per_quant=none", "runs_per_quant: must be a whole number from 1 to 1000"),
        ("canary={runs: none}", "canary.runs: must be a whole number from 0 to 1000"),
        ("quants=[Q8_0", "quants: `[Q8_0` is not a quant tag"),
    ],
)
def test_mistakes_of_the_command_line_are_named(
    pair: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert planned(GOOD, pair) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["__use_yte__: true\n?if True:\n  seed: 1", "seed: [1"], ids=["template", "not YAML"]
)
def test_of_a_file_that_is_not_understood_nothing_else_is_said(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert planned(text) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_yaml_that_contains_itself_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert planned(f"{GOOD}quant_bits: &self\n  a: *self\n") == 1
    assert "its aliases (`*name`) repeat too much" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("models", "rounds", "said"),
    [
        (100_000, 1, "models: lists 100000; a sweep has at most 2000 (got "),
        (1001, 100, "models, quants, rounds: 100100 measurements; a sweep has at most 100000"),
    ],
)
def test_a_sweep_that_is_far_too_large_is_refused_at_once(
    models: int, rounds: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ", ".join(f"m{number}" for number in range(models))
    kept = GOOD.replace("[nano]", f"[{names}]").replace("[Q8_0, Q4_K_M]", "[Q8_0]")
    assert planned(f"{kept}rounds: {rounds}\n") == 1
    assert said in capsys.readouterr().err
