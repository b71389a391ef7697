"""Records of earlier sweeps as people read them: a list, a comparison, a picture."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from orket_lib.artifacts.history import (
    Change,
    HistoryComparison,
    HistoryList,
    HistoryOverTime,
    HistoryRecord,
    Scalar,
)
from orket_lib.artifacts.io import write_bytes
from orket_lib.report.formatting import cpu_name, figure
from orket_lib.report.plots.panels import HEADING, INK
from orket_lib.vocabulary.clock import parse_time
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.text import printable

_LONGEST = 400
_DAY_S = 86400.0
_SIZE, _DPI = (9.0, 4.8), 150
# Okabe and Ito's palette: told apart with every common kind of colour blindness.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000")
_MARKERS = "osD^vP*"


def list_text(found: HistoryList) -> str:
    """Return one line for each record, the oldest first."""
    return "\n".join(_line(f"{one.id}  {_described(one)}") for one in found.records)


def comparison_text(comparison: HistoryComparison) -> str:
    """Return what changed, line by line."""
    lines = [
        f"old  {comparison.old.id}  {_described(comparison.old)}",
        f"new  {comparison.new.id}  {_described(comparison.new)}",
        *map(_change, comparison.changes),
        *comparison.notes,
    ]
    if not comparison.changes:
        lines.append("nothing changed that both records say")
    return "\n".join(map(_line, lines))


def plot_history(found: HistoryOverTime, target: Path) -> None:
    """Draw a metric over time as a PNG file; hollow points are not valid."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    picture = Figure(figsize=_SIZE, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(picture)
    axes = picture.add_subplot()
    for index, series in enumerate(found.series):
        points = [
            (_day(point.generated_at), point.value, point.valid)
            for point in series.points
            if point.value is not None
        ]
        colour = _COLOURS[index % len(_COLOURS)]
        axes.plot(
            [when for when, _, _ in points],
            [value for _, value, _ in points],
            color=colour,
            marker=_MARKERS[index // len(_COLOURS) % len(_MARKERS)],
            label=printable(series.name, 60).replace("$", r"\$"),
        )
        for when, value, valid in points:
            if not valid:
                axes.plot(when, value, "o", mfc="white", mec=colour, zorder=3)
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_ylabel(found.metric)
    axes.grid(color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_title(_title(found), **HEADING)
    if any(point.value is not None for series in found.series for point in series.points):
        axes.legend(fontsize=8, labelcolor=INK, loc="center left", bbox_to_anchor=(1.0, 0.5))
    content = BytesIO()
    picture.savefig(content, format="png", metadata={"Software": None})
    write_bytes(target, content.getvalue())


def _day(moment: str) -> float:
    """Return a time as matplotlib counts them: days since 1970."""
    return parse_time(moment).timestamp() / _DAY_S


def _title(found: HistoryOverTime) -> str:
    speeds = any(series.execution_lane is Lane.CI for series in found.series)
    return f"{found.metric} over time{' (ci lane: speeds are not evidence)' if speeds else ''}"


def _described(record: HistoryRecord) -> str:
    machine = cpu_name(record.hardware_fingerprint)
    sweep = record.sweep or "unknown sweep"
    labels = f"{sweep}, {machine}, {record.execution_lane}, {record.vram_profile}"
    verdicts = "; ".join(record.verdicts) or "no model"
    return f"{record.generated_at}  {labels}  {verdicts}"


def _change(change: Change) -> str:
    where = f"  ({', '.join(change.where)})" if change.where else ""
    values = f"{_value(change.old)} -> {_value(change.new)}{_share(change.old, change.new)}"
    return f"  {change.kind:<9} {change.what}: {values}{where}"


def _value(value: Scalar) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return value if isinstance(value, str) else figure(value)


def _share(old: Scalar, new: Scalar) -> str:
    """Return by how much a number changed, of what it was."""
    for value in (old, new):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return ""
    assert isinstance(old, int | float) and isinstance(new, int | float)
    return f" ({(new - old) / old:+.1%})" if old else ""


def _line(text: str) -> str:
    return printable(text, _LONGEST)
