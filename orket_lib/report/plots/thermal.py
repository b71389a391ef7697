"""The picture of a thermal profile: heat, clock, power and speed over time, runs marked."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.artifacts.io import write_bytes
from orket_lib.artifacts.measurements.thermal_series import ThermalSeries
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.report.formatting import cpu_name
from orket_lib.report.plots.panels import HEADING, INK, TEXT
from orket_lib.report.sections.thermal_columns import Column, columns_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, as in the picture of the sweep.
_LINE, _MEAN, _HOT, _COOL, _WORK = "#0072B2", "#E69F00", "#D55E00", "#009E73", "#56B4E9"
_WIDTH, _PANEL, _EMPTY, _HEAD, _FOOT, _DPI = 11.0, 1.75, 0.6, 1.15, 0.6, 150
_BETWEEN = 0.36
_LINE_OF_TEXT = 150
_MOST_LABELS = 15


def plot_thermal(profile: ThermalProfile, series: ThermalSeries | None, target: Path) -> None:
    """Draw a profile.

    Args:
        profile: What is drawn.
        series: What it was made from; None when it was made from summaries.
        target: The PNG file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    columns = columns_of(profile, series)
    heights = [_PANEL if column.points or column.means else _EMPTY for column in columns]
    height = _HEAD + _FOOT + sum(heights)
    picture = Figure(figsize=(_WIDTH, height), dpi=_DPI)
    FigureCanvasAgg(picture)
    panels = picture.subplots(len(columns), 1, squeeze=False, sharex=True, height_ratios=heights)
    picture.subplots_adjust(
        left=0.085,
        right=0.985,
        bottom=_FOOT / height,
        top=1 - _HEAD / height,
        hspace=_BETWEEN * len(heights) / sum(heights),
    )
    windows = [repeat.window_s for repeat in series.repeats] if series else []
    for (axes,), column in zip(panels, columns, strict=True):
        _draw(axes, column, windows)
    mark_runs(panels[0][0], windows)
    _draw_thresholds(panels[0][0], profile, columns[0])
    panels[-1][0].set_xlabel("seconds since the loading began" if series else "run", color=INK)
    panels[-1][0].xaxis.set_major_locator(MaxNLocator(integer=True))
    _head(picture, profile, height)
    content = BytesIO()
    picture.savefig(content, format="png", metadata={"Software": None})
    write_bytes(target, content.getvalue())


def _draw(axes: Axes, column: Column, windows: Sequence[tuple[float, float]]) -> None:
    """Draw one quantity; where there is none of it, say why."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("0.6")
    axes.tick_params(color="0.6", labelcolor=INK)
    for begin, end in windows:
        axes.axvspan(begin, end, color=_WORK, alpha=0.16, linewidth=0)
    if not column.points and not column.means:
        axes.set_yticks([])
        text = f"{' '.join(column.name.split())}: {column.missing}"
        axes.text(0.01, 0.5, text, transform=axes.transAxes, va="center", **TEXT)
        return
    axes.set_ylabel(column.name, color=INK, fontsize=9.5)
    mark = "o" if column.single else "-"
    axes.plot(*zip(*column.points, strict=True), mark, ms=3.2, lw=1.3, color=_LINE, zorder=3)
    for (begin, end), mean in column.means:
        axes.plot((begin, end), (mean, mean), color=_MEAN, lw=2.6, zorder=4)
    axes.margins(y=0.22)
    axes.grid(axis="y", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    if column.note:
        axes.text(1.0, 1.02, column.note, transform=axes.transAxes, ha="right", **TEXT)


def mark_runs(axes: Axes, windows: Sequence[tuple[float, float]]) -> None:
    """Write the number of each run above its time, of many runs that of some."""
    step = -(-len(windows) // _MOST_LABELS) or 1
    for number, (begin, end) in list(enumerate(windows, 1))[::step]:
        axes.annotate(
            "run 1" if number == 1 else f"{number}",
            ((begin + end) / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            **TEXT,
        )


def _draw_thresholds(axes: Axes, profile: ThermalProfile, heat: Column) -> None:
    """Draw what is hot and what is cool, where there is a temperature to hold against them."""
    if not heat.points:
        return
    limits = profile.thresholds
    known = [value for _, value in heat.points]
    for value, colour, words in (
        (limits.polluted_thermal_threshold_c, _HOT, "polluted above"),
        (limits.cooldown_target_c, _COOL, "rest down to"),
    ):
        axes.axhline(value, color=colour, linewidth=1.3, linestyle=(0, (5, 3)), zorder=2)
        axes.annotate(
            f"{words} {value:g} °C",
            (0, value),
            xycoords=("axes fraction", "data"),
            xytext=(5, 2),
            textcoords="offset points",
            **TEXT | {"color": colour},
        )
        known.append(value)
    spread = max(known) - min(known)
    axes.set_ylim(min(known) - 0.12 * spread, max(known) + 0.25 * spread)


def _head(picture: Figure, profile: ThermalProfile, height: float) -> None:
    note = "" if profile.speeds_are_evidence else " (speeds are not evidence)"
    title = (
        f"{profile.model_id} {profile.quant_tag}  ·  {cpu_name(profile.hardware_fingerprint)}"
        f"  ·  lane {profile.execution_lane}{note}"
    )
    style = {name: value for name, value in HEADING.items() if name != "loc"}
    picture.text(0.02, 1 - 0.12 / height, title, va="top", fontsize=12.5, **style)
    said = profile.recommendation.removeprefix(f"{profile.model_id} {profile.quant_tag}: ")
    lines = textwrap.wrap(said, _LINE_OF_TEXT, max_lines=3, placeholder=" ...")
    picture.text(0.02, 1 - 0.4 / height, "\n".join(lines), va="top", **TEXT)
