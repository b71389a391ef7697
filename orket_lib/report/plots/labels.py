"""Placing labels next to the points of a plot without overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

# Candidate positions of a label, in points from its mark, best first. Far ones get a leader line.
_NEAR = 11
_ROWS = (_NEAR, -_NEAR, 40, -40, 68, -68, 96, -96, 124, -124)
_SHIFTS = (0, 7, -7, 14, -14, 30, -30, 46, -46, 62, -62)
_NEAR_SHIFT = 14
_PLACES = tuple((x, y) for y in _ROWS for x in _SHIFTS if abs(y) > _NEAR or abs(x) <= _NEAR_SHIFT)
_MARK_RADIUS = 8
_GAP = 2

# Cost of a position: 1 for a leader across a label, more for a covered box or leaving the axes.
_COVERED = 100
_OUTSIDE = 10_000


class Label(NamedTuple):
    """A text for the point (x, y), in data coordinates, outside of its interval."""

    x: float
    y: float
    text: str
    low: float | None = None
    high: float | None = None

    def start(self, place: tuple[int, int]) -> tuple[float, float]:
        """Return where the distance of a position begins; near the interval, at its end."""
        end = self.high if place[1] > 0 else self.low
        return self.x, self.y if end is None or abs(place[1]) > _NEAR else end


class _Try(NamedTuple):
    """A candidate position for a label, and its cost."""

    cost: int
    place: tuple[int, int]
    box: Bbox
    leader: Path | None


def place_labels(
    axes: Axes, labels: Sequence[Label], keep_clear: Sequence[Bbox], **style: Any
) -> None:
    """Write each label at the first position where it covers nothing.

    Args:
        axes: Limits, scales and position in the figure must be final, because overlaps are computed
            in pixels.
        labels: The labels; where space is short, earlier ones get the better positions.
        keep_clear: Further boxes, in pixels, that no label may cover.
        style: Passed to matplotlib's text.
    """
    from matplotlib.path import Path
    from matplotlib.transforms import Bbox

    pixels = _pixels_per_point(axes)
    radius = _MARK_RADIUS * pixels
    marks = [axes.transData.transform((label.x, label.y)) for label in labels]
    clear = [Bbox.from_extents(x - radius, y - radius, x + radius, y + radius) for x, y in marks]
    clear += keep_clear
    written: list[Bbox] = []
    leaders: list[Path] = []
    for label in labels:
        tried: list[_Try] = []
        for place in _PLACES:
            text = _write(axes, label, place, style)
            box = text.get_window_extent().padded(_GAP * pixels)
            text.remove()
            far = abs(place[1]) > _NEAR
            start = axes.transData.transform(label.start(place))
            leader = Path([start, start + [pixels * step for step in place]]) if far else None
            cost = _COVERED * box.count_overlaps([*clear, *written])
            cost += sum(other.intersects_bbox(box, filled=False) for other in leaders)
            cost += (
                sum(leader.intersects_bbox(other, filled=False) for other in written)
                if leader
                else 0
            )
            if not all(axes.bbox.contains(x, y) for x, y in (box.min, box.max)):
                cost += _OUTSIDE
            tried.append(_Try(int(cost), place, box, leader))
            if not cost:
                break
        best = min(tried, key=lambda one: one.cost)
        _write(axes, label, best.place, style)
        written.append(best.box)
        if best.leader:
            _draw_leader(axes, label, best.place)
            leaders.append(best.leader)


def _write(axes: Axes, label: Label, place: tuple[int, int], style: dict[str, Any]) -> Annotation:
    return axes.annotate(
        label.text,
        label.start(place),
        xytext=place,
        textcoords="offset points",
        ha="center",
        va="bottom" if place[1] > 0 else "top",
        **style,
    )


def _draw_leader(axes: Axes, label: Label, place: tuple[int, int]) -> None:
    line = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 6}
    start = label.start(place)
    axes.annotate("", start, xytext=place, textcoords="offset points", arrowprops=line)


def _pixels_per_point(axes: Axes) -> float:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure.dpi / 72
