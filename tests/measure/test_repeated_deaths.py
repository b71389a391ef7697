"""How often a server may die: decided over the whole cell, however often it is started again."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import spec, task
from fake_provider import FakeProvider, Fault, failing
from measured import measured_report

from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.providers.base import GenerationRequest
from orket_lib.vocabulary.errors import LoadError, ServerCrashed
from orket_lib.vocabulary.failures import Cause, Ending, FailureEvidence
from orket_lib.vocabulary.statuses import Outcome, RunStatus

GOES_ON = spec(on_server_death="run")
ONE, TWO = task(1).prompt, task(2).prompt
DEAD = ServerCrashed("exit status -11", FailureEvidence(Cause.ENDED, ending=Ending(-11, 2.0)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cell"


def measure(folder: Path, wanted: RunSpec) -> RunReport:
    """Start the measurement as a new process would."""
    tasks = (task(1), task(2))
    return measured_report(folder, wanted, tasks)


def one_after_the_other(*events: BaseException) -> Fault:
    """Return a fault that raises an event at each question, as long as there are any."""
    waiting = iter(events)

    def fault(request: GenerationRequest) -> None:
        event = None if request.ignore_eos else next(waiting, None)
        if event is not None:
            raise event

    return fault


def outcomes(report: RunReport) -> list[Outcome]:
    return [run.outcome for run in report.test_runs]


def test_a_server_that_dies_at_each_question_costs_the_row(
    folder: Path, provider: FakeProvider
) -> None:
    provider.fault = failing(DEAD, lambda request: request.prompt in (ONE, TWO))
    report = measure(folder, spec(on_server_death="run", runs_per_task=5))
    assert report.status is RunStatus.CRASHED
    assert report.status_reason is not None
    assert report.status_reason.startswith("exit status -11 (see ")
    assert outcomes(report) == [Outcome.ERROR] * 4
    assert len(provider.models) == 4, "the first one, and three more"


def test_a_death_before_anything_was_asked_counts_too(folder: Path, provider: FakeProvider) -> None:
    provider.fault = failing(DEAD, lambda request: request.ignore_eos)
    report = measure(folder, GOES_ON)
    assert report.status is RunStatus.CRASHED
    assert (report.sessions, report.test_runs) == ((), ())
    assert len(provider.models) == 4


def test_a_server_that_does_not_come_back_has_crashed(folder: Path, provider: FakeProvider) -> None:
    def die(request: GenerationRequest) -> None:
        if request.prompt == TWO:
            provider.load_error = LoadError("no answer")
            raise DEAD

    provider.fault = die
    report = measure(folder, GOES_ON)
    assert report.status is RunStatus.CRASHED
    assert report.retry
    assert str(report.status_reason).startswith("no answer")
    assert outcomes(report) == []


def test_deaths_are_counted_over_interruptions(folder: Path, provider: FakeProvider) -> None:
    wanted = spec(on_server_death="run", runs_per_task=5)
    for _ in range(3):
        provider.fault = one_after_the_other(DEAD, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            measure(folder, wanted)
    provider.fault = one_after_the_other(DEAD)
    report = measure(folder, wanted)
    assert report.status is RunStatus.CRASHED
    assert outcomes(report) == [Outcome.ERROR] * 4


def test_what_a_death_costs_is_no_part_of_what_is_served() -> None:
    assert GOES_ON.digest() == spec().digest() == spec(on_server_death="row").digest()
