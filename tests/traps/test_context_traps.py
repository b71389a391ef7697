"""T2 and T7 in the context sweep: a context is served, filled, and only its follow-up cached."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import PROVENANCE
from nano import nano_file, nano_spec
from silent import Silent

from orket_lib.artifacts.measurements.request import ServableCell
from orket_lib.artifacts.measurements.spec import ContextFill, MeasurementSpec
from orket_lib.artifacts.views.context_ceiling import ContextThresholds
from orket_lib.artifacts.views.context_summary import ContextSettings
from orket_lib.artifacts.views.preflight import Needs
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.context import ContextMeasurement
from orket_lib.processes import device_lock
from orket_lib.providers.base import Source
from orket_lib.vocabulary.statuses import RunStatus

TAG = "Q4_K_M"
FILL = ContextFill(share=0.85, families=("retrieval",), depths=(0.5,), tasks_per_depth=2)


def measured_at(folder: Path, context: int) -> RunReport:
    """Measure a context for real."""
    settings = ContextSettings(
        contexts=(context,),
        search="all",
        quant_tag=None,
        fill=FILL,
        probe_runs=2,
        on_server_death="row",
        rerun_polluted=0,
        thresholds=ContextThresholds(
            adherence_min=0, ttft_ceiling_ms=0, decode_floor_tps=0, include_invalid=False
        ),
    )
    base = nano_spec(TAG).model_dump(include=set(MeasurementSpec.model_fields))
    cell = ServableCell(
        model_id="nano",
        model_slug="nano",
        quant_tag=TAG,
        artifact=str(nano_file(TAG)),
        spec=MeasurementSpec(**base),
    )
    measurement = ContextMeasurement(cell, settings, context, folder)
    needs = Needs(provider="embedded", cpu_only=True)
    outcome = measurement.measure(
        lambda say: Source(nano_file(TAG)), needs, lambda: None, False, Silent(), PROVENANCE
    )
    return measurement.report(outcome, PROVENANCE)[1]


@pytest.fixture(scope="module")
def at_512(tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    folder = tmp_path_factory.mktemp("context")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device_lock, "_machine_folder", lambda: folder)
        return measured_at(folder, 512)


def test_t02_prompts_really_fill_the_context_by_the_servers_own_count(at_512: RunReport) -> None:
    counts = [run.telemetry.token_metrics.counts.prompt_tokens for run in at_512.test_runs]
    counts += [probe.prompt_tokens for probe in at_512.probes]
    target = FILL.prompt_tokens(512)
    assert len(counts) == 4
    for tokens in counts:
        assert tokens is not None
        assert 0.95 * target <= tokens <= target
    assert at_512.sessions[0].served.n_ctx == 512
    assert {run.outcome for run in at_512.test_runs} == {"pass"}


def test_t02_a_context_beyond_what_is_served_is_no_measurement(tmp_path: Path) -> None:
    report = measured_at(tmp_path, 4096)
    assert report.status is RunStatus.LOAD_FAILED
    assert (report.status_reason or "").startswith("served 2048 of 4096 asked for")


def test_t07_only_a_follow_up_is_served_from_the_cache(at_512: RunReport) -> None:
    for probe in at_512.probes:
        follow_up = probe.follow_up
        assert follow_up is not None
        assert probe.cached_tokens == 0
        assert probe.prompt_tokens is not None
        assert (follow_up.cached_tokens or 0) > 0.9 * probe.prompt_tokens
        assert (follow_up.prompt_tokens or 0) - probe.prompt_tokens in range(24, 48)
