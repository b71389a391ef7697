"""What all plots share: palette, text styles, axes, limit lines, titles, and the PNG file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orket_lib.artifacts.io import write_bytes
from orket_lib.report.formatting import cpu_name
from orket_lib.vocabulary.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.transforms import Bbox

INK = "#333333"
TEXT: dict[str, Any] = {"fontsize": 9.5, "color": INK, "parse_math": False}
HEADING: dict[str, Any] = {"loc": "left", "color": INK, "parse_math": False}

# The palette of Okabe and Ito, which is safe for every common kind of colour blindness.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, BLACK = "#CC79A7", "#56B4E9", "#000000"
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)

MOST_MODELS = 20  # in one picture: more would be too tall to be looked at, and take long to draw
_DPI = 150


@contextmanager
def png(target: Path, size: tuple[float, float], **options: Any) -> Iterator[Figure]:
    """Yield a figure, and write it as a PNG file. The same data always gives the same file.

    Control characters in its texts are escaped.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    figure = Figure(figsize=size, dpi=_DPI, **options)
    FigureCanvasAgg(figure)
    yield figure
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_text(visible(text.get_text()))
    content = BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    write_bytes(target, content.getvalue())


def title(subject: str, fingerprint: str | None, lane: str, speeds_count: bool) -> str:
    """Return the title of a plot: what it shows, on which machine, in which lane."""
    note = "" if speeds_count else " (speeds are not evidence)"
    return f"{subject}  ·  {cpu_name(fingerprint)}  ·  lane {lane}{note}"


def note_of_others(figure: Figure, models: int) -> None:
    """Say at the bottom how many models of the sweep the picture leaves out, if any."""
    if models > MOST_MODELS:
        text = f"The first {MOST_MODELS} of {models} models; the report as a page shows all."
        figure.text(0.01, 0.05 / figure.get_figheight(), text, va="bottom", **TEXT)


def tidy(axes: Axes, grid: str | None = None) -> None:
    """Remove the frame at the top and the right, and draw the grid behind the data.

    Args:
        axes: The axes.
        grid: `both`, `x` or `y`; None for no grid.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("0.6")
    axes.tick_params(color="0.6", labelcolor=INK)
    if grid:
        axes.grid(axis=grid, color="0.9", linewidth=0.8)  # type: ignore[arg-type]
        axes.set_axisbelow(True)


def limit_line(axes: Axes, value: float, text: str, colour: str, below: bool = False) -> list[Bbox]:
    """Draw a limit as a dashed line with its name; return both boxes in pixels."""
    from matplotlib.transforms import Bbox

    axes.axhline(value, color=colour, linewidth=1.3, linestyle=(0, (5, 3)), zorder=2)
    name = axes.annotate(
        text,
        (0, value),
        xycoords=("axes fraction", "data"),
        xytext=(6, -4 if below else 4),
        textcoords="offset points",
        va="top" if below else "bottom",
        **TEXT | {"color": colour},
    )
    _, y = axes.transData.transform((axes.get_xlim()[0], value))
    return [
        Bbox.from_extents(axes.bbox.x0, y - 2, axes.bbox.x1, y + 2),
        name.get_window_extent(),
    ]


def interval(axes: Axes, x: float, ends: tuple[float | None, float | None], colour: str) -> None:
    """Draw the 95 % interval of a value at x, if it is known."""
    low, high = ends
    if low is not None and high is not None:
        axes.plot([x, x], [low, high], color=colour, lw=1.4, zorder=3)


def legend_mark(
    marker: str, label: str, colour: str, hollow: bool = False, size: int = 8
) -> Line2D:
    """Return a mark for a legend."""
    from matplotlib.lines import Line2D

    face = "white" if hollow else colour
    return Line2D([], [], ls="", marker=marker, ms=size, mfc=face, mec=colour, mew=1.6, label=label)


def draw_legend(axes: Axes, marks: list[Line2D]) -> None:
    """Draw a legend in one line above the axes."""
    axes.legend(
        handles=marks,
        loc="lower left",
        bbox_to_anchor=(-0.01, 0.995),
        ncols=4,
        frameon=False,
        fontsize=9.5,
        borderaxespad=0.2,
        columnspacing=1.1,
        handletextpad=0.5,
    )
