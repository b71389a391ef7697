"""A cell's metrics from its run reports, for rows and looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orket_lib.analysis.rows.batches import batch_figures
from orket_lib.analysis.rows.rounds import as_one, round_figures
from orket_lib.analysis.rows.row import build_row
from orket_lib.artifacts.row_settings import RowSettings
from orket_lib.artifacts.views.row import RowMetrics, RowSidecar
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.session.identity import mixture_observations
from orket_lib.vocabulary.statuses import SidecarStatus


def metrics_of(
    reports: Sequence[RunReport],
    paths: Sequence[Path],
    settings: RowSettings,
    sidecar: SidecarStatus = SidecarStatus.NOT_APPLICABLE,
    sidecar_copy: RowSidecar | None = None,
) -> tuple[RunReport, RowMetrics]:
    """Return the report of all rounds or batches of a cell, and its metrics.

    Args:
        reports: In the order of the rounds or batches; at least one.
        paths: Their paths.
        settings: Row policy and labels.
        sidecar: Status of the hardware probe.
        sidecar_copy: Its numbers, if there is one.
    """
    named = [path.as_posix() for path in paths]
    loads = [session for report in reports for session in report.sessions]
    whole = as_one(reports, mixture_observations(loads))
    batches = batch_figures(reports, named)
    rounds = round_figures(reports, named) if reports[1:] and not batches else ()
    metrics = build_row(
        whole,
        settings.policy,
        settings.execution_lane,
        settings.quant_bits,
        sidecar,
        named[0],
        sidecar_copy,
        rounds,
        batches,
    )
    return whole, metrics
