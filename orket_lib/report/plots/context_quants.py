"""The plot of several quants' contexts: adherence by context, one line per quant."""

from __future__ import annotations

from itertools import cycle
from math import ceil
from pathlib import Path

from orket_lib.artifacts.views.context_ceiling import ContextQuants
from orket_lib.report.plots import canvas

_MARKS = "os^Dv<>PX"
_APART = 1.025  # quants side by side, because their intervals would cover each other


def plot_quants(found: ContextQuants, target: Path) -> None:
    """Draw the adherence of each quant by context with its bounds; hollow marks did not pass."""
    from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

    heading = canvas.title(found.model_id, found.hardware_fingerprint, found.execution_lane, True)
    rows = ceil(len(found.quants) / 4)  # of the legend
    contexts = sorted({it.context for quant in found.quants for it in quant.points})
    with canvas.png(target, (9.0, 5.4)) as picture:
        axes = picture.subplots()
        axes.set_title(heading, **canvas.HEADING, fontsize=12.5, pad=8 + 16 * rows)
        if not contexts:
            axes.text(0.5, 0.5, "no context was tried", ha="center", **canvas.TEXT)
            return
        axes.set_xscale("log", base=2)
        axes.set_xlim(min(contexts) / 1.35, max(contexts) * 1.35)
        axes.set_ylim(-0.05, 1.05)
        legend = []
        middle = (len(found.quants) - 1) / 2
        marks = zip(found.quants, cycle(canvas.PALETTE), cycle(_MARKS), strict=False)
        for place, (quant, colour, mark) in enumerate(marks):
            legend.append(canvas.legend_mark(mark, quant.quant_tag, colour, size=6))
            shift = _APART ** (place - middle)
            known = [
                (it, it.context * shift, score)
                for it in quant.points
                if (score := it.adherence_score) is not None
            ]
            axes.plot([x for _, x, _ in known], [y for _, _, y in known], color=colour, lw=1.2)
            for point, x, score in known:
                face = colour if point.passed else "white"
                axes.plot(x, score, mark, ms=6, mfc=face, mec=colour, mew=1.4, zorder=4)
                canvas.interval(axes, x, (point.adherence_low, point.adherence_high), colour)
        if found.thresholds.adherence_min > 0:
            text = f"at least {found.thresholds.adherence_min:g}"
            canvas.limit_line(axes, found.thresholds.adherence_min, text, canvas.INK, below=True)
        axes.xaxis.set_major_locator(FixedLocator(contexts))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0f}")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, 0))
        axes.set_xlabel("context in tokens (log scale)", color=canvas.INK)
        axes.set_ylabel("adherence, each bound with 95 %", color=canvas.INK)
        canvas.tidy(axes, "both")
        picture.subplots_adjust(left=0.1, right=0.98, bottom=0.11, top=0.92 - 0.05 * rows)
        canvas.draw_legend(axes, legend)
