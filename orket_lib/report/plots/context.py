"""The plot of a context sweep: adherence, TTFT and decode rate over the context, with limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from orket_lib.artifacts.views.context_ceiling import ContextCeiling, ContextPoint
from orket_lib.report.formatting import figure, ratio
from orket_lib.report.plots import canvas
from orket_lib.report.plots.labels import Label, place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

_COLUMNS = 100  # of text, if there is nothing to draw
_PLAIN, _PASSED, _COLD, _LIMIT = canvas.BLUE, canvas.GREEN, canvas.ORANGE, canvas.VERMILION


@dataclass(frozen=True)
class _Panel:
    """One quantity over the context.

    Attributes:
        reading: Field of a point.
        label: Label of the axis.
        limit: The limit; 0 or less is off.
        least: Whether the limit is a minimum.
        form: Formats a number.
    """

    reading: str
    label: str
    limit: float
    least: bool
    form: Callable[[float], str]

    def ends(self, point: ContextPoint) -> tuple[float | None, float | None]:
        """Return the interval of the quantity at a point; only adherence has one."""
        known = self.reading == "adherence_score"
        return (point.adherence_low, point.adherence_high) if known else (None, None)


def plot_context(ceiling: ContextCeiling, target: Path) -> None:
    """Draw a context sweep as a PNG file; hollow marks did not pass."""
    heading = canvas.title(
        f"{ceiling.model_id} {ceiling.quant_tag}",
        ceiling.hardware_fingerprint,
        ceiling.execution_lane,
        ceiling.speeds_are_evidence,
    )
    with canvas.png(target, (9.0, 8.6)) as picture:
        if ceiling.points:
            _draw_panels(picture, ceiling, heading)
        else:
            picture.suptitle(heading, x=0.1, ha="left", color=canvas.INK, parse_math=False)
            words = fill(ceiling.recommendation, _COLUMNS)
            picture.text(0.1, 0.9, words, va="top", **canvas.TEXT)


def _draw_panels(picture: Figure, ceiling: ContextCeiling, heading: str) -> None:
    limits = ceiling.thresholds
    panels = (
        _Panel("adherence_score", "adherence", limits.adherence_min, True, ratio),
        _Panel("ttft_ms", "TTFT in ms (log scale)", limits.ttft_ceiling_ms, False, figure),
        _Panel("decode_tps", "decode t/s (log scale)", limits.decode_floor_tps, True, figure),
    )
    picture.subplots_adjust(left=0.1, right=0.98, bottom=0.07, top=0.9, hspace=0.16)
    drawn = picture.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(drawn, panels, strict=True):
        _draw(axes, panel, ceiling)
    picture.align_ylabels(list(drawn))
    drawn[0].set_title(heading, **canvas.HEADING, fontsize=12.5, pad=24)
    drawn[-1].set_xlabel("context in tokens (log scale)", color=canvas.INK)
    _draw_legend(drawn[0], ceiling)


def _draw(axes: Axes, panel: _Panel, ceiling: ContextCeiling) -> None:
    points = ceiling.points
    values = _values(points, panel.reading)
    cold = _values(points, "ttft_cold_ms") if panel.reading == "ttft_ms" else []
    if len(values) > 1:
        axes.plot(*zip(*((p.context, v) for p, v in values), strict=True), color=_PLAIN, lw=1.2)
    for point, value in values:
        face = _PASSED if point.passed else "white"
        colour = _PASSED if point.passed else _PLAIN
        axes.plot(point.context, value, "o", ms=8, mfc=face, mec=colour, mew=1.6, zorder=4)
        canvas.interval(axes, point.context, panel.ends(point), colour)
    for point, value in cold:
        axes.plot(point.context, value, "^", ms=7, mfc="white", mec=_COLD, mew=1.6, zorder=3)
    _scale(axes, panel, [value for _, value in (*values, *cold)], points)
    clear = _draw_limit(axes, panel) if panel.limit > 0 else []
    _draw_not_loaded(axes, points, panel)
    axes.set_ylabel(panel.label, color=canvas.INK)
    canvas.tidy(axes, "both")
    labels = [Label(p.context, v, panel.form(v), *panel.ends(p)) for p, v in values]
    labels += [Label(p.context, v, panel.form(v)) for p, v in cold]
    place_labels(axes, labels, clear, **canvas.TEXT)


def _values(points: Sequence[ContextPoint], reading: str) -> list[tuple[ContextPoint, float]]:
    found = ((point, getattr(point, reading)) for point in points)
    return [(point, float(value)) for point, value in found if value is not None]


def _scale(
    axes: Axes, panel: _Panel, values: Sequence[float], points: Sequence[ContextPoint]
) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_xscale("log", base=2)
    contexts = [point.context for point in points]
    axes.set_xlim(min(contexts) / 1.3, max(contexts) * 1.3)
    axes.xaxis.set_major_locator(FixedLocator(contexts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f}")
    if panel.form is ratio:
        axes.set_ylim(-0.05, 1.3)
        axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
        return
    known = [value for value in (*values, panel.limit) if value > 0] or [1.0]
    axes.set_yscale("log")
    axes.set_ylim(min(known) / 2, max(known) * 3)
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
    axes.yaxis.set_minor_locator(NullLocator())


def _draw_limit(axes: Axes, panel: _Panel) -> list[Bbox]:
    """Draw the limit, with its name where there is more room; return both boxes in pixels."""
    _, y = axes.transData.transform((axes.get_xlim()[0], panel.limit))
    below = y > (axes.bbox.y0 + axes.bbox.y1) / 2
    text = f"{'at least' if panel.least else 'at most'} {panel.limit:g}"
    return canvas.limit_line(axes, panel.limit, text, _LIMIT, below)


def _draw_not_loaded(axes: Axes, points: Sequence[ContextPoint], panel: _Panel) -> None:
    """Mark the contexts without a number with the first reason why."""
    for point in points:
        if getattr(point, panel.reading) is None:
            why = point.reasons[0] if point.reasons else point.null_reasons[panel.reading]
            axes.annotate(
                why.lower().replace("_", " "),
                (point.context, 0.5),
                xycoords=("data", "axes fraction"),
                rotation=90,
                ha="center",
                va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
                **canvas.TEXT,
            )


def _draw_legend(axes: Axes, ceiling: ContextCeiling) -> None:
    marks = [canvas.legend_mark("o", "passed", _PASSED)]
    if not all(point.passed for point in ceiling.points):
        marks.append(canvas.legend_mark("o", "did not pass", _PLAIN, hollow=True))
    if any(point.ttft_cold_ms is not None for point in ceiling.points):
        marks.append(canvas.legend_mark("^", "TTFT of the cold prompt", _COLD, hollow=True, size=7))
    canvas.draw_legend(axes, marks)
