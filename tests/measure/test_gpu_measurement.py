"""A whole measurement with a replayed GPU: from samples to the report and the row."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import STRICT, spec, task
from fake_provider import FakeProvider, quiet, ready_at_once
from gpu_replay import record_of
from measured import measured_report
from nvml_replay import load_trace

from orket_lib.analysis.rows.row import build_row
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.row import RowEnergy, RowMetrics
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure import cell
from orket_lib.measure.session import gpu_watch, session
from orket_lib.measure.session.readiness import Ready
from orket_lib.processes import device_lock
from orket_lib.processes.device_lock import CPU, device_locks
from orket_lib.providers.base import Model
from orket_lib.telemetry.gpu.samples import header, to_line
from orket_lib.telemetry.sampler import GpuWatch
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, Outcome, Quality, RunStatus, SidecarStatus

TASKS = (task(1), task(2))
BUSY_S = 4.0  # when only the server of the trace works
ASK_S = 3.0  # how far each question moves the clock of the fake


class Clock:
    """A clock that the fake moves: each question takes its time, in the trace and here."""

    def __init__(self, ask_s: float) -> None:
        self.now_s = 0.0
        self._ask_s = ask_s

    def ask(self, _: object) -> None:
        self.now_s += self._ask_s


@pytest.fixture
def on_gpu(provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return what measures a cell whose server is on a replayed GPU."""
    monkeypatch.setattr(gpu_watch, "_REST_S", 0.0)
    provider.changes = {"server_vram_mib": Null("NOT_REPORTED")}
    provider.samples = [quiet(float(second)) for second in range(40)]

    def measure(
        folder: Path, trace: dict[str, Any], start_s: float = BUSY_S, ask_s: float = ASK_S
    ) -> RunReport:
        clock = Clock(ask_s)
        provider.fault = clock.ask
        monkeypatch.setattr(session.OpenSession, "now_s", lambda _: clock.now_s)

        @contextmanager
        def sampling(
            path: Path, server_pid: int | None, origin_s: float, gpus: GpuWatch | None = None
        ) -> Iterator[None]:
            with provider.sampling(path, server_pid, origin_s):
                if gpus:
                    record = record_of(trace)
                    lines = [header(record.devices, record.absent), *map(to_line, record.samples)]
                    gpus.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
                yield

        monkeypatch.setattr(session, "sampling", sampling)
        monkeypatch.setattr(session, "get_ready", partial(_ready, clock, start_s))
        wanted = spec(provider="llama_server", probe_runs=1, runs_per_task=1)
        return measured_report(folder, wanted, TASKS)

    yield measure


def _ready(clock: Clock, start_s: float, model: Model, spec: MeasurementSpec, *_: object) -> Ready:
    clock.now_s = start_s
    return ready_at_once(model, spec)


def row_of(report: RunReport) -> RowMetrics:
    return build_row(report, STRICT, Lane.LAB, {}, SidecarStatus.NOT_APPLICABLE, "run.json")


def energy_of(report: RunReport) -> RowEnergy:
    energy = row_of(report).energy
    assert energy is not None
    return energy


def steady(**changes: Any) -> dict[str, Any]:
    """Return a trace of one card that is idle for 2 s and then works, without other processes."""
    trace = load_trace("two_cards")
    card = trace["devices"][0]
    rest, work, _ = card["segments"]
    card["segments"] = [{**rest, "for_s": 2}, {**work, "for_s": 28}]
    return {**trace, "devices": [card], **changes}


def test_vram_and_energy_reach_the_row_from_the_device(tmp_path: Path, on_gpu: Any) -> None:
    report = on_gpu(tmp_path / "cell", steady())
    assert report.status is RunStatus.MEASURED, report.status_reason
    row, (probe,) = row_of(report), report.probes
    assert row.peak_vram_mib == 9000.0
    assert "peak_vram_mib" not in row.null_reasons
    assert row.run_quality_status is Quality.CLEAN
    assert probe.window_s == (BUSY_S, BUSY_S + ASK_S)
    energy = energy_of(report)
    # By hand: 400 W, of them 70 W at rest, over 3 s for 128 tokens, or for each of two answers.
    assert energy.method == "counter"
    assert energy.joules_per_output_token == pytest.approx(1200 / 128, rel=0.01)
    assert energy.joules_per_output_token_above_idle == pytest.approx(990 / 128, rel=0.01)
    assert energy.joules_per_correct_answer == pytest.approx(1200, rel=0.01)
    assert energy.joules_per_correct_answer_above_idle == pytest.approx(990, rel=0.01)
    assert [gpu.uuid[:8] for gpu in row.gpus] == ["GPU-1111"]


def test_windows_too_short_for_the_counter_make_no_number(tmp_path: Path, on_gpu: Any) -> None:
    energy = energy_of(on_gpu(tmp_path / "cell", steady(), ask_s=1.5))
    assert energy.null_reasons["joules_per_output_token"] == "WINDOW_TOO_SHORT"
    assert energy.joules_per_correct_answer == pytest.approx(600, rel=0.01), "3 s without a rest"


