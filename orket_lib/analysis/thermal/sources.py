"""The source of a thermal profile: a thermal series, or several sweep summaries.

Summaries of different machines, model files or builds are refused, because their differences would
look like heat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orket_lib.analysis.frontier import served_in_row
from orket_lib.analysis.thermal.runs import (
    ThermalRun,
    chosen_row,
    runs_of_rows,
    runs_of_series,
    served_in_series,
)
from orket_lib.artifacts.measurements.thermal_series import ThermalSeries
from orket_lib.artifacts.views.frontier import Explorer, MeasuredWith
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import Summary, SummaryRow
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.statuses import Lane, RunStatus, VramProfile


@dataclass(frozen=True)
class Labels:
    """The labels of a profile; None if unknown.

    Attributes:
        lane: Execution lane.
        profile: The operator's VRAM profile.
        ref: Label of the caller.
        config_sha256: Digest of the sweep's config.
        sweep: Name of the sweep.
    """

    lane: Lane | None = None
    profile: VramProfile | None = None
    ref: str | None = None
    config_sha256: str | None = None
    sweep: str | None = None


@dataclass(frozen=True)
class ThermalSource:
    """The runs that a profile is made from.

    Attributes:
        model_id: Model of all runs.
        quant_tag: Quant of all runs.
        runs: In the order of measuring.
        served: Model file and build.
        fingerprint: Hardware fingerprint of the machine.
        labels: Labels in the files.
        failure: Why the measurement is incomplete or missing; None if it is complete.
        why_none: The same as a null reason.
    """

    model_id: str
    quant_tag: str
    runs: tuple[ThermalRun, ...]
    served: MeasuredWith | None
    fingerprint: str | None
    labels: Labels
    failure: str | None
    why_none: str


def from_series(
    series: ThermalSeries, path: str, model_id: str | None, quant_tag: str | None
) -> ThermalSource:
    """Return a series as a source.

    Args:
        series: The series.
        path: Its path.
        model_id: The expected model; None accepts any.
        quant_tag: The expected quant; None accepts any.

    Raises:
        ArtifactError: The series is of another model or quant.
    """
    for asked, there in ((model_id, series.model_id), (quant_tag, series.quant_tag)):
        if asked not in (None, there):
            named = f"{series.model_id} {series.quant_tag}"
            raise ArtifactError(f"{path}: is a series of {named}, not of {asked}")
    nothing = series.status is RunStatus.NOT_RUN
    reason = series.status_reason or series.status.value
    return ThermalSource(
        model_id=series.model_id,
        quant_tag=series.quant_tag,
        runs=runs_of_series(series, path),
        served=served_in_series(series),
        fingerprint=series.hardware_fingerprint,
        labels=Labels(),
        failure=None if series.status is RunStatus.MEASURED else reason,
        why_none=reason.partition(":")[0] if nothing else f"STATUS_{series.status.upper()}",
    )


def from_summaries(
    summaries: Sequence[tuple[Path, Summary]], model_id: str | None, quant_tag: str | None
) -> ThermalSource:
    """Return the rows of one model and quant as a source, in the order given.

    Args:
        summaries: At least one, with their paths.
        model_id: The model; None if there is only one.
        quant_tag: The quant; None if there is only one.

    Raises:
        ArtifactError: A summary has no such row, two are the same measurement, or they are not of
            one machine, model file and build.
    """
    rows = [
        (path.as_posix(), chosen_row(summary, path.as_posix(), model_id, quant_tag))
        for path, summary in summaries
    ]
    first = rows[0][1]
    for path, row in rows:
        if (row.model_id, row.quant_tag) != (first.model_id, first.quant_tag):
            pairs = f"{first.model_id} {first.quant_tag} and {row.model_id} {row.quant_tag}"
            raise ArtifactError(f"{path}: name --model-id and --quant-tag: there are {pairs}")
    _refuse_one_measurement_twice(rows)
    _refuse_other_things(rows)
    found = [summary for _, summary in summaries]
    for file, summary in summaries:
        if summary.hardware_fingerprint != found[0].hardware_fingerprint:
            raise ArtifactError(
                f"{file.as_posix()}: is of machine {summary.hardware_fingerprint}, "
                f"{summaries[0][0].as_posix()} of {found[0].hardware_fingerprint}"
            )
    return ThermalSource(
        model_id=first.model_id,
        quant_tag=first.quant_tag,
        runs=runs_of_rows(
            (path, row, summary.execution_lane)
            for (path, row), summary in zip(rows, found, strict=True)
        ),
        served=next(filter(None, (served_in_row(row) for _, row in rows)), None),
        fingerprint=found[0].hardware_fingerprint,
        labels=Labels(
            lane=_the_only({summary.execution_lane for summary in found}),
            profile=_the_only({summary.vram_profile for summary in found}),
            ref=found[-1].provenance.ref,
            config_sha256=found[-1].provenance.config_sha256,
            sweep=found[-1].matrix.get("sweep"),
        ),
        failure=None,
        why_none="NOT_MEASURED",
    )


def labels_of(artifact: Explorer) -> Labels:
    """Return the labels of another artifact of the same sweep."""
    return Labels(
        lane=artifact.execution_lane,
        profile=artifact.vram_profile,
        ref=artifact.provenance.ref,
        config_sha256=artifact.provenance.config_sha256,
        sweep=artifact.sweep,
    )


def _refuse_one_measurement_twice(rows: Sequence[tuple[str, SummaryRow]]) -> None:
    """Refuse a measurement that occurs twice, such as two summaries of the same runs."""
    seen: list[tuple[str, tuple[object, ...]]] = []
    for path, row in rows:
        if row.status is not RunStatus.MEASURED:
            continue
        numbers = tuple(getattr(row, name) for name in RowMetrics.readings())
        measured = (row.report_paths, row.artifact, row.gpus, numbers)
        for earlier, other in seen:
            if measured == other:
                raise ArtifactError(f"{path}: is the same measurement as {earlier}")
        seen.append((path, measured))


def _refuse_other_things(rows: Sequence[tuple[str, SummaryRow]]) -> None:
    """Refuse rows of different model files or builds."""
    served = [(path, found) for path, row in rows if (found := served_in_row(row))]
    for path, found in served:
        for name in ("sha256", "digest", "build"):
            value, first = getattr(found, name), getattr(served[0][1], name)
            if value != first:
                raise ArtifactError(
                    f"{path}: its {name} is {value}, that of {served[0][0]} is {first}: their "
                    "differences would look like heat"
                )


def _the_only(values: set[Lane] | set[VramProfile]) -> Any:
    return values.pop() if len(values) == 1 else None
