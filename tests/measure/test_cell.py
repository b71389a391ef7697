from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import psutil
import pytest
from builders import MACHINE, generation, spec, task
from fake_provider import FakeModel, FakeProvider, answer, failing
from measured import measured_report, receipt_for
from silent import Silent

from orket_lib.artifacts.measurements.parts import Part
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.run_report import Observation, RunReport
from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.stores import parts
from orket_lib.stores.attempts import read_taken
from orket_lib.telemetry.allowance import memory
from orket_lib.telemetry.allowance.memory import MemoryAllowance, MemoryLimit
from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary.errors import (
    ArtifactError,
    LoadError,
    NoRoom,
    RequestFailed,
    RequestTimedOut,
    ServerCrashed,
)
from orket_lib.vocabulary.failures import Cause, Ending, FailureEvidence, Shortage
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Again, Outcome, Quality, RunStatus, TokenStatus
from orket_lib.vocabulary.units import MIB

TASKS = (task(1), task(2))
ONE, TWO = (found.prompt for found in TASKS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cell"


def measure(folder: Path, wanted: RunSpec | None = None) -> RunReport:
    """Start the measurement as a new process would."""
    return measured_report(folder, wanted or spec(), TASKS)


def sealed(folder: Path) -> list[Path]:
    """Return the folders of what was measured and sealed."""
    return sorted((folder / "parts").iterdir()) if (folder / "parts").is_dir() else []


def test_what_spoils_the_times_is_kept_with_every_step(
    folder: Path, provider: FakeProvider
) -> None:
    unsteady = Observation.of(Reason.CANARY_LATENCY, "firefox used 58% of the cores")
    found = measured_report(folder, spec(), TASKS, gate=lambda: unsteady)
    assert all(unsteady in probe.observations for probe in found.probes)
    assert all(unsteady in run.telemetry.run_quality_reasons for run in found.test_runs)
    repeated = measured_report(folder, spec(), TASKS, again="probes")
    assert not any(unsteady in probe.observations for probe in repeated.probes)
    assert all(unsteady in run.telemetry.run_quality_reasons for run in repeated.test_runs)


def test_the_end_of_the_reasoning_is_kept(
    folder: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def thinks(_: FakeModel, request: GenerationRequest) -> Generation:
        if request.ignore_eos:
            return answer(request)
        return generation(text="", reasoning="a" * 3000 + "so 5", finish_reason="length")

    monkeypatch.setattr(FakeModel, "generate", thinks)
    (run, *_) = measure(folder).test_runs
    assert run.reasoning is not None
    assert (run.reasoning.characters, len(run.reasoning.end)) == (3004, 2000)
    assert run.reasoning.end.endswith("so 5")


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
    assert {part.kind for part in report.parts} == {"probes", "answers"}


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
    assert sealed(folder) == []
    probes_before = provider.models[0].probes
    report = measure(folder)
    assert report.status is RunStatus.MEASURED
    assert keys(report) == [(1, 0), (2, 0), (1, 1), (2, 1)]
    assert provider.models[1].questions == missing
    assert len(report.sessions) == 2
    assert [probe.index for probe in report.probes] == [0, 1]
    # Warm-up and clock, which every session needs, and not one probe more.
    assert len(provider.models[1].probes) == len(probes_before) - 2


def test_what_the_store_has_is_taken_and_nothing_is_served(
    folder: Path, provider: FakeProvider
) -> None:
    first = measure(folder)
    provider.load_error = AssertionError("nothing must be served")
    again = measure(folder)
    assert (again.test_runs, again.probes, again.parts) == (
        first.test_runs,
        first.probes,
        first.parts,
    )
    assert len(sealed(folder)) == 1


def test_more_runs_tasks_and_probes_add_parts_and_repeat_none(
    folder: Path, provider: FakeProvider
) -> None:
    measured_report(folder, spec(runs_per_task=1, probe_runs=1), TASKS[:1])
    assert provider.questions == [ONE]
    report = measured_report(folder, spec(runs_per_task=2, probe_runs=2), TASKS)
    assert provider.questions == [ONE, TWO, ONE, TWO]
    assert keys(report) == [(1, 0), (2, 0), (1, 1), (2, 1)]
    assert [probe.index for probe in report.probes] == [0, 1]
    assert len(report.sessions) == 2
    assert [run.session for run in report.test_runs] == [0, 1, 1, 1]


def test_only_the_probes_depend_on_the_warm_up(folder: Path, provider: FakeProvider) -> None:
    measure(folder)
    warmer = spec().controls.model_copy(update={"warmup_steps": 7})
    report = measure(folder, spec(controls=warmer))
    assert provider.questions == [ONE, TWO, ONE, TWO]
    assert [probe.session for probe in report.probes] == [1, 1]
    assert {run.session for run in report.test_runs} == {0}


def test_a_right_answer_that_changes_is_graded_anew_and_not_asked(
    folder: Path, provider: FakeProvider
) -> None:
    assert measure(folder).test_runs[0].outcome is Outcome.PASS
    other = (task(1, expected=9), task(2))
    provider.load_error = AssertionError("nothing must be served")
    assert measured_report(folder, spec(), other).test_runs[0].outcome is Outcome.FAIL


def test_a_task_whose_text_changes_is_asked_and_no_other_one(
    folder: Path, provider: FakeProvider
) -> None:
    measure(folder)
    other = (task(1, prompt="Say 1 ."), task(2))
    measured_report(folder, spec(), other)
    assert provider.questions == [ONE, TWO, ONE, TWO, "Say 1 .", "Say 1 ."]


def test_another_limit_of_an_answer_asks_everything_again(
    tmp_path: Path, provider: FakeProvider
) -> None:
    assert spec().digest() != spec(max_output_tokens=97).digest()


@pytest.mark.parametrize(
    ("again", "questions", "session"), [("all", 4, 0), ("runs", 4, 1), ("probes", 0, 0)]
)
def test_measured_again_is_what_counts_and_the_older_stays(
    folder: Path, provider: FakeProvider, again: Again, questions: int, session: int
) -> None:
    older = receipt_for(folder, spec(), TASKS)
    report = measured_report(folder, spec(), TASKS, again=again)
    assert len(provider.models[1].questions) == questions
    assert {run.session for run in report.test_runs} == {session}
    assert len(sealed(folder)) == 2
    for part in older.parts:
        read_taken(part, Part)


@pytest.mark.parametrize("again", ["probes", "runs"])
def test_one_part_measured_again_leaves_nothing_else_out(
    folder: Path, provider: FakeProvider, again: Again
) -> None:
    report = measured_report(folder, spec(), TASKS, again=again)
    assert len(provider.models[0].questions) == len(report.test_runs) == 4
    assert len(report.probes) == spec().probe_runs


def test_a_forced_measurement_that_was_killed_goes_on(folder: Path, provider: FakeProvider) -> None:
    measure(folder)
    provider.fault = failing(KeyboardInterrupt(), lambda request: request.prompt == TWO)
    with pytest.raises(KeyboardInterrupt):
        measured_report(folder, spec(), TASKS, again="all")
    provider.fault = FakeProvider().fault
    measured_report(folder, spec(), TASKS, again="all")
    assert provider.models[1].questions == [ONE]
    assert provider.models[2].questions == [TWO, ONE, TWO]


def test_sealed_files_are_read_only_and_a_changed_one_is_refused(
    folder: Path, provider: FakeProvider
) -> None:
    measure(folder)
    answers = folder / "parts" / sealed(folder)[0].name / "answers.json"
    assert answers.stat().st_mode & 0o777 == 0o444
    answers.chmod(0o644)
    answers.write_text(answers.read_text(encoding="utf-8").replace("add-0001", "add-0009"))
    with pytest.raises(ArtifactError, match="a sealed file was changed"):
        measure(folder)


def test_sealing_that_was_killed_half_way_is_finished(
    folder: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(parts, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            measure(folder)
    provider.load_error = AssertionError("nothing must be served")
    assert keys(measure(folder)) == [(1, 0), (2, 0), (1, 1), (2, 1)]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(
            LoadError("bad magic", Cause.UNREADABLE), RunStatus.LOAD_FAILED, id="does not load"
        ),
        pytest.param(
            LoadError("exit status 1", FailureEvidence(Cause.ENDED, ending=Ending(1, 0.5))),
            RunStatus.LOAD_FAILED,
            id="ends",
        ),
        pytest.param(
            NoRoom(
                "too large",
                FailureEvidence(Cause.NO_ROOM, shortage=Shortage(9000, 8000, 8500)),
            ),
            RunStatus.OUT_OF_MEMORY,
            id="larger than the machine",
        ),
    ],
)
def test_a_model_that_can_not_be_loaded_is_a_result_that_is_not_tried_again(
    folder: Path, provider: FakeProvider, error: Exception, status: RunStatus
) -> None:
    provider.load_error = error
    report = measure(folder)
    assert (report.status, report.retry) == (status, False)
    assert str(report.status_reason).startswith(str(error))
    assert (report.sessions, report.probes, report.test_runs) == ((), (), ())
    provider.load_error = None
    assert measure(folder).status is status
    assert provider.models == []
    assert measured_report(folder, spec(), TASKS, again="all").status is RunStatus.MEASURED


def test_a_lack_of_memory_under_a_limit_counts_as_long_as_the_limit_is_there(
    folder: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = MemoryLimit(400 * MIB, 100 * MIB, "memory.max of cgroup /a")
    allowed = [MemoryAllowance(22000 * MIB, 20000 * MIB, (limit,))]
    monkeypatch.setattr(memory, "memory_allowance", lambda: allowed[-1])
    short = FailureEvidence(Cause.NO_ROOM, shortage=Shortage(900, 100, 400))
    provider.load_error = NoRoom("too large", short)
    assert (measure(folder).status, measure(folder).retry) == (RunStatus.OUT_OF_MEMORY, False)
    provider.load_error = None
    assert measure(folder).status is RunStatus.OUT_OF_MEMORY, "the limit is still there"
    allowed.append(MemoryAllowance(22000 * MIB, 20000 * MIB, ()))
    assert measure(folder).status is RunStatus.MEASURED


def test_a_server_that_crashes_twice_is_a_result_that_keeps_what_was_measured(
    folder: Path, provider: FakeProvider
) -> None:
    crash = ServerCrashed("died", FailureEvidence(Cause.ENDED, ending=Ending(-11, 2.0)))
    provider.fault = failing(crash, lambda r: r.prompt == TWO)
    report = measure(folder)
    assert (report.status, report.retry) == (RunStatus.CRASHED, False)
    assert str(report.status_reason).startswith("died (see ")
    assert keys(report) == [(1, 0)]
    assert len(report.probes) == 2
    assert len(provider.models) == 2


def test_a_server_that_was_killed_is_tried_again_and_asks_nothing_twice(
    folder: Path, provider: FakeProvider
) -> None:
    killed = ServerCrashed("died", FailureEvidence(Cause.ENDED, ending=Ending(-9, 2.0)))
    provider.fault = failing(killed, lambda r: r.prompt == TWO)
    for _ in range(3):
        receipt = receipt_for(folder, spec(), TASKS)
        assert receipt.retry
        assert receipt.status is RunStatus.CRASHED
        assert measure(folder).retry
    provider.fault = FakeProvider().fault
    report = measure(folder)
    assert (report.status, report.retry) == (RunStatus.MEASURED, False)
    assert provider.questions.count(ONE) == 2


def test_a_probe_that_fails_is_tried_again_with_the_reason(
    folder: Path, provider: FakeProvider
) -> None:
    provider.fault = failing(RequestFailed("HTTP 500"), lambda r: r.ignore_eos)
    report = measure(folder)
    assert (report.status, report.retry) == (RunStatus.INCOMPLETE, True)
    assert str(report.status_reason).startswith("HTTP 500")


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


def test_progress_counts_what_an_earlier_start_has_done(
    folder: Path, provider: FakeProvider
) -> None:
    killed_at(provider, folder, ONE, 1)
    reported: list[tuple[int, int]] = []
    steps: list[int] = []

    class Spy(Silent):
        def plan(self, steps: int, done: int) -> None:
            reported.append((steps, done))

        def step(self) -> None:
            steps.append(1)

    measured_report(folder, spec(), TASKS, progress=Spy())
    assert reported == [(6, 4)]
    assert len(steps) == 2


def busy(at_s: float, foreign_share: float) -> Sample:
    """Return a sample of a machine on which another program takes a share of all cores."""
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


def test_samples_are_sealed_with_what_was_measured(folder: Path, provider: FakeProvider) -> None:
    killed_at(provider, folder, ONE, 1)
    provider.samples = [busy(0.0, 0.0), busy(1.0, 0.0)]
    measure(folder)
    (attempt,) = sealed(folder)
    assert sorted(path.name for path in attempt.glob("samples-*")) == [
        "samples-0.csv.gz",
        "samples-1.csv.gz",
    ]
    raw = gzip.decompress((attempt / "samples-1.csv.gz").read_bytes()).decode()
    assert len(raw.splitlines()) == 3
    assert not (folder / "open").exists()


def test_loads_of_one_measurement_must_be_one_thing(folder: Path, provider: FakeProvider) -> None:
    killed_at(provider, folder, ONE, 1)
    provider.changes = {"build": "another"}
    (seen,) = measure(folder).observations
    assert seen.reason is Reason.QUANT_IDENTITY_MISMATCH
    assert "build differs" in seen.evidence
