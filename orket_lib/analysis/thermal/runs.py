"""The runs of a thermal profile: the repeats of a series of ours, or the rows of several sweeps."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orket_lib.analysis.rows.aggregates import probe_rates
from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.measurements.thermal_series import ThermalRepeat, ThermalSeries
from orket_lib.artifacts.views.frontier import MeasuredWith
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.artifacts.views.summary import Summary, SummaryRow
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, RunStatus

Value = float | Null

_NOT_IN_SUMMARY = Null("NOT_IN_SUMMARY")
_OF_EARLIER_RUN = Null("SIDECAR_OF_AN_EARLIER_RUN")


@dataclass(frozen=True)
class ThermalRun:
    """One run, wherever it comes from.

    Attributes:
        path: Of the file that has it.
        latency: Mean seconds of what it did.
        inner: Seconds of each of its generations; empty where only their mean is known.
        decode_tps: Its decode rate.
        rate_source: Whose clock that is; None without a rate.
        start_c: Temperature at its start.
        end_c: At its end.
        rested_c: What the rest before it came to.
        observations: What was seen, disturbances and notes.
        measured: Whether it brought anything.
        lane: That it was measured in; None where its file doesn't say.
        heat_of_sidecar: Whether the temperatures are those that its sidecar measured.
    """

    path: str
    latency: Value
    inner: tuple[float, ...]
    decode_tps: Value
    rate_source: str | None
    start_c: Value
    end_c: Value
    rested_c: Value
    observations: tuple[Observation, ...]
    measured: bool = True
    lane: Lane | None = None
    heat_of_sidecar: bool = False


def runs_of_series(series: ThermalSeries, path: str) -> tuple[ThermalRun, ...]:
    """Return the repeats of a series; what was seen of the series as a whole holds for each."""
    return tuple(_of_repeat(repeat, series.observations, path) for repeat in series.repeats)


def served_in_series(series: ThermalSeries) -> MeasuredWith | None:
    """Return what a series was measured with; None when nothing was served."""
    if series.session is None:
        return None
    served = series.session.served
    return MeasuredWith(
        sha256=served.sha256, digest=served.digest, build=served.build, platform=series.platform
    )


def runs_of_rows(rows: Iterable[tuple[str, SummaryRow, Lane]]) -> tuple[ThermalRun, ...]:
    """Return rows as runs, in their order.

    Args:
        rows: With the paths of their summaries, and the lane of each.
    """
    runs, seen = [], set()
    for path, row, lane in rows:
        probed_at = row.sidecar.measured_at if row.sidecar else None
        runs.append(_of_row(row, path, lane, sidecar_is_its_own=probed_at not in seen))
        if probed_at:
            seen.add(probed_at)
    return tuple(runs)


def _of_row(row: SummaryRow, path: str, lane: Lane, sidecar_is_its_own: bool) -> ThermalRun:
    start, end = _temperatures(row)
    by_sidecar = isinstance(end, Null) and row.sidecar is not None
    if by_sidecar:
        start, end = _temperatures_by_sidecar(row, start, sidecar_is_its_own)
    return ThermalRun(
        path=path,
        latency=row.reading("total_latency"),
        inner=(),
        decode_tps=row.reading("generation_tokens_per_second"),
        rate_source=row.rate_source,
        start_c=start,
        end_c=end,
        rested_c=start,
        observations=(*row.run_quality_reasons, *row.notes),
        measured=row.status is RunStatus.MEASURED,
        lane=lane,
        heat_of_sidecar=by_sidecar and not isinstance(end, Null),
    )


def _temperatures(row: SummaryRow) -> tuple[Value, Value]:
    """Return those of the run itself, at its start and its end.

    A summary has the temperatures of GPUs; of a processor it only has what rounds began with.
    """
    used = [gpu for gpu in row.gpus if gpu.used]
    if not used:
        rounds = row.rounds
        begun = rounds[0].reading("temperature_start_c") if rounds else _NOT_IN_SUMMARY
        return begun, _NOT_IN_SUMMARY
    loads = [gpu.session for gpu in used]
    return (
        _hottest(used, min(loads), "temperature_start_c"),
        _hottest(used, max(loads), "temperature_end_c"),
    )


def _temperatures_by_sidecar(
    row: SummaryRow, begun: Value, sidecar_is_its_own: bool
) -> tuple[Value, Value]:
    """Return those of the sidecar, the next best: it worked the machine apart from the run.

    Sweeps may share a sidecar, whose heat is not that of both.
    """
    assert row.sidecar is not None
    end = row.sidecar.reading("thermal_end_c") if sidecar_is_its_own else _OF_EARLIER_RUN
    return (begun if isinstance(end, Null) else row.sidecar.reading("thermal_start_c")), end


def chosen_row(
    summary: Summary, path: str, model_id: str | None, quant_tag: str | None
) -> SummaryRow:
    """Return the one row of a summary that is asked for, never another one.

    Args:
        summary: With rows of any models and quants.
        path: Of it, for messages.
        model_id: None leaves it open; then only one may be there.
        quant_tag: Likewise.

    Raises:
        ArtifactError: There is no such row, or more than one.
    """
    rows = [row for session in summary.sessions for row in session.per_quant]
    found = [
        row
        for row in rows
        if model_id in (None, row.model_id) and quant_tag in (None, row.quant_tag)
    ]
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"{row.model_id} {row.quant_tag}" for row in rows) or "no row"
    if found:
        raise ArtifactError(f"{path}: name --model-id and --quant-tag: it has {there}")
    asked = " ".join(filter(None, (model_id, quant_tag)))
    raise ArtifactError(f"{path}: has no row of {asked or 'any model'}; it has {there}")


def _of_repeat(repeat: ThermalRepeat, observations: Iterable[Observation], path: str) -> ThermalRun:
    rates = probe_rates(repeat.probes)
    inner = tuple(probe.chunk_ms[-1] / 1000 for probe in repeat.probes if probe.chunk_ms)
    return ThermalRun(
        path=path,
        latency=statistics.fmean(inner) if inner else Null("NO_GENERATION_ANSWERED"),
        inner=inner,
        decode_tps=rates["generation_tokens_per_second"],
        rate_source=rates["rate_source"],
        start_c=repeat.reading("temperature_start_c"),
        end_c=repeat.reading("temperature_end_c"),
        rested_c=(
            repeat.cooldown.reading("end_c")
            if repeat.cooldown.sensor == repeat.sensor
            else Null("ANOTHER_SENSOR_RESTED")
        ),
        observations=(
            *observations,
            *(item for probe in repeat.probes for item in probe.observations),
        ),
    )


def _hottest(gpus: Sequence[GpuSummary], load: int, reading: str) -> Value:
    """Return the hottest of the GPUs in one load of the model."""
    values = [gpu.reading(reading) for gpu in gpus if gpu.session == load]
    known = [value for value in values if not isinstance(value, Null)]
    return max(known) if known else next(it for it in values if isinstance(it, Null))
