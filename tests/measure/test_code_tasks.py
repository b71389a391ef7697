"""Tasks whose answers are code: judged check by check in a sandbox, or not at all, and never 0."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import fake_provider
import pytest
from builders import generation, spec
from fake_provider import FakeProvider
from measured import measured_report

from orket_lib.artifacts.run_report import RunReport
from orket_lib.measure import sandboxes
from orket_lib.measure.journal import JOURNAL, seal
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.tasks.sandbox.finding import Unavailable, find_sandbox
from orket_lib.tasks.sandbox.jobs import CallEnd, CallJob, Program, ProgramResult, Sandbox
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

    def written(request: GenerationRequest) -> Generation:
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


@pytest.mark.parametrize("row_made", [False, True], ids=["no row", "row made"])
def test_a_row_without_a_sandbox_is_measured_when_there_is_one(
    row_made: bool, tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    walled()
    answer_with(ANSWERS["right"], monkeypatch)
    find = sandboxes.find_sandbox
    monkeypatch.setattr(sandboxes, "find_sandbox", lambda _: Unavailable("not installed"))
    found = measure(tmp_path, WALLS)
    assert (found.status, found.test_runs) == (RunStatus.INCOMPLETE, ())
    if row_made:
        seal(tmp_path / JOURNAL, found.spec_digest)
    monkeypatch.setattr(sandboxes, "find_sandbox", find)
    (tmp_path / "run.json").unlink()
    again = measure(tmp_path, WALLS)
    assert (again.status, again.status_reason) == (RunStatus.MEASURED, None)
    assert [run.outcome for run in again.test_runs] == [Outcome.PASS]


def test_a_sandbox_may_fail_now_and_then(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Faltering(walled(), failing={0, 1, 3})
    answer_with(ANSWERS["right"], monkeypatch)
    monkeypatch.setattr(sandboxes, "find_sandbox", lambda _: sandbox)
    report = measure(tmp_path, WALLS, runs=2)
    assert report.status is RunStatus.MEASURED
    assert [run.outcome for run in report.test_runs] == [Outcome.PASS, Outcome.PASS]
    assert len(provider.questions) == 2  # asked once, judged again


def test_a_sandbox_that_goes_on_failing_halts_the_measurement_and_does_not_end_it(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Faltering(walled(), failing={1, 2, 3})
    answer_with(ANSWERS["right"], monkeypatch)
    monkeypatch.setattr(sandboxes, "find_sandbox", lambda _: sandbox)
    found = measure(tmp_path, WALLS, runs=2)
    assert found.status is RunStatus.INCOMPLETE
    assert found.status_reason == "coding-0001: not run: Resource temporarily unavailable"
    assert [run.run_index for run in found.test_runs] == [0]
    (tmp_path / "run.json").unlink()
    again = measure(tmp_path, WALLS, runs=2)
    assert again.status is RunStatus.MEASURED
    assert again.test_runs[0] == found.test_runs[0]
    assert [run.run_index for run in again.test_runs] == [0, 1]
    assert len(provider.models[1].questions) == 1
    assert [probe.index for probe in again.probes] == [0, 1]
