from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import psutil
import pytest
from builders import MACHINE, PROVENANCE, STRICT, generation, spec, task
from fake_provider import SLOW, FakeModel, FakeProvider, answer, failing

from orket_lib.analysis.rows import build_row
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.run_report import RunReport
from orket_lib.artifacts.spec import RunSpec
from orket_lib.measure import harness
from orket_lib.measure.harness import CellMeasurement
from orket_lib.measure.journal import JOURNAL, Journal, seal
from orket_lib.measure.progress import Silent
from orket_lib.providers.base import Source
from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary.errors import (
    ArtifactError,
    LoadError,
    RequestFailed,
    RequestTimedOut,
    ServerCrashed,
)
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import (
    Lane,
    Outcome,
    Quality,
    RunStatus,
    SidecarStatus,
    TokenStatus,
)

TASKS = (task(1), task(2))
ONE, TWO = (found.prompt for found in TASKS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cell"


def measure(folder: Path, wanted: RunSpec | None = None, facts: Path | None = None) -> RunReport:
    """Start the measurement as a new process would."""
    cell = CellMeasurement(
        wanted or spec(), Source(Path("nano.gguf")), TASKS, folder, Silent(), facts=facts
    )
    return cell.run(PROVENANCE)


def killed_at(provider: FakeProvider, folder: Path, prompt: str, run_index: int) -> None:
    """Measure until the process is killed at one question."""
    seen: list[str] = []

    def when(request: Any) -> bool:
        seen.append(request.prompt)
        return bool(request.prompt == prompt and seen.count(prompt) == run_index + 1)

    provider.fault = failing(KeyboardInterrupt(), when)
    with pytest.raises(KeyboardInterrupt):
        measure(folder)
    provider.fault = FakeProvider().fault


def keys(report: RunReport) -> list[tuple[int, int]]:
    return [(run.task_id, run.run_index) for run in report.test_runs]


def test_a_whole_measurement_asks_every_task_so_many_times(
    folder: Path, provider: FakeProvider
) -> None:
    report = measure(folder)
    assert report.status is RunStatus.MEASURED
    assert report.status_reason is None
    assert keys(report) == [(1, 0), (2, 0), (1, 1), (2, 1)]
    assert [probe.index for probe in report.probes] == [0, 1]
    assert provider.questions == [ONE, TWO, ONE, TWO]
    assert report.observations == ()
    assert report.hardware_fingerprint == MACHINE
    assert report.spec_digest == spec().digest()
    assert read_model(folder / "run.json", RunReport) == report


def test_a_graded_run_is_complete(folder: Path, provider: FakeProvider) -> None:
    run = measure(folder).test_runs[0]
    assert run.outcome is Outcome.PASS
    assert run.answer == "1"
    assert run.telemetry.adherence_score == 1.0
    assert run.telemetry.init_latency == 0.5
    assert run.telemetry.total_latency == pytest.approx(0.69)
    assert run.telemetry.internal_model_seconds == pytest.approx(0.69)
    assert run.telemetry.orchestration_overhead_ratio == pytest.approx(0.0)
    assert run.telemetry.null_reasons["peak_memory_rss"] == "REMOTE_SERVER"
    assert run.telemetry.run_quality_status is Quality.CLEAN


def test_a_probe_corrects_the_clock_that_the_server_was_found_to_use(
    folder: Path, provider: FakeProvider
) -> None:
    report = measure(folder)
    assert report.sessions[0].decode_clock == "first_token"
    for probe in report.probes:
        assert (probe.output_tokens, probe.decode_intervals) == (128, 127)
        assert probe.generation_tokens_per_second == pytest.approx(100.0)
        assert probe.prompt_tokens_per_second == pytest.approx(1024.0)
        assert probe.rate_source == "server"


def test_no_two_probes_share_a_prompt_and_all_runs_of_a_task_do(
    folder: Path, provider: FakeProvider
) -> None:
    measure(folder)
    probes = provider.models[0].probes
    starts = [prompt.split()[0] for prompt in probes]
    assert len(set(starts)) == len(probes) > 5
    assert set(provider.questions) == {ONE, TWO}


@pytest.mark.parametrize(
    ("prompt", "run_index", "missing"),
    [
        pytest.param(ONE, 0, [ONE, TWO, ONE, TWO], id="at the first question"),
        pytest.param(ONE, 1, [ONE, TWO], id="in the middle"),
        pytest.param(TWO, 1, [TWO], id="at the last question"),
    ],
)
def test_a_killed_measurement_goes_on_with_what_is_missing(
    folder: Path, provider: FakeProvider, prompt: str, run_index: int, missing: list[str]
) -> None:
    killed_at(provider, folder, prompt, run_index)
    assert not (folder / "run.json").exists()
    probes_before = provider.models[0].probes
    report = measure(folder)
    assert report.status is RunStatus.MEASURED
    assert keys(report) == [(1, 0), (2, 0), (1, 1), (2, 1)]
    assert provider.models[1].questions == missing
    assert len(report.sessions) == 2
    assert [probe.index for probe in report.probes] == [0, 1]
    # Warm-up and clock, which every session needs, and not one probe more.
    assert len(provider.models[1].probes) == len(probes_before) - 2


def test_a_complete_journal_is_only_assembled(folder: Path, provider: FakeProvider) -> None:
    first = measure(folder)
    (folder / "run.json").unlink()
    provider.load_error = AssertionError("nothing must be served")
    again = measure(folder)
    assert again.test_runs == first.test_runs
    assert again.measured_at == first.measured_at
    assert read_model(folder / "run.json", RunReport) == again
    assert len(list((folder / "attempts").iterdir())) == 1


def test_a_deleted_report_over_a_sealed_journal_is_measured_again(
    folder: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(f"2026-11-23T15:04:{second:02d}.000Z" for second in range(60))
    monkeypatch.setattr(harness, "utc_now", lambda: next(moments))
    first = measure(folder)
    seal(folder / JOURNAL, spec().digest())
    (folder / "run.json").unlink()
    second = measure(folder)
    assert len(provider.models) == 2
    assert provider.models[1].questions == [ONE, TWO, ONE, TWO]
    assert second.measured_at > first.measured_at
    attempts = sorted((folder / "attempts").iterdir())
    assert [read_model(found / "run.json", RunReport) for found in attempts] == [first, second]
    assert Journal(attempts[0] / JOURNAL, spec().digest()).ended


def test_the_attempt_is_written_before_the_declared_output(
    folder: Path, provider: FakeProvider
) -> None:
    (folder / "run.json").mkdir(parents=True)  # makes writing the declared output fail
    with pytest.raises(ArtifactError, match=r"run\.json"):
        measure(folder)
    (attempt,) = (folder / "attempts").iterdir()
    assert read_model(attempt / "run.json", RunReport).status is RunStatus.MEASURED
    (folder / "run.json").rmdir()
    provider.load_error = AssertionError("nothing must be served")
    assert measure(folder).status is RunStatus.MEASURED


@pytest.mark.parametrize(
    ("error", "words", "status"),
    [
        pytest.param(LoadError("bad magic"), b"", RunStatus.LOAD_FAILED, id="does not load"),
        pytest.param(
            LoadError("no"), b"ggml: Failed to allocate 9 GB", RunStatus.OUT_OF_MEMORY, id="starved"
        ),
        pytest.param(
            LoadError("no"), b"CUDA error: out of memory", RunStatus.OUT_OF_MEMORY, id="no VRAM"
        ),
    ],
)
def test_a_model_that_does_not_load_is_a_result(
    folder: Path, provider: FakeProvider, error: Exception, words: bytes, status: RunStatus
) -> None:
    provider.load_error, provider.last_words = error, words
    report = measure(folder)
    assert report.status is status
    assert report.status_reason.startswith(str(error))
    assert report.status_reason.endswith("/server.log)")
    assert (report.sessions, report.probes, report.test_runs) == ((), (), ())
    assert read_model(folder / "run.json", RunReport) == report


def test_a_crash_of_the_server_is_a_result_that_keeps_what_was_measured(
    folder: Path, provider: FakeProvider
) -> None:
    provider.fault = failing(ServerCrashed("exit status -11"), lambda r: r.prompt == TWO)
    report = measure(folder)
    assert report.status is RunStatus.CRASHED
    assert report.status_reason.startswith("exit status -11 (see ")
    assert keys(report) == [(1, 0)]
    assert len(report.probes) == 2


def test_a_probe_that_fails_leaves_the_cell_incomplete_with_the_reason(
    folder: Path, provider: FakeProvider
) -> None:
    provider.fault = failing(RequestFailed("HTTP 500"), lambda r: r.ignore_eos)
    report = measure(folder)
    assert report.status is RunStatus.INCOMPLETE
    assert report.status_reason == "HTTP 500"


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        pytest.param(
            RequestTimedOut("no end after 30 s"), Outcome.TIMEOUT, "RUN_TIMEOUT", id="timeout"
        ),
        pytest.param(RequestFailed("HTTP 500: boom"), Outcome.ERROR, "RUN_ERROR", id="error"),
    ],
)
def test_a_failed_task_scores_zero_and_has_no_latency(
    folder: Path, provider: FakeProvider, error: Exception, outcome: Outcome, reason: str
) -> None:
    provider.fault = failing(error, lambda r: r.prompt == ONE)
    report = measure(folder)
    assert report.status is RunStatus.MEASURED
    assert keys(report) == [(1, 0), (2, 0), (1, 1), (2, 1)]
    failed = report.test_runs[0]
    assert (failed.outcome, failed.outcome_detail) == (outcome, str(error))
    assert failed.telemetry.adherence_score == 0.0
    assert failed.telemetry.total_latency is None
    assert failed.telemetry.null_reasons["total_latency"] == reason
    assert (failed.answer, failed.answer_sha256) == (None, None)
    assert failed.telemetry.token_metrics_status is TokenStatus.NOTHING
    assert report.test_runs[1].outcome is Outcome.PASS


