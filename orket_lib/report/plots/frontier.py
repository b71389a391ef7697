"""The plot of a sweep: quality, speed and memory of every quant, one row of panels a model."""

from __future__ import annotations

from pathlib import Path

from orket_lib.artifacts.views.summary import Summary
from orket_lib.report.plots import canvas
from orket_lib.report.plots.panels import draw_quality, draw_speed
from orket_lib.report.views import frontier_view
from orket_lib.vocabulary.statuses import Lane

_WIDTH, _HEIGHT = 11.0, 4.7


def plot_frontier(summary: Summary, target: Path, include_invalid: bool | None = None) -> None:
    """Draw a sweep: one row of two panels for each model, up to `canvas.MOST_MODELS`.

    Args:
        summary: What the sweep found.
        target: The PNG file.
        include_invalid: Whether rows that are not valid may be marked as minimum viable or best
            value, in this view only; None means as in the summary.
    """
    lane, rows = summary.execution_lane, [r for s in summary.sessions for r in s.per_quant]
    if all(row.adherence_score is None for row in rows):
        with canvas.png(target, (_WIDTH, _HEIGHT / 2)) as figure:
            reasons = [
                f"{row.model_id} {row.quant_tag}: {row.status_reason or row.status}"
                for row in summary.failed_rows[:10]
            ]
            lines = ["No row of this sweep was measured.", *reasons]
            figure.text(0.04, 0.88, "\n".join(lines), va="top", **canvas.TEXT)
        return
    sessions = summary.sessions[: canvas.MOST_MODELS]
    height, machine = _HEIGHT * len(sessions), summary.hardware_fingerprint
    with canvas.png(target, (_WIDTH, height)) as figure:
        # Margins are given in inches, so that labels can be placed before anything is drawn.
        left, right, bottom, top, between = 0.75, 0.15, 0.55, 0.75, 1.3
        panels = figure.subplots(len(sessions), 2, squeeze=False, width_ratios=(1.55, 1))
        figure.subplots_adjust(
            left=left / _WIDTH,
            right=1 - right / _WIDTH,
            bottom=bottom / height,
            top=1 - top / height,
            hspace=between / (_HEIGHT - between),
            wspace=0.24,
        )
        for (quality, speed), session in zip(panels, sessions, strict=True):
            view = frontier_view(session, lane, include_invalid)
            heading = canvas.title(session.model_id, machine, lane, lane is not Lane.CI)
            quality.set_title(heading, **canvas.HEADING, fontsize=12.5, pad=27)
            draw_quality(quality, session, view, lane)
            draw_speed(speed, session, view, lane)
        canvas.note_of_others(figure, len(summary.sessions))
