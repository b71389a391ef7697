"""The plot of one metric over time, one line per quant, sweep and machine."""

from __future__ import annotations

from pathlib import Path

from orket_lib.artifacts.history import HistoryOverTime
from orket_lib.report.plots import canvas
from orket_lib.vocabulary.clock import parse_time
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.text import printable

_MARKERS = "osD^vP*"
_DAY_S = 86400.0  # matplotlib counts days since 1970


def plot_history(found: HistoryOverTime, target: Path) -> None:
    """Draw a metric over time as a PNG file; hollow points are not valid."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    with canvas.png(target, (9.0, 4.8), layout="constrained") as figure:
        axes = figure.add_subplot()
        for index, series in enumerate(found.series):
            points = [
                (parse_time(point.generated_at).timestamp() / _DAY_S, point.value, point.valid)
                for point in series.points
                if point.value is not None
            ]
            colour = canvas.PALETTE[index % len(canvas.PALETTE)]
            axes.plot(
                [when for when, _, _ in points],
                [value for _, value, _ in points],
                color=colour,
                marker=_MARKERS[index // len(canvas.PALETTE) % len(_MARKERS)],
                label=printable(series.name, 60).replace("$", r"\$"),
            )
            for when, value, valid in points:
                if not valid:
                    axes.plot(when, value, "o", mfc="white", mec=colour, zorder=3)
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        axes.set_ylabel(found.metric)
        canvas.tidy(axes, "both")
        axes.set_title(_title(found), **canvas.HEADING)
        if any(point.value is not None for series in found.series for point in series.points):
            axes.legend(
                fontsize=8, labelcolor=canvas.INK, loc="center left", bbox_to_anchor=(1.0, 0.5)
            )


def _title(found: HistoryOverTime) -> str:
    ci = any(series.execution_lane is Lane.CI for series in found.series)
    return f"{found.metric} over time{' (ci lane: speeds are not evidence)' if ci else ''}"
