"""The contract of a served model's address: a runner's command that goes there meets the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from contract_subjects import Stage
from nano import bank

from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.measurements.runner import RunnerSettings, RunnerTask
from orket_lib.cli import main
from orket_lib.measure.runs.runner import runner_environment
from orket_lib.providers.base import GenerationRequest, Model
from orket_lib.vocabulary.reasons import Reason

QUESTIONS = bank().tasks[:3]
ANYTHING = RunnerSettings(template=("agent", "{task_file}"))


@pytest.fixture(autouse=True)
def as_a_runner(stage: Stage, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment that a sweep gives to its runner."""
    spec = stage.spec.model_copy(update={"runner": ANYTHING})
    for name, value in runner_environment(spec, model)[0].items():
        monkeypatch.setenv(name, value)


def test_run_task_gets_the_answers_that_we_get(
    stage: Stage, model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.disturbances()
    for task in QUESTIONS:
        spec = stage.spec
        request = GenerationRequest(
            task.prompt, spec.max_output_tokens, spec.temperature, spec.controls.seed, 60.0
        )
        expected = model.generate(request)
        file, folder = tmp_path / f"{task.id}.json", tmp_path / str(task.id)
        named = {"id": task.id, "test_id": task.test_id, "category": task.family}
        write_model(file, RunnerTask(**named, tier=task.tier, prompt=task.prompt))
        assert main(["run-task", f"--task={file}", f"--run-dir={folder}", "--seed=7"]) == 0
        result = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert result["answer"] == expected.text
        assert (folder / "answer.txt").read_text(encoding="utf-8") == expected.text
        counts = result["telemetry"]["token_metrics"]["counts"]
        assert counts["prompt_tokens"] == expected.tokens.prompt
        assert counts["output_tokens"] == expected.tokens.output
        assert result["telemetry"]["total_latency"] > 0
    # It went to the model that is measured, and had nothing loaded anew.
    assert {seen.reason for seen in model.disturbances()} <= {Reason.FOREIGN_REQUESTS}