def test_a_wrong_answer_is_a_fail_with_its_latency(
    folder: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(self: FakeModel, request: Any) -> Any:
        return answer(request) if request.ignore_eos else generation(text="3 or 4")

    monkeypatch.setattr(FakeModel, "generate", wrong)
    run = measure(folder).test_runs[0]
    assert (run.outcome, run.telemetry.adherence_score) == (Outcome.FAIL, 0.0)
    assert run.telemetry.total_latency == 0.32
    assert [check.passed for check in run.checks] == [False]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "c" * 64}, Reason.QUANT_IDENTITY_MISMATCH),
        ({"quant_tag": "Q8_0"}, Reason.QUANT_IDENTITY_MISMATCH),
        ({"file_quant_tag": "Q8_0"}, Reason.QUANT_IDENTITY_MISMATCH),
        ({"quant_tag": None, "file_quant_tag": None}, Reason.QUANT_IDENTITY_UNVERIFIED),
        ({"n_ctx": 1024}, Reason.CONTEXT_MISMATCH),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_served_is_held_against_the_spec(
    folder: Path, provider: FakeProvider, changes: dict[str, Any], reason: Reason
) -> None:
    provider.changes = changes
    assert [seen.reason for seen in measure(folder).observations] == [reason]


def test_another_machine_than_planned_is_seen(folder: Path, provider: FakeProvider) -> None:
    (seen,) = measure(folder, spec(machine="linux|other|4|16|none")).observations
    assert seen.reason is Reason.HARDWARE_MISMATCH


