"""Disturbed steps are done again, as often as the config allows, and never for nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import fake_provider
import psutil
import pytest
from builders import generation, spec, task
from fake_provider import FakeProvider, failing, quiet
from measured import measured_report

from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.providers.base import GenerationRequest
from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary.reasons import TABLE, TRANSIENT, Kind, Reason, Severity
from orket_lib.vocabulary.statuses import TokenStatus

TASKS = (task(1), task(2))


def busy(at_s: float) -> Sample:
    return Sample(
        at_s, at_s * (psutil.cpu_count() or 1), 0.0, 0.0, 0, 0, 0, top_pid=9, top_name="miner"
    )


def measure(folder: Path, repeats: int) -> RunReport:
    wanted = spec(rerun_polluted=repeats)
    return measured_report(folder, wanted, TASKS)


def test_on_a_quiet_machine_nothing_is_repeated(tmp_path: Path, provider: FakeProvider) -> None:
    report = measure(tmp_path, 3)
    assert len(provider.questions) == 4
    assert (report.discarded_runs, report.discarded_probes, report.observations) == ((), (), ())


def test_a_machine_that_stays_busy_ends_it_at_the_limit(
    tmp_path: Path, provider: FakeProvider
) -> None:
    provider.samples = [busy(at_s) for at_s in (0.0, 1.0, 2.0, 30.0)]
    report = measure(tmp_path, 2)
    assert Counter(provider.questions) == {found.prompt: 2 * 3 for found in TASKS}
    assert len(report.test_runs) == 4
    assert (len(report.discarded_runs), len(report.discarded_probes)) == (8, 4)
    assert all(run.telemetry.run_quality_reasons for run in report.test_runs)
    (note,) = [o for o in report.observations if o.reason is Reason.POLLUTED_RUNS_REPEATED]
    assert note.evidence.startswith("12 disturbed steps were repeated: probe 1 (")
    assert note.evidence.endswith(" and 7 more")


def test_all_that_comes_and_goes_is_worth_another_try() -> None:
    """What pollutes by the machine's doing is repeated, but for what the server always does."""
    always = {
        Reason.MISSING_TOKEN_TIMINGS,
        Reason.HIGH_ORCHESTRATION_OVERHEAD,
        Reason.PREFIX_CACHE_HIT,
        Reason.CANARY_LATENCY,
        Reason.CPU_THROTTLED,  # a quota stays
    }
    physics = {
        reason
        for reason, entry in TABLE.items()
        if entry.kind is Kind.PHYSICS and entry.severity is not Severity.NOTE
    }
    assert physics - always == TRANSIENT


def test_without_the_setting_a_disturbed_run_stays(tmp_path: Path, provider: FakeProvider) -> None:
    provider.samples = [busy(at_s) for at_s in (0.0, 1.0, 2.0, 30.0)]
    report = measure(tmp_path, 0)
    assert len(provider.questions) == 4
    assert report.discarded_runs == ()


def test_a_measurement_that_was_killed_goes_on_with_the_repetitions(
    tmp_path: Path, provider: FakeProvider
) -> None:
    provider.samples = [busy(at_s) for at_s in (0.0, 1.0, 2.0, 30.0)]
    second = TASKS[1].prompt
    seen: list[str] = []

    def when_it_is_repeated(request: GenerationRequest) -> bool:
        seen.append(request.prompt)
        return request.prompt == second and seen.count(second) == 3

    provider.fault = failing(KeyboardInterrupt(), when_it_is_repeated)
    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path, 1)
    provider.fault = FakeProvider().fault
    provider.samples = [quiet(at_s) for at_s in (0.0, 1.0, 2.0, 30.0)]
    report = measure(tmp_path, 1)
    assert len(report.test_runs) == 4
    assert len(report.discarded_runs) == 4
    assert {run.session for run in report.test_runs} == {0, 1}
    polluted = [run for run in report.test_runs if run.telemetry.run_quality_reasons]
    assert [(run.task_id, run.run_index) for run in polluted] == [(1, 0)]  # repeated already


def test_what_would_be_the_same_again_is_not_repeated(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = generation(text="1", usage=None, timings=None)
    monkeypatch.setattr(fake_provider, "answer", lambda *_: silent)
    report = measure(tmp_path, 3)
    assert {run.telemetry.token_metrics_status for run in report.test_runs} != {TokenStatus.OK}
    assert len(provider.questions) == 4
    assert (report.discarded_runs, report.discarded_probes) == ((), ())
