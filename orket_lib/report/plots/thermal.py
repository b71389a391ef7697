"""The plot of a thermal profile: temperature, clock, power and speed over time, runs marked."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.artifacts.measurements.thermal_series import ThermalSeries
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.report.plots import canvas
from orket_lib.report.plots.thermal_columns import Column, columns_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE, _MEAN, _WORK = canvas.BLUE, canvas.ORANGE, canvas.SKY
_HOT, _COOL = canvas.VERMILION, canvas.GREEN
_WIDTH, _PANEL, _EMPTY, _HEAD, _FOOT = 11.0, 1.75, 0.6, 1.15, 0.6
_BETWEEN = 0.36
_LINE_OF_TEXT = 150
_MOST_LABELS = 15


def plot_thermal(profile: ThermalProfile, series: ThermalSeries | None, target: Path) -> None:
    """Draw a profile.

    Args:
        profile: The profile.
        series: Its source; None if it was made from summaries.
        target: The PNG file.
    """
    from matplotlib.ticker import MaxNLocator

    columns = columns_of(profile, series)
    heights = [_PANEL if column.points or column.means else _EMPTY for column in columns]
    height = _HEAD + _FOOT + sum(heights)
    windows = [repeat.window_s for repeat in series.repeats] if series else []
    with canvas.png(target, (_WIDTH, height)) as picture:
        panels = picture.subplots(
            len(columns), 1, squeeze=False, sharex=True, height_ratios=heights
        )
        picture.subplots_adjust(
            left=0.085,
            right=0.985,
            bottom=_FOOT / height,
            top=1 - _HEAD / height,
            hspace=_BETWEEN * len(heights) / sum(heights),
        )
        for (axes,), column in zip(panels, columns, strict=True):
            _draw(axes, column, windows)
        mark_runs(panels[0][0], windows)
        _draw_thresholds(panels[0][0], profile, columns[0])
        below = "seconds since loading began" if series else "run"
        panels[-1][0].set_xlabel(below, color=canvas.INK)
        panels[-1][0].xaxis.set_major_locator(MaxNLocator(integer=True))
        _head(picture, profile, height)


def _draw(axes: Axes, column: Column, windows: Sequence[tuple[float, float]]) -> None:
    """Draw one quantity, or the reason why it is missing."""
    canvas.tidy(axes, "y" if column.points or column.means else None)
    for begin, end in windows:
        axes.axvspan(begin, end, color=_WORK, alpha=0.16, linewidth=0)
    if not column.points and not column.means:
        axes.set_yticks([])
        text = f"{' '.join(column.name.split())}: {column.missing}"
        axes.text(0.01, 0.5, text, transform=axes.transAxes, va="center", **canvas.TEXT)
        return
    axes.set_ylabel(column.name, color=canvas.INK, fontsize=9.5)
    mark = "o" if column.single else "-"
    axes.plot(*zip(*column.points, strict=True), mark, ms=3.2, lw=1.3, color=_LINE, zorder=3)
    for (begin, end), mean in column.means:
        axes.plot((begin, end), (mean, mean), color=_MEAN, lw=2.6, zorder=4)
    axes.margins(y=0.22)
    if column.note:
        axes.text(1.0, 1.02, column.note, transform=axes.transAxes, ha="right", **canvas.TEXT)


def mark_runs(axes: Axes, windows: Sequence[tuple[float, float]]) -> None:
    """Write the number of each run above its time; of many runs, only some."""
    step = -(-len(windows) // _MOST_LABELS) or 1
    for number, (begin, end) in list(enumerate(windows, 1))[::step]:
        axes.annotate(
            "run 1" if number == 1 else f"{number}",
            ((begin + end) / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            **canvas.TEXT,
        )


def _draw_thresholds(axes: Axes, profile: ThermalProfile, heat: Column) -> None:
    """Draw the limits of temperature, if there is a temperature."""
    if not heat.points:
        return
    limits = profile.thresholds
    known = [value for _, value in heat.points]
    for value, colour, words in (
        (limits.polluted_thermal_threshold_c, _HOT, "polluted above"),
        (limits.cooldown_target_c, _COOL, "rest down to"),
    ):
        canvas.limit_line(axes, value, f"{words} {value:g} °C", colour)
        known.append(value)
    spread = max(known) - min(known)
    axes.set_ylim(min(known) - 0.12 * spread, max(known) + 0.25 * spread)


def _head(picture: Figure, profile: ThermalProfile, height: float) -> None:
    subject = f"{profile.model_id} {profile.quant_tag}"
    heading = canvas.title(
        subject, profile.hardware_fingerprint, profile.execution_lane, profile.speeds_are_evidence
    )
    style = {name: value for name, value in canvas.HEADING.items() if name != "loc"}
    picture.text(0.02, 1 - 0.12 / height, heading, va="top", fontsize=12.5, **style)
    said = profile.recommendation.removeprefix(f"{subject}: ")
    lines = textwrap.wrap(said, _LINE_OF_TEXT, max_lines=3, placeholder=" ...")
    picture.text(0.02, 1 - 0.4 / height, "\n".join(lines), va="top", **canvas.TEXT)