def test_answers_that_are_all_wrong_have_no_price(tmp_path: Path, on_gpu: Any) -> None:
    report = on_gpu(tmp_path / "cell", steady())
    wrong = [run.model_copy(update={"outcome": Outcome.FAIL}) for run in report.test_runs]
    energy = energy_of(report.model_copy(update={"test_runs": tuple(wrong)}))
    assert energy.null_reasons["joules_per_correct_answer"] == "NO_CORRECT_ANSWER"
    assert energy.joules_per_output_token is not None


def test_the_samples_are_kept_with_their_attempt_and_the_report_made_again_from_them(
    tmp_path: Path, on_gpu: Any
) -> None:
    folder = tmp_path / "cell"
    before = on_gpu(folder, steady())
    (kept,) = folder.glob("parts/*/samples-0.gpus.jsonl.gz")
    first = json.loads(gzip.decompress(kept.read_bytes()).splitlines()[0])
    assert first["devices"][0]["source"] == "nvml"
    assert on_gpu(folder, steady()).gpus == before.gpus


def test_a_foreign_process_pollutes_the_row_by_name(tmp_path: Path, on_gpu: Any) -> None:
    trace = load_trace("two_cards")
    trace["devices"][0]["segments"][2]["for_s"] = 20
    row = row_of(on_gpu(tmp_path / "cell", trace, 9.0))
    assert row.run_quality_status is Quality.POLLUTED
    assert not row.valid
    (seen,) = row.run_quality_reasons
    assert seen.reason is Reason.FOREIGN_GPU_PROCESS
    assert "trainer (pid 410): " in seen.evidence


def test_what_can_not_be_attributed_is_a_note_and_the_row_stays_valid(
    tmp_path: Path, on_gpu: Any
) -> None:
    trace = load_trace("strangers")
    trace["devices"][0]["segments"][1]["for_s"] = 30
    row = row_of(on_gpu(tmp_path / "cell", trace))
    assert row.valid
    assert {item.reason for item in row.notes} == {Reason.GPU_UNATTRIBUTABLE}
    assert row.null_reasons["peak_vram_mib"] == "NOT_SEEN_ON_A_GPU"


def test_a_counter_that_fell_leaves_no_energy_and_a_clean_row(tmp_path: Path, on_gpu: Any) -> None:
    trace = steady()
    first, last = trace["devices"][0]["segments"]
    last["for_s"] = 2.2
    trace["devices"][0]["segments"] = [first, last, {**last, "for_s": 26, "energy": "reset"}]
    report = on_gpu(tmp_path / "cell", trace)
    reasons = set(energy_of(report).null_reasons.values())
    assert "ENERGY_COUNTER_RESET" in reasons
    assert row_of(report).valid


def test_a_model_in_main_memory_has_no_gpu_beside_it(
    tmp_path: Path, on_gpu: Any, provider: FakeProvider
) -> None:
    provider.changes = {}
    report = on_gpu(tmp_path / "cell", steady())
    assert report.gpus == ()
    assert all(run.telemetry.gpu is None for run in report.test_runs)
    assert [path.name for path in (tmp_path / "cell").glob("parts/*/samples-*")] == [
        "samples-0.csv.gz"
    ]
    row = row_of(report)
    assert row.null_reasons["peak_vram_mib"] == "NO_GPU_USED"
    assert set(energy_of(report).null_reasons.values()) == {"NO_GPU_USED"}


def test_a_server_that_says_that_it_uses_no_gpu_is_not_charged_with_one(
    tmp_path: Path, on_gpu: Any, provider: FakeProvider
) -> None:
    provider.changes = {"server_vram_mib": 0.0}
    report = on_gpu(tmp_path / "cell", steady(server_pid=None))
    assert row_of(report).null_reasons["peak_vram_mib"] == "NO_GPU_USED"
    assert set(energy_of(report).null_reasons.values()) == {"NO_GPU_USED"}
    assert [gpu.used for gpu in report.gpus] == [False]


def test_every_gpu_that_may_be_used_is_locked(
    tmp_path: Path, on_gpu: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[str, ...]] = []

    def noted(names: Iterable[str], *rest: Any) -> Any:
        taken.append(tuple(names))
        return device_locks(names, *rest)

    monkeypatch.setattr(device_lock, "_machine_folder", lambda: tmp_path)
    monkeypatch.setattr(cell, "device_locks", noted)
    monkeypatch.setattr(cell, "locked_devices", lambda *_: (CPU, "GPU-11111111"))
    on_gpu(tmp_path / "cell", steady())
    assert taken == [("cpu", "GPU-11111111")]
    names = {path.name.lower() for path in (tmp_path / "orket-locks").glob("*.lock")}
    assert names == {"cpu.lock", "gpu-11111111.lock"}
