"""A cell of a slow server: its probes are shorter and come after the tasks, also after a kill.

How short, and when, is decided in `readiness`; here it is what a cell makes of that.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import STRICT, spec, task
from fake_provider import SLOW, FakeProvider, failing
from measured import measured_report

from orket_lib.analysis.rows.row import build_row
from orket_lib.artifacts.measurements.spec import ControlSettings, RunSpec
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.providers.base import GenerationRequest
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, Quality, RunStatus, SidecarStatus

TASKS = (task(1), task(2))
SHORT = 32  # output tokens of the fake's probes, once it is slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cell"


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    return tmp_path / "server_facts"


@pytest.fixture(autouse=True)
def slow(provider: FakeProvider) -> None:
    provider.slow = SLOW


def measure(folder: Path, wanted: RunSpec | None = None, facts: Path | None = None) -> RunReport:
    return measured_report(folder, wanted or spec(), TASKS, facts=facts)


def is_probe(request: GenerationRequest) -> bool:
    return request.ignore_eos and request.max_tokens == SHORT


def asked(provider: FakeProvider) -> list[str]:
    """Return, of what is asked from now on, what counts: tasks and probes, in order."""
    order: list[str] = []

    def note(request: GenerationRequest) -> None:
        if is_probe(request) or not request.ignore_eos:
            order.append("probe" if request.ignore_eos else "task")

    provider.fault = note
    return order


def killed(provider: FakeProvider, folder: Path, at_probe: int) -> None:
    """Measure until the process is killed at one of its probes, counted from 0."""
    probes: list[None] = []

    def when(request: GenerationRequest) -> bool:
        probes.extend([None] * is_probe(request))
        return len(probes) > at_probe

    provider.fault = failing(KeyboardInterrupt(), when)
    with pytest.raises(KeyboardInterrupt):
        measure(folder)


def test_probes_are_short_and_come_after_the_tasks(folder: Path, provider: FakeProvider) -> None:
    order = asked(provider)
    report = measure(folder)
    assert report.status is RunStatus.MEASURED
    assert order == ["task"] * 4 + ["probe"] * 2
    assert [probe.index for probe in report.probes] == [0, 1]
    for probe in report.probes:
        assert (probe.output_tokens, probe.decode_intervals) == (SHORT, SHORT - 1)
        assert probe.generation_tokens_per_second == pytest.approx(100 / SLOW)
        assert probe.prompt_tokens_per_second == pytest.approx(1024 / SLOW)
        (seen,) = probe.observations
        assert seen.reason is Reason.PROBE_SHORTENED
    probing = report.sessions[0].probing
    assert probing is not None
    assert (probing.prompt_tokens, probing.output_tokens, probing.after_tasks) == (128, SHORT, True)


def test_a_row_of_short_probes_has_its_rates_and_a_note(folder: Path) -> None:
    row = build_row(measure(folder), STRICT, Lane.LAB, {}, SidecarStatus.NOT_APPLICABLE, "run.json")
    (note,) = row.notes
    assert note.reason is Reason.PROBE_SHORTENED
    assert "32 output tokens instead of 128" in note.evidence
    assert row.generation_tokens_per_second == pytest.approx(100 / SLOW)
    assert row.run_quality_status is Quality.CLEAN


@pytest.mark.parametrize("at_probe", [0, 1])
def test_what_is_killed_at_its_probes_goes_on_with_those_that_are_missing(
    folder: Path, provider: FakeProvider, at_probe: int
) -> None:
    killed(provider, folder, at_probe)
    order = asked(provider)
    report = measure(folder)
    assert order == ["probe"] * (2 - at_probe)
    assert [probe.index for probe in report.probes] == [0, 1]
    assert len(report.test_runs) == 4
    assert {part.kind for part in report.parts} == {"probes", "answers"}
    assert len({part.measured_at for part in report.parts}) == 1, "sealed together"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"probe_runs": 3}, id="probe_runs"),
        pytest.param(
            {"controls": ControlSettings(seed=7, threads=1, warmup_steps=9)}, id="warm-up"
        ),
    ],
)
def test_what_only_probes_depend_on_asks_no_task_again(
    folder: Path, provider: FakeProvider, changes: dict[str, object]
) -> None:
    before = measure(folder)
    order = asked(provider)
    report = measure(folder, spec(**changes))
    new = report.spec.probe_runs - (len(before.probes) if "probe_runs" in changes else 0)
    assert order == ["probe"] * new
    assert len(report.probes) == report.spec.probe_runs
    assert report.test_runs == before.test_runs


def test_a_measurement_that_goes_on_finds_nothing_out_again(
    folder: Path, facts: Path, provider: FakeProvider
) -> None:
    provider.fault = failing(KeyboardInterrupt(), lambda request: not request.ignore_eos)
    with pytest.raises(KeyboardInterrupt):
        measure(folder, facts=facts)
    provider.fault = FakeProvider().fault
    first, second = measure(folder, facts=facts).sessions
    assert first.found_by is None
    assert second.found_by == f"the session of nano Q4_K_M at {first.started_at}"
    assert second.decode_clock_evidence == first.decode_clock_evidence
    warm_ups = len(second.warmup.decode_seconds)
    assert len(provider.models[1].probes) == warm_ups + spec().probe_runs