def test_the_journal_of_another_spec_is_refused(folder: Path, provider: FakeProvider) -> None:
    measure(folder)
    with pytest.raises(ArtifactError, match="belongs to another measurement"):
        measure(folder, spec(probe_runs=3))


def test_progress_counts_what_an_earlier_start_has_done(
    folder: Path, provider: FakeProvider
) -> None:
    killed_at(provider, folder, ONE, 1)
    told: list[tuple[int, int]] = []
    steps: list[int] = []

    class Spy(Silent):
        def plan(self, steps: int, done: int) -> None:
            told.append((steps, done))

        def step(self) -> None:
            steps.append(1)

    CellMeasurement(spec(), Source(Path("nano.gguf")), TASKS, folder, Spy()).run(PROVENANCE)
    assert told == [(6, 4)]
    assert len(steps) == 2


def test_probes_of_a_slow_server_are_short_and_come_after_the_tasks(
    folder: Path, provider: FakeProvider
) -> None:
    order: list[bool] = []
    provider.fault = lambda request: order.append(request.ignore_eos)
    provider.slow = SLOW
    report = measure(folder)
    assert report.status is RunStatus.MEASURED
    assert order[-6:] == [False] * 4 + [True] * 2
    assert [probe.index for probe in report.probes] == [0, 1]
    for probe in report.probes:
        assert (probe.output_tokens, probe.decode_intervals) == (32, 31)
        assert probe.generation_tokens_per_second == pytest.approx(100 / SLOW)
        assert probe.prompt_tokens_per_second == pytest.approx(1024 / SLOW)
        (seen,) = probe.observations
        assert seen.reason is Reason.PROBE_SHORTENED
    probing = report.sessions[0].probing
    assert probing is not None
    assert (probing.prompt_tokens, probing.output_tokens, probing.after_tasks) == (128, 32, True)


