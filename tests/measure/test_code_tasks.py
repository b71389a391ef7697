"""Tasks whose answers are code: judged check by check in a sandbox, or not at all, and never 0."""

from __future__ import annotations

from pathlib import Path

import fake_provider
import pytest
from builders import PROVENANCE, generation, spec
from fake_provider import FakeProvider

from orket_lib.artifacts.run_report import RunReport
from orket_lib.measure.harness import CellMeasurement
from orket_lib.measure.progress import Silent
from orket_lib.providers.base import Generation, GenerationRequest, Source
from orket_lib.tasks.sandbox.finding import Unavailable, find_sandbox
from orket_lib.tasks.task import StructuredTask
from orket_lib.vocabulary.statuses import Outcome, RunStatus

TASK = StructuredTask.model_validate(
    {
        "id": 1,
        "tier": 1,
        "category": "coding",
        "instruction": "Implement half(number).",
        "evaluation": {
            "type": "function_examples",
            "function_name": "half",
            "examples": [{"args": [4], "expected": 2}, {"args": [3], "expected_python": "1.5"}],
        },
    }
)
BODIES = {"right": "number / 2 if number % 2 else number // 2", "half right": "number / 2"}
ANSWERS = {
    name: f"```python\ndef half(number):\n    return {body}\n```" for name, body in BODIES.items()
} | {"no code": "I would divide it by two."}


def measure(folder: Path, allowed: tuple[str, ...]) -> RunReport:
    wanted = spec(sandbox=allowed, runs_per_task=1)
    cell = CellMeasurement(wanted, Source(Path("nano.gguf")), (TASK,), folder, Silent())
    return cell.run(PROVENANCE)


@pytest.mark.parametrize(
    ("answer", "outcome", "score", "unparseable"),
    [
        ("right", Outcome.PASS, 1.0, False),
        ("half right", Outcome.FAIL, 0.5, False),
        ("no code", Outcome.FAIL, 0.0, True),
    ],
)
def test_code_is_judged_check_by_check(
    answer: str,
    outcome: Outcome,
    score: float,
    unparseable: bool,
    tmp_path: Path,
    provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sandbox = find_sandbox()
    if isinstance(sandbox, Unavailable):
        pytest.skip(sandbox.reason)
    probe = fake_provider.answer

    def written(request: GenerationRequest) -> Generation:
        return probe(request) if request.ignore_eos else generation(text=ANSWERS[answer])

    monkeypatch.setattr(fake_provider, "answer", written)
    report = measure(tmp_path, ("bubblewrap", "namespaces"))
    (run,) = report.test_runs
    assert (run.outcome, run.telemetry.adherence_score) == (outcome, score)
    assert run.unparseable is unparseable
    assert report.sessions[0].sandbox == sandbox.description


def test_without_a_sandbox_the_cell_is_incomplete_and_no_model_is_loaded(
    tmp_path: Path, provider: FakeProvider
) -> None:
    report = measure(tmp_path, ())
    assert report.status is RunStatus.INCOMPLETE
    assert report.test_runs == ()
    assert provider.models == []
    assert report.status_reason is not None
    assert report.status_reason.startswith("1 of 1 tasks are not_run, coding-0001 the first")
