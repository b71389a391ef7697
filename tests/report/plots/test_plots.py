"""The picture of a sweep."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.path import Path
from matplotlib.text import Annotation
from report_summaries import failed, polluted, row, seven, summary

from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import Summary
from orket_lib.report.plots import canvas
from orket_lib.report.plots.frontier import plot_frontier
from orket_lib.report.plots.panels import draw_quality, draw_speed
from orket_lib.report.views import frontier_view
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane

TIMELESS = Null("TIMING_UNAVAILABLE")

CROWDED = (16.0, 8.5, 5.7, 5.57, 5.5, 4.89, 4.68, 4.67, 4.5, 4.46, 3.76)

CASES: dict[str, list[list[RowMetrics]]] = {
    "no session": [],
    "one row": [[row("Q8_0", 8.5, 0.9)]],
    "one failure": [[failed("Q8_0", 8.5)]],
    "all polluted": [[polluted("Q8_0", 8.5, 0.9, "hot")]],
    "no rate": [[row("Q8_0", 8.5, 0.0, generation_tokens_per_second=TIMELESS)]],
    "unknown bits": [[row("MY_Q", Null("UNKNOWN_TAG"), 0.9)]],
    "two models": [seven(), [failed("Q8_0", 8.5)]],
    "control characters": [[row("Q8_0", 8.5, 0.9, model_id="a\x1b[2J\u202eb\0")]],
    "dollars": [[row("Q8_0", 8.5, 0.9, model_id="a $x$ b$_")]],
}


def panel(found: Summary, draw: str = "quality") -> Figure:
    """Return a figure with one panel of the first model."""
    (session, *_), figure = found.sessions, Figure(figsize=(7, 4))
    FigureCanvasAgg(figure)
    axes, lane = figure.add_subplot(), found.execution_lane
    view = frontier_view(session, lane)
    if draw == "quality":
        draw_quality(axes, session, view, lane)
    else:
        draw_speed(axes, session, view, lane)
    return figure


def texts(figure: Figure) -> list[str]:
    (axes,) = figure.axes
    return [text.get_text() for text in axes.texts if text.get_text()]


@pytest.mark.parametrize("models", CASES.values(), ids=CASES.keys())
def test_any_summary_gives_a_picture(
    models: list[list[RowMetrics]], tmp_path: pathlib.Path
) -> None:
    target = tmp_path / "frontier.png"

    plot_frontier(summary(*models, lane=Lane.CI), target)

    image = imread(target)
    assert image.shape[1] == 1650
    assert image[..., :3].min() < 0.5  # something is drawn on the white ground


def test_each_model_has_a_line_of_panels(tmp_path: pathlib.Path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    plot_frontier(summary(seven()), one)
    plot_frontier(summary(seven(), seven()), two)

    assert imread(two).shape[0] == 2 * imread(one).shape[0]


def test_a_picture_has_room_for_some_models_and_says_how_many_it_leaves_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(canvas, "MOST_MODELS", 1)
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    plot_frontier(summary(seven()), one)
    plot_frontier(summary(seven(), seven()), two)

    assert imread(two).shape == imread(one).shape
    assert one.read_bytes() != two.read_bytes()  # the note


def test_the_same_summary_gives_the_same_bytes(tmp_path: pathlib.Path) -> None:
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    plot_frontier(summary(seven()), first)
    plot_frontier(summary(seven()), second)

    assert first.read_bytes() == second.read_bytes()


def test_labels_cover_neither_each_other_nor_the_threshold() -> None:
    figure = panel(summary(seven()))

    (axes,) = figure.axes
    written = [text for text in axes.texts if text.get_text()]
    assert len(written) == 8  # seven quants and the name of the threshold
    boxes = [text.get_window_extent() for text in written]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    _, floor = axes.transData.transform((4, 0.976 * 0.95))
    assert not any(box.y0 < floor < box.y1 for box in boxes)
    assert all(axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1 for box in boxes)


def test_crowded_quants_move_apart() -> None:
    rows = [row(f"Q4_K_{n}", bits, 0.9 - n / 100) for n, bits in enumerate(CROWDED)]

    (axes,) = panel(summary(rows)).axes

    boxes = [text.get_window_extent() for text in axes.texts if text.get_text().startswith("Q")]
    assert len(boxes) == len(CROWDED)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    leaders = [
        Path([start, start + [step * axes.figure.dpi / 72 for step in text.xyann]])
        for text in axes.texts
        if isinstance(text, Annotation) and not text.get_text()
        for start in [axes.transData.transform(text.xy)]
    ]
    assert leaders
    # A leader ends at its own label, so it may touch that one.
    assert all(
        sum(leader.intersects_bbox(box, filled=False) for box in boxes) <= 1 for leader in leaders
    )


def test_the_threshold_is_named() -> None:
    assert "threshold 0.927 = 95% of F16" in texts(panel(summary(seven())))
    without = panel(summary([polluted("Q8_0", 8.5, 0.9, "hot")]))
    assert not any("threshold" in text for text in texts(without))


def test_rows_that_are_not_valid_are_hollow() -> None:
    rows = [row("Q8_0", 8.5, 0.9), polluted("Q4_0", 4.5, 0.9, "hot")]

    (axes,) = panel(summary(rows)).axes

    fills = {
        line.get_xdata()[0]: line.get_markerfacecolor()  # type: ignore[index]
        for line in axes.lines
        if line.get_markersize() == 8
    }
    assert fills[4.5] == "white"
    assert fills[8.5] != "white"


def test_what_can_not_be_drawn_is_said() -> None:
    unknown = panel(summary([row("MY_Q", Null("UNKNOWN_TAG"), 0.9)]))
    assert "not drawn, bits per weight unknown: MY_Q" in texts(unknown)

    assert "no row of this model was measured" in texts(panel(summary([failed("Q8_0", 8.5)])))

    rows = [row("Q8_0", 8.5, 0.9, generation_tokens_per_second=TIMELESS), failed("Q4_0", 4.5)]
    bars = panel(summary(rows), "speed")
    assert texts(bars) == ["no rate: TIMING_UNAVAILABLE", "load failed"]
    assert not bars.axes[0].patches


def test_bars_carry_rate_and_memory_when_known() -> None:
    rows = [row("Q8_0", 8.5, 0.9), row("Q4_0", 4.5, 0.9, peak_memory_rss=Null("NO_PEAK_COUNTER"))]

    assert texts(panel(summary(rows), "speed")) == ["2000 t/s  ·  64.0 MiB", "2000 t/s"]


def test_reports_import_no_heavy_library_before_they_need_it() -> None:
    code = (
        "import sys, orket_lib.report.plots.frontier, orket_lib.report.markdown, "
        "orket_lib.report.terminal, "
        "orket_lib.report.exports.rows; "
        "heavy = {'matplotlib', 'jinja2', 'rich', 'numpy', 'scipy', 'pandas', 'xllamacpp'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_in_lane_ci_no_quant_is_drawn_as_the_best_value() -> None:
    def legend(found: Summary) -> list[str]:
        (axes,) = panel(found).axes
        entries = axes.get_legend()
        assert entries is not None
        return [text.get_text() for text in entries.get_texts()]

    assert legend(summary(seven())) == ["minimum viable", "best value"]
    assert legend(summary(seven(), lane=Lane.CI)) == ["minimum viable"]


def test_scores_and_rates_have_their_intervals_where_they_are_known() -> None:
    rate = {"generation_tokens_per_second": (1900.0, 2150.0)}
    rows = [row("Q8_0", 8.5, 0.9, intervals=rate), row("Q4_0", 4.5, 0.5), failed("Q2_K", 3.2)]
    quality, speed = (
        [np.asarray(line.get_xydata()) for line in panel(summary(rows), draw).axes[0].lines]
        for draw in ("quality", "speed")
    )
    (high, low) = (ends for ends in quality if len(ends) == 2 and ends[0, 0] == ends[1, 0])
    assert high[0, 1] < 0.9 < high[1, 1]
    assert low[0, 1] < 0.5 < low[1, 1]
    assert [ends[:, 0].tolist() for ends in speed] == [[1900.0, 2150.0]]
