"""Nothing is 0 where nothing was measured: real cells, on machines that can tell less and less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from builders import STRICT
from nano import measure as measure_cell
from nano import nano_spec
from pydantic import BaseModel

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.kpis import stability_kpis
from orket_lib.analysis.rows.row import build_row
from orket_lib.artifacts.base import Measured
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.runs import answers
from orket_lib.measure.session import session
from orket_lib.measure.speed.budget import BUDGET
from orket_lib.processes import device_lock
from orket_lib.providers.base import Generation, TokenReport
from orket_lib.providers.wire import chat_stream
from orket_lib.providers.wire.chat_stream import assemble
from orket_lib.telemetry.sampler_process import Sampler
from orket_lib.telemetry.samples import COLUMNS, to_cells
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, RunStatus, SidecarStatus

Blind = Callable[[], tuple[list["Found"], RunReport, RowMetrics]]

# Readings of the host's optional counters, by the counter that they are made of.
MADE_OF = {
    "steal_s": {"steal_ratio"},
    "load_1min": {"foreign_load"},
    "swapped": {"swapped_mib"},
    "psi_cpu_some_us": {"psi_cpu_some_ratio"},
    "psi_memory_full_us": {"psi_memory_full_ratio"},
    "frequency_mhz": {"frequency_mhz_min", "frequency_mhz_mean"},
    "temperature_c": {"temperature_start_c", "temperature_end_c", "temperature_max_c"},
    "energy_uj": {"energy_j"},
    "quota_periods": {"throttled_ratio"},
}
OF_PROCESSES = {
    "RunTelemetry.peak_memory_rss",
    "RunTelemetry.peak_vram_mib",
    "RunTelemetry.system_load_start",
    "RunTelemetry.system_load_end",
    "RowMetrics.peak_memory_rss",
    "RowMetrics.peak_vram_mib",
}
# What is made of what the server says of its tokens and times.
OF_THE_SERVER = {
    *(f"TokenCounts.{name}" for name in ("prompt_tokens", "output_tokens", "total_tokens")),
    *(f"TokenLatencies.{name}" for name in ("prefill_seconds", "decode_seconds")),
    *(
        f"{kind}.{name}"
        for kind in ("TokenThroughput", "Probe", "RowMetrics")
        for name in ("prompt_tokens_per_second", "generation_tokens_per_second")
    ),
    *(f"Probe.{name}" for name in ("prompt_tokens", "cached_tokens", "output_tokens")),
    *(f"Probe.{name}" for name in ("prefill_seconds", "decode_seconds", "decode_intervals")),
    *(f"{kind}.internal_model_seconds" for kind in ("Probe", "RunTelemetry")),
    *(f"{kind}.orchestration_overhead_ratio" for kind in ("RunTelemetry", "RowMetrics")),
}
# Zeros that were counted: a share of runs or tasks, or a score.
COUNTED = {
    "polluted_run_rate",
    "missing_telemetry_rate",
    "determinism_rate",
    "adherence_score",
    "frontier_success_rate",
}


@dataclass(frozen=True)
class Found:
    """One reading of one record."""

    kind: str
    name: str
    value: float | None
    reason: str | None

    @property
    def full_name(self) -> str:
        return f"{self.kind}.{self.name}"


def readings_of(value: object) -> Iterator[Found]:
    """Yield all readings of a model and of everything in it."""
    if isinstance(value, Measured):
        for name in value.readings():
            reason = value.null_reasons.get(name)
            yield Found(type(value).__name__, name, getattr(value, name), reason)
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from readings_of(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from readings_of(item)


def no_samples(
    path: Path, server_pid: int | None, origin_s: float, gpus: object = None
) -> AbstractContextManager[None]:
    """Stand in for a sampler that writes nothing."""

    @contextmanager
    def nothing() -> Iterator[None]:
        yield

    return nothing()


@contextmanager
def samples_of_a_bare_machine(
    path: Path, server_pid: int | None, origin_s: float, gpus: object = None
) -> Iterator[None]:
    """Sample at both ends only, on a machine that has no optional counter."""
    sampler = Sampler(1, server_pid, origin_s)
    bare = dict.fromkeys(MADE_OF)

    def look() -> list[str]:
        return to_cells(replace(sampler.look(), **bare))  # type: ignore[arg-type]

    lines = [list(COLUMNS), look()]
    yield
    lines.append(look())
    path.write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def blind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[list[Found], RunReport, RowMetrics]]:
    """Return what measures a small real cell in this process and lists every reading of it."""
    spec = nano_spec("Q2_K")
    monkeypatch.setattr(device_lock, "_machine_folder", lambda: tmp_path)
    monkeypatch.setattr(session, "BUDGET", replace(BUDGET, ready_s=1.0))  # no speed is judged here

    def measure() -> tuple[list[Found], RunReport, RowMetrics]:
        report = measure_cell(tmp_path / "cell", spec)
        assert report.status is RunStatus.MEASURED
        assert len(report.test_runs) == 3 * spec.runs_per_task
        row = build_row(report, STRICT, Lane.LAB, {}, SidecarStatus.NOT_APPLICABLE, "run.json")
        kpis = stability_kpis([[row]], FrontierPolicy(1.0, 10.0, include_invalid=False), Lane.LAB)
        return [*readings_of(report), *readings_of(row), *readings_of(kpis)], report, row

    return measure


def without_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no process and no load be seen."""
    monkeypatch.setattr(answers, "peak_rss_mib", lambda _: Null("PROCESS_GONE"))
    monkeypatch.setattr(answers, "load_average", lambda: Null("NO_LOAD_AVERAGE"))


