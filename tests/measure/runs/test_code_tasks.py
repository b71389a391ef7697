"""Tasks whose answers are code: judged check by check in a sandbox, or not at all, and never 0."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import fake_provider
import pytest
from builders import generation, spec
from fake_provider import FakeProvider
from measured import measured_report

from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.sandbox.jobs import CallEnd, CallJob, Program, ProgramResult, Sandbox
from orket_lib.tasks.grading import graders
from orket_lib.tasks.grading.graders import NotRun
from orket_lib.tasks.task import StructuredTask
from orket_lib.vocabulary.errors import SandboxError
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


WALLS = ("bubblewrap", "namespaces")


def measure(folder: Path, allowed: tuple[str, ...], runs: int = 1) -> RunReport:
    wanted = spec(sandbox=allowed, runs_per_task=runs)
    return measured_report(folder, wanted, (TASK,))


def walled() -> Sandbox:
    found = find_sandbox()
    if isinstance(found, Unavailable):
        pytest.skip(found.reason)
    return found


def answer_with(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = fake_provider.answer

    def written(request: GenerationRequest, slow: int = 1) -> Generation:
        return probe(request) if request.ignore_eos else generation(text=text)

    monkeypatch.setattr(fake_provider, "answer", written)


class Faltering:
    """A sandbox that fails some of its starts, by number from 0."""

    def __init__(self, sandbox: Sandbox, failing: Container[int]) -> None:
        self._sandbox = sandbox
        self._failing = failing
        self._starts = 0
        self.name, self.description = sandbox.name, sandbox.description

    def run(self, program: Program) -> ProgramResult:
        raise AssertionError("nothing here is a program")

    def call(self, job: CallJob) -> list[CallEnd]:
        number, self._starts = self._starts, self._starts + 1
        if number in self._failing:
            raise SandboxError("Resource temporarily unavailable")
        return self._sandbox.call(job)


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
    sandbox = walled()
    answer_with(ANSWERS[answer], monkeypatch)
    report = measure(tmp_path, WALLS)
    (run,) = report.test_runs
    assert (run.outcome, run.telemetry.adherence_score) == (outcome, score)
    assert run.unparseable is unparseable
    assert report.sandbox == sandbox.description


def test_without_a_sandbox_nothing_is_graded_and_with_one_nothing_is_asked_again(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    walled()
    answer_with(ANSWERS["right"], monkeypatch)
    with pytest.raises(NotRun, match=r"1 of 1 tasks are not_run, coding-0001 the first"):
        measure(tmp_path, ())
    report = measure(tmp_path, WALLS)
    assert [run.outcome for run in report.test_runs] == [Outcome.PASS]
    assert len(provider.questions) == 1


def test_a_sandbox_may_fail_now_and_then(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Faltering(walled(), failing={0, 1, 3})
    answer_with(ANSWERS["right"], monkeypatch)
    monkeypatch.setattr(graders, "find_sandbox", lambda _: sandbox)
    report = measure(tmp_path, WALLS, runs=2)
    assert report.status is RunStatus.MEASURED
    assert [run.outcome for run in report.test_runs] == [Outcome.PASS, Outcome.PASS]
    assert len(provider.questions) == 2  # asked once, judged again


def test_a_sandbox_that_goes_on_failing_grades_nothing_and_loses_no_answer(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Faltering(walled(), failing={1, 2, 3})
    answer_with(ANSWERS["right"], monkeypatch)
    monkeypatch.setattr(graders, "find_sandbox", lambda _: sandbox)
    with pytest.raises(NotRun, match="coding-0001: not run: Resource temporarily unavailable"):
        measure(tmp_path, WALLS, runs=2)
    again = measure(tmp_path, WALLS, runs=2)
    assert [run.outcome for run in again.test_runs] == [Outcome.PASS, Outcome.PASS]
    assert len(provider.questions) == 2