def test_a_row_of_short_probes_has_its_rates_and_a_note(
    folder: Path, provider: FakeProvider
) -> None:
    provider.slow = SLOW
    report = measure(folder)
    row = build_row(report, STRICT, Lane.LAB, {}, SidecarStatus.NOT_APPLICABLE, "run.json")
    (note,) = row.notes
    assert note.reason is Reason.PROBE_SHORTENED
    assert "32 output tokens instead of 128" in note.evidence
    assert row.generation_tokens_per_second == pytest.approx(100 / SLOW)
    assert row.run_quality_status is Quality.CLEAN


def test_a_measurement_that_goes_on_finds_nothing_out_again(
    folder: Path, tmp_path: Path, provider: FakeProvider
) -> None:
    facts = tmp_path / "server_facts"
    provider.fault = failing(KeyboardInterrupt(), lambda request: request.prompt == ONE)
    with pytest.raises(KeyboardInterrupt):
        measure(folder, facts=facts)
    provider.fault = FakeProvider().fault
    report = measure(folder, facts=facts)
    first, second = report.sessions
    assert first.found_by is None
    assert second.found_by == f"the session of nano Q4_K_M at {first.started_at}"
    assert second.decode_clock_evidence == first.decode_clock_evidence
    assert len(provider.models[1].probes) == len(second.warmup.decode_seconds)


def busy(at_s: float, foreign_share: float) -> Sample:
    """Return a sample of a machine on which somebody else takes a share of all cores."""
    used = at_s * foreign_share * (psutil.cpu_count() or 1)
    return Sample(at_s, used, 0.0, 0.0, 0, 0, 0, top_pid=9, top_name="miner", top_s=foreign_share)


def test_a_disturbed_run_is_polluted_and_says_by_whom(folder: Path, provider: FakeProvider) -> None:
    provider.samples = [busy(at_s, 0.5) for at_s in (0.0, 1.0, 2.0)]
    report = measure(folder)
    for run in report.test_runs:
        (seen,) = run.telemetry.run_quality_reasons
        assert seen.reason is Reason.HIGH_CPU_SATURATION
        assert "50% of all cores" in seen.evidence
        assert "miner (pid 9" in seen.evidence
        assert run.telemetry.host.foreign_cpu_ratio == pytest.approx(0.5)
        assert run.telemetry.run_quality_status is Quality.POLLUTED
    assert all(probe.observations for probe in report.probes)


def test_a_quiet_machine_disturbs_nothing(folder: Path, provider: FakeProvider) -> None:
    provider.samples = [busy(at_s, 0.09) for at_s in (0.0, 1.0, 2.0)]
    report = measure(folder)
    assert {run.telemetry.run_quality_status for run in report.test_runs} == {Quality.CLEAN}
    assert report.hosts[0].samples == 3


def test_no_samples_are_null_and_not_quiet(folder: Path, provider: FakeProvider) -> None:
    provider.samples = []
    report = measure(folder)
    telemetry = report.test_runs[0].telemetry
    assert [item.reason for item in telemetry.run_quality_reasons] == [Reason.TELEMETRY_GAP]
    assert telemetry.run_quality_status is Quality.POLLUTED
    assert telemetry.host.foreign_cpu_ratio is None
    assert telemetry.host.null_reasons["foreign_cpu_ratio"] == "NOT_SAMPLED"


def test_samples_are_kept_with_their_attempt_and_go_with_their_measurement(
    folder: Path, provider: FakeProvider
) -> None:
    killed_at(provider, folder, ONE, 1)
    provider.samples = [busy(0.0, 0.0), busy(1.0, 0.0)]
    measure(folder)
    (attempt,) = (folder / "attempts").iterdir()
    assert sorted(path.name for path in attempt.glob("samples-*")) == [
        "samples-0.csv.gz",
        "samples-1.csv.gz",
    ]
    raw = (folder / "samples-1.csv").read_bytes()
    assert gzip.decompress((attempt / "samples-1.csv.gz").read_bytes()) == raw
    seal(folder / JOURNAL, spec().digest())
    measure(folder)
    assert [path.name for path in folder.glob("samples-*")] == ["samples-0.csv"]


def test_loads_of_one_measurement_must_be_one_thing(folder: Path, provider: FakeProvider) -> None:
    killed_at(provider, folder, ONE, 1)
    provider.changes = {"build": "another"}
    (seen,) = measure(folder).observations
    assert seen.reason is Reason.QUANT_IDENTITY_MISMATCH
    assert "build differs" in seen.evidence