def without_server_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server send its text and nothing about it."""

    def bare(*arguments: Any) -> Generation:
        found = assemble(*arguments)
        return replace(found, tokens=TokenReport(), usage=None, timings=None)

    monkeypatch.setattr(chat_stream, "assemble", bare)


def assert_null(found: list[Found], names: set[str]) -> None:
    """Demand that all readings of these names are null with a reason, and that there are some."""
    chosen = [item for item in found if item.full_name in names]
    assert {item.full_name for item in chosen} == names
    for item in chosen:
        assert item.value is None, item
        assert item.reason, item


def assert_every_zero_was_counted(found: list[Found]) -> None:
    zeros = {item.full_name for item in found if item.value == 0 and item.name not in COUNTED}
    assert zeros == set()


def test_what_this_machine_can_not_tell_is_null_everywhere(blind: Blind) -> None:
    now = Sampler(1, None, 0.0).look()
    lacking = {name for name in MADE_OF if getattr(now, name) is None}
    expected = {reading for name in lacking for reading in MADE_OF[name]}
    _, report, _ = blind()
    for found in readings_of(report):
        if found.kind in ("HostSummary", "HostWindow"):
            assert (found.value is None) == (found.name in expected), found
        if found.name == "peak_vram_mib":
            assert found.reason == "NO_GPU_USED"


def test_without_any_sensor_every_reading_of_the_host_is_null(
    blind: Blind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "sampling", no_samples)
    without_processes(monkeypatch)
    found, report, _ = blind()
    hosts = {item.full_name for item in found if item.kind in ("HostWindow", "HostSummary")}
    assert len(hosts) > 20
    rates = {"RowMetrics.cpu_saturation_rate", "RowMetrics.system_load_rate"}
    assert_null(found, hosts | OF_PROCESSES | rates)
    assert {item.reason for item in found if item.full_name in hosts | rates} == {"NOT_SAMPLED"}
    # Foreign requests were not watched: none is reported, and the row says that it was not watched.
    seen = [item.reason for run in report.test_runs for item in run.telemetry.run_quality_reasons]
    assert seen == [Reason.TELEMETRY_GAP] * len(report.test_runs)


def test_on_a_machine_without_optional_counters_each_figure_says_what_is_missing(
    blind: Blind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "sampling", samples_of_a_bare_machine)
    found, report, row = blind()
    missing = {name for names in MADE_OF.values() for name in names}
    hosts = [item for item in found if item.kind in ("HostWindow", "HostSummary")]
    assert_null(found, {item.full_name for item in hosts if item.name in missing})
    assert all(item.value is not None for item in hosts if item.name not in missing)
    assert report.hosts[0].samples == 2
    assert row.null_reasons["system_load_rate"] == "NO_LOAD_AVERAGE"
    assert row.cpu_saturation_rate is not None


def test_a_server_without_counts_and_times_leaves_nulls_and_no_rate(
    blind: Blind, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_server_times(monkeypatch)
    found, _, row = blind()
    assert_null(found, OF_THE_SERVER)
    assert row.missing_telemetry_rate == 1.0
    assert row.ttft_ms is not None
    assert row.ttft_ms > 0
    assert not row.valid


def test_with_nothing_to_be_read_no_zero_is_left(
    blind: Blind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "sampling", no_samples)
    without_processes(monkeypatch)
    without_server_times(monkeypatch)
    found, _, _ = blind()
    assert_null(found, OF_PROCESSES | OF_THE_SERVER)
    assert_every_zero_was_counted(found)
