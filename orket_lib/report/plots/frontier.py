"""The picture of a sweep, for a README: one line of two panels per model."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.artifacts.io import write_bytes
from orket_lib.artifacts.views.summary import ModelSession, Summary
from orket_lib.report.formatting import cpu_name
from orket_lib.report.plots.panels import HEADING, TEXT, draw_quality, draw_speed
from orket_lib.report.views import frontier_view
from orket_lib.vocabulary.statuses import Lane

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT, _DPI = 11.0, 4.7, 150


def plot_frontier(summary: Summary, target: Path, include_invalid: bool | None = None) -> None:
    """Draw a sweep: one line of two panels per model.

    Args:
        summary: What the sweep found.
        target: The PNG file.
        include_invalid: Whether rows that are not valid may be marked as minimum viable or best
            value, in this view only; None means as in the summary.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = summary.sessions
    if all(row.adherence_score is None for session in drawn for row in session.per_quant):
        drawn = ()
    height = _HEIGHT * len(drawn) if drawn else _HEIGHT / 2
    picture = Figure(figsize=(_WIDTH, height), dpi=_DPI)
    FigureCanvasAgg(picture)
    if drawn:
        # Margins are given in inches, so that labels can be placed before anything is drawn.
        left, right, bottom, top, between = 0.75, 0.15, 0.55, 0.75, 1.3
        panels = picture.subplots(len(drawn), 2, squeeze=False, width_ratios=(1.55, 1))
        picture.subplots_adjust(
            left=left / _WIDTH,
            right=1 - right / _WIDTH,
            bottom=bottom / height,
            top=1 - top / height,
            hspace=between / (_HEIGHT - between),
            wspace=0.24,
        )
        for (quality, speed), session in zip(panels, drawn, strict=True):
            lane = summary.execution_lane
            view = frontier_view(session, lane, include_invalid)
            quality.set_title(_title(summary, session), **HEADING, fontsize=12.5, pad=27)
            draw_quality(quality, session, view, lane)
            draw_speed(speed, session, view, lane)
    else:
        _say_nothing_was_measured(picture, summary)
    content = BytesIO()
    picture.savefig(content, format="png", metadata={"Software": None})
    write_bytes(target, content.getvalue())


def _title(summary: Summary, session: ModelSession) -> str:
    lane = summary.execution_lane
    note = " (speeds are not evidence)" if lane is Lane.CI else ""
    return f"{session.model_id}  ·  {cpu_name(summary.hardware_fingerprint)}  ·  lane {lane}{note}"


def _say_nothing_was_measured(picture: Figure, summary: Summary) -> None:
    lines = ["No row of this sweep was measured."]
    lines += [
        f"{row.model_id} {row.quant_tag}: {row.status_reason or row.status}"
        for row in summary.failed_rows[:10]
    ]
    picture.text(0.04, 0.88, "\n".join(lines), va="top", **TEXT)
