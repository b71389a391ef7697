"""The runs of a thermal profile: the repeats of a thermal series, or the rows of several sweeps."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from orket_lib.analysis.rows.aggregates import probe_rates
from orket_lib.analysis.rows.rounds import hottest
from orket_lib.artifacts.measurements.thermal_series import ThermalRepeat, ThermalSeries
from orket_lib.artifacts.views.frontier import MeasuredWith
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.artifacts.views.summary import Summary, SummaryRow
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null, all_of
from orket_lib.vocabulary.statuses import Lane, RunStatus

Value = float | Null

_NOT_IN_SUMMARY = Null("NOT_IN_SUMMARY")
_OF_EARLIER_RUN = Null("SIDECAR_OF_AN_EARLIER_RUN")


@dataclass(frozen=True)
class ThermalRun:
    """One run of a profile.

    Attributes:
        path: Path of its file.
        latency: Mean seconds per generation or answer.
        inner: Seconds of each generation; empty if only the mean is known.
        decode_tps: Decode rate.
        rate_source: Whose clock measured the rate; None without a rate.
        start_c: Temperature at the start.
        end_c: Temperature at the end.
        rested_c: Temperature at the end of the rest before the run.
        observations: Disturbances and notes.
        measured: Whether the run has a result.
        lane: Its execution lane; None if its file doesn't say.
        heat_of_sidecar: Whether the temperatures are from the hardware sidecar.
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
    """Return the repeats of a series; observations on the whole series apply to each."""
    return tuple(_of_repeat(repeat, series.observations, path) for repeat in series.repeats)


def served_in_series(series: ThermalSeries) -> MeasuredWith | None:
    """Return the model file and build of a series; None if nothing was served."""
    if series.session is None:
        return None
    served = series.session.served
    return MeasuredWith(
        sha256=served.sha256, digest=served.digest, build=served.build, platform=series.platform
    )


def runs_of_rows(rows: Iterable[tuple[str, SummaryRow, Lane]]) -> tuple[ThermalRun, ...]:
    """Return rows as runs, in the same order.

    Args:
        rows: Path of the summary, row and lane of each.
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
    """Return the temperatures at the start and the end of the run.

    A summary has the temperatures of GPUs; of a CPU it only has those at the start of rounds.
    """
    used = [gpu for gpu in row.gpus if gpu.used]
    if not used:
        rounds = row.rounds
        begun = rounds[0].reading("temperature_start_c") if rounds else _NOT_IN_SUMMARY
        return begun, _NOT_IN_SUMMARY
    loads = [gpu.session for gpu in used]
    return (
        hottest([gpu for gpu in used if gpu.session == min(loads)], "temperature_start_c"),
        hottest([gpu for gpu in used if gpu.session == max(loads)], "temperature_end_c"),
    )


def _temperatures_by_sidecar(
    row: SummaryRow, begun: Value, sidecar_is_its_own: bool
) -> tuple[Value, Value]:
    """Return the temperatures that the sidecar measured, as a fallback.

    Sweeps may share one sidecar measurement; it counts only for the first of them.
    """
    assert row.sidecar is not None
    end = row.sidecar.reading("thermal_end_c") if sidecar_is_its_own else _OF_EARLIER_RUN
    return (begun if isinstance(end, Null) else row.sidecar.reading("thermal_start_c")), end


def chosen_row(
    summary: Summary, path: str, model_id: str | None, quant_tag: str | None
) -> SummaryRow:
    """Return the one row of a summary that matches.

    Args:
        summary: A summary with any models and quants.
        path: Its path, for messages.
        model_id: The model; None matches any.
        quant_tag: The quant; None matches any.

    Raises:
        ArtifactError: No row matches, or more than one.
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
        latency=all_of(inner, statistics.fmean, Null("NO_GENERATION_ANSWERED")),
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
