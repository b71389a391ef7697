from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE

from orket_lib.cli import main
from orket_lib.config.loading.parse import parse
from orket_lib.config.secrets import HIDDEN, looks_secret, without_secrets
from orket_lib.sweep.cells import resolve
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.plan import make_plan
from orket_lib.workflow.targets import Targets

SECRET = "hunter2-and-more"


@pytest.mark.parametrize(
    "name",
    ["HF_TOKEN", "OPENAI_API_KEY", "apiKey", "KEY", "db_password", "AWS_SECRET", "CREDENTIALS",
     "GITHUB_PAT", "MYTOKEN", "X-Auth", "session-cookie", "SSH_PASSPHRASE", "AWS_ACCESS_KEY_ID"],
)  # fmt: skip
def test_names_that_hold_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name",
    ["PATH", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "TOKENIZERS_PARALLELISM", "MAX_TOKENS",
     "KEYBOARD", "AUTHOR", "HOME"],
)  # fmt: skip
def test_names_that_hold_none(name: str) -> None:
    assert not looks_secret(name)


def test_what_stands_under_a_secret_name_is_hidden_at_any_depth() -> None:
    value = {
        "a": [{"TOKEN": SECRET, "b": 1}],
        "TOKEN": "${ENV:TOKEN}",
        "u": f"http://me:{SECRET}@x",
    }
    shown = without_secrets(value)
    assert SECRET not in str(shown)
    assert shown["a"] == [{"TOKEN": HIDDEN, "b": 1}]
    assert shown["TOKEN"] == "${ENV:TOKEN}"


@pytest.mark.parametrize(
    "value", ["${ENV:HF_TOKEN", "$HF_TOKEN", "Bearer ${ENV:HF_TOKEN}", "${ENV:}", ""]
)
@pytest.mark.usefixtures("folder")
def test_only_a_whole_reference_is_one(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text(f"runtime_env: {{HF_TOKEN: '{value}'}}\n", encoding="utf-8")
    assert main(["plan", "mine.yaml"]) == 1
    assert "`HF_TOKEN` looks like a secret" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_secret_stands_in_nothing_that_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    raw: dict[str, Any] = {
        "models": ["nano"],
        "quants": ["Q8_0"],
        "task_bank": "bank.json",
        "artifact_template": "models/{model}-{quant}.gguf",
        "hardware_sidecar_template": "probe {out_file}",
        "runtime_env": {"HF_TOKEN": "${ENV:HF_TOKEN}", "OMP_NUM_THREADS": 4},
    }
    sweep = resolve(parse(raw), HashCache(Path("cache.json")), MACHINE)
    targets = Targets(sweep)
    matrix = targets.policy_json("matrix")
    assert '"HF_TOKEN":"${ENV:HF_TOKEN}"' in matrix.replace(" ", "")
    assert sweep.config.runtime_env["OMP_NUM_THREADS"] == "4"
    plan = make_plan(sweep, None, None).model_dump_json()
    assert main(["plan", f"--config=runtime_env={raw['runtime_env']}", *_as_options(raw)]) == 1
    said = capsys.readouterr()
    specs = [targets.spec_json(cell.model_slug, cell.quant_tag) for cell in sweep.cells]
    for text in (matrix, plan, targets.plan_json(), *specs, said.err, said.out):
        assert SECRET not in text


def _as_options(raw: dict[str, Any]) -> list[str]:
    return [f"--config={key}={value}" for key, value in raw.items() if isinstance(value, str)]
