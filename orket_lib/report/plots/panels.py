"""The two panels of a model: quality against bits per weight, and speed with peak memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orket_lib.analysis.frontier import memory_mib
from orket_lib.analysis.rows.adherence_interval import adherence_interval
from orket_lib.artifacts.views.summary import ModelSession, SummaryRow
from orket_lib.report.formatting import figure, ratio
from orket_lib.report.plots import canvas
from orket_lib.report.plots.labels import Label, place_labels
from orket_lib.report.views import FrontierView
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, RunStatus

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLAIN, _SMALLEST, _VALUE, _LIMIT = canvas.BLUE, canvas.GREEN, canvas.ORANGE, canvas.VERMILION
_TICKS = (1, 1.5, 2, 3, 4, 5, 6, 8, 12, 16, 32)


def draw_quality(axes: Axes, session: ModelSession, view: FrontierView, lane: Lane) -> None:
    """Draw adherence by bits per weight, with 95 % intervals."""
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_xscale("log")
    labels = []
    for row in session.per_quant:
        if row.adherence_score is None or not row.quant_rank:
            continue
        x, y = row.quant_rank / 100, row.adherence_score
        role = view.roles[row.quant_tag]
        if "best_value" in role:
            axes.plot(x, y, "o", ms=16, mfc="none", mec=_VALUE, mew=2.2, zorder=3)
        smallest = "minimum_viable" in role
        colour = _SMALLEST if smallest else _PLAIN
        fill = colour if row.valid else "white"
        marker = "D" if smallest else "o"
        axes.plot(x, y, marker, ms=8, mfc=fill, mec=colour, mew=1.6, zorder=4)
        ends = adherence_interval(row)
        canvas.interval(axes, x, ends, colour)
        labels.append(Label(x, y, f"{row.quant_tag}\n{ratio(y)}", *ends))
    xs = [label.x for label in labels] or [4.0]
    axes.set_xlim(max(xs) * 1.18, min(xs) / 1.18)
    axes.set_ylim(-0.04, 1.22)
    axes.xaxis.set_major_locator(FixedLocator(_TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.set_xlabel("bits per weight (log scale, smaller model to the right)")
    axes.set_ylabel("adherence (share of graded work)")
    canvas.tidy(axes, "both")
    marks = [canvas.legend_mark("D", "minimum viable", _SMALLEST, size=7)]
    if lane is not Lane.CI:
        marks.append(canvas.legend_mark("o", "best value", _VALUE, hollow=True, size=11))
    if not all(row.valid for row in session.per_quant):
        marks.append(canvas.legend_mark("o", "not valid", _PLAIN, hollow=True))
    canvas.draw_legend(axes, marks)
    clear = []
    if view.floor is not None:
        share = session.efficiency_frontier.adherence_threshold
        text = f"threshold {ratio(view.floor)} = {share:.0%} of {view.baseline}"
        clear = canvas.limit_line(axes, view.floor, text, _LIMIT, below=True)
    unknown = [r for r in session.per_quant if r.adherence_score is not None and not r.quant_rank]
    if unknown:
        tags = ", ".join(row.quant_tag for row in unknown)
        _note(axes, f"not drawn, bits per weight unknown: {tags}")
    elif not labels:
        _note(axes, "no row of this model was measured")
    place_labels(axes, labels, clear, linespacing=1.0, **canvas.TEXT)


def _note(axes: Axes, text: str) -> None:
    axes.text(0.015, 0.02, text, transform=axes.transAxes, va="bottom", **canvas.TEXT)


def draw_speed(axes: Axes, session: ModelSession, view: FrontierView, lane: Lane) -> None:
    """Draw the decode rate of every quant as a bar with its interval, labelled with its figures."""
    rows = session.per_quant
    rates = [row.generation_tokens_per_second or 0.0 for row in rows]
    ends = list(rates)
    for place, (row, rate) in enumerate(zip(rows, rates, strict=True)):
        colour = _SMALLEST if "minimum_viable" in view.roles[row.quant_tag] else _PLAIN
        face = colour if row.valid else "white"
        if rate:
            axes.barh(place, rate, height=0.62, color=face, edgecolor=colour, linewidth=1.2)
        low, high = row.intervals.get("generation_tokens_per_second", (rate, rate))
        if high > low:
            axes.plot([low, high], [place, place], color=canvas.INK, lw=1.4)
            ends[place] = max(rate, high)
        axes.annotate(
            _bar_text(row),
            (ends[place], place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            **canvas.TEXT,
        )
    axes.set_xlim(0, (max(ends) or 1.0) * 1.68)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [row.quant_tag for row in rows])
    axes.set_xlabel("decode tokens/s" + (" (not evidence in lane ci)" if lane is Lane.CI else ""))
    axes.set_title("Decode rate and peak memory", **canvas.HEADING, fontsize=10.5)
    canvas.tidy(axes)
    axes.tick_params(axis="y", length=0)


def _bar_text(row: SummaryRow) -> str:
    rate, memory = row.reading("generation_tokens_per_second"), memory_mib(row)
    if row.status is not RunStatus.MEASURED:
        return row.status.value.replace("_", " ")
    if isinstance(rate, Null):
        return f"no rate: {rate.reason}"
    weight = "" if isinstance(memory, Null) else f"  ·  {figure(memory)} MiB"
    return f"{figure(rate)} t/s{weight}"
