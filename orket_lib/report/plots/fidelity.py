"""The plot of fidelity against file size: KL divergence, or the answers that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orket_lib.analysis.fidelity.evidence import Evidence
from orket_lib.artifacts.views.summary import ModelSession, Summary
from orket_lib.report.plots import canvas
from orket_lib.report.plots.labels import Label, place_labels
from orket_lib.vocabulary.units import GIB

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT, _NOTHING = 9.0, 4.4, 1.6
_LEAST_KLD = 1e-6  # where a divergence is drawn that is smaller: there is no 0 on a log scale


class _Point(NamedTuple):
    """A quant: its value, and the ends of its 95 % interval if that is known."""

    value: float
    low: float | None
    high: float | None


def plot_fidelity(summary: Summary, target: Path) -> None:
    """Draw the first models, one panel each, with the baseline's own noise.

    Args:
        summary: What the sweep found.
        target: The PNG file.
    """
    sessions = [session for session in summary.sessions if _points(session)[1]]
    if not sessions:
        with canvas.png(target, (_WIDTH, _NOTHING)) as figure_:
            figure_.text(0.04, 0.5, "No quant was compared with a baseline.", **canvas.TEXT)
        return
    shown = sessions[: canvas.MOST_MODELS]
    height = _HEIGHT * len(shown)
    with canvas.png(target, (_WIDTH, height)) as figure_:
        panels = figure_.subplots(len(shown), 1, squeeze=False)[:, 0]
        figure_.subplots_adjust(
            left=0.12, right=0.98, bottom=0.6 / height, top=1 - 0.6 / height, hspace=0.4
        )
        for axes, session in zip(panels, shown, strict=True):
            lane, machine = summary.execution_lane, summary.hardware_fingerprint
            heading = canvas.title(session.model_id, machine, lane, speeds_count=True)
            axes.set_title(heading, **canvas.HEADING, fontsize=12.5, pad=12)
            draw_fidelity(axes, session)
        canvas.note_of_others(figure_, len(sessions))


def draw_fidelity(axes: Axes, session: ModelSession) -> None:
    """Draw the quants of one model."""
    by_kld, found = _points(session)
    gib = _gib(session)
    axes.set_xscale("log")
    axes.set_xlabel("size of the file in GiB (log scale)", color=canvas.INK)
    unit = "mean KL divergence, nats (log scale)" if by_kld else "share of answers that changed"
    axes.set_ylabel(f"{unit}\nfrom {session.baseline_quant}", color=canvas.INK)
    if by_kld:
        axes.set_yscale("log")
    labels = []
    for quant, point in found.items():
        if quant == session.baseline_quant or quant not in gib:
            continue
        value = max(point.value, _LEAST_KLD) if by_kld else point.value
        low = point.low if point.low is None or not by_kld else max(point.low, _LEAST_KLD)
        canvas.interval(axes, gib[quant], (low, point.high), canvas.BLUE)
        axes.plot(gib[quant], value, "o", ms=7, mfc=canvas.BLUE, mec=canvas.BLUE, zorder=4)
        text = f"{quant}\n{point.value:.2g}"
        labels.append(Label(gib[quant], value, text, low, point.high))
    floor = found.get(session.baseline_quant or "")
    least = floor.value if floor else 0.0
    shown = max(least, _LEAST_KLD) if by_kld else least
    _limits(axes, [label.x for label in labels])
    if by_kld:
        values = [label.y for label in labels] + ([shown] if floor else [])
        axes.set_ylim(min(values) / 2, max(values) * 6)
    else:
        axes.set_ylim(-0.04, 1.12)
    canvas.tidy(axes, "both")
    clear = []
    if floor:
        words = f"{session.baseline_quant}, measured again: {floor.value:.2g}"
        clear = canvas.limit_line(axes, shown, words, canvas.VERMILION)
    place_labels(axes, labels, clear, linespacing=1.0, **canvas.TEXT)


def _limits(axes: Axes, sizes: Sequence[float]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    if sizes:
        axes.set_xlim(min(sizes) / 1.3, max(sizes) * 1.3)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)))
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _points(session: ModelSession) -> tuple[bool, Mapping[str, _Point]]:
    """Return whether divergences are drawn, and the point of each quant, the baseline's own too."""
    divergences = Evidence(found=session.fidelity).divergences
    if divergences.keys() - {session.baseline_quant}:
        return True, {
            quant: _Point(it.mean, *(it.mean_interval or (None, None)))
            for quant, it in divergences.items()
            if it.mean is not None
        }
    found = {}
    for item in session.fidelity:
        it = item.agreement
        if it.same_answer_rate is not None:
            ends = [
                None if end is None else 1 - end
                for end in (it.same_answer_high, it.same_answer_low)
            ]
            found[item.quant_tag] = _Point(1 - it.same_answer_rate, *ends)
    compared = found.keys() - {session.baseline_quant}
    return False, found if compared else {}


def _gib(session: ModelSession) -> Mapping[str, float]:
    return {
        row.quant_tag: row.artifact.bytes / GIB for row in session.per_quant if row.artifact.bytes
    }
