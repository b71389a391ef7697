"""Charts as inline SVG in the page's colours.

A chart has a name for screen readers; its numbers are in a table next to it. Marks have a class:
`pick`, `base`, `ok`, or `off` for a row that is not valid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from orket_lib.vocabulary.text import visible

_WIDTH, _ROW, _LEFT, _FOOT = 480, 26, 92, 34
_HEIGHT, _MARGIN = 300, 44
_LETTER = 7.2  # width of an average letter
_LOG_FROM = 8  # a range as wide as this has a logarithmic scale
_PLACES = ((9, 4, "start"), (-9, 4, "end"), (0, -10, "middle"), (0, 18, "middle"))
_RANK = {"pick": 0, "base": 1}
_CROWD = 20  # points; of more, only the important ones have a label
_TRIED = 60  # labels at most: there is no room for more, and each is held against all points


class Bar(NamedTuple):
    """A value with its 95 % interval, if that is known, on a line of its own."""

    label: str
    value: float
    low: float | None
    high: float | None
    kind: str


class Point(NamedTuple):
    """A point of a chart; `low` and `high` are the interval of y, `front` marks a Pareto point.

    A chart with several lines joins the points of each, and names it at its end.
    """

    label: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None
    kind: str = "ok"
    front: bool = False
    line: str = ""


class _Scale(NamedTuple):
    """Maps values to pixels."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        form: Callable[[float], float] = math.log if self.log else float
        share = (form(value) - form(self.low)) / ((form(self.high) - form(self.low)) or 1.0)
        return self.start + share * (self.end - self.start)


def interval_chart(name: str, bars: Sequence[Bar], limit: float | None = None) -> Markup:
    """Return values in 0..1, one line each.

    Args:
        name: What the chart shows.
        bars: The values, the first on top.
        limit: Where a dashed line is drawn; None for no line.
    """
    bottom = 8 + _ROW * len(bars)
    scale = _Scale(0.0, 1.0, _LEFT, _WIDTH - 60)
    parts = [_tick(scale.at(share), bottom, f"{share:.0%}") for share in (0, 0.25, 0.5, 0.75, 1)]
    if limit is not None:
        x = scale.at(limit)
        parts.append(_line("limit", x, 4, x, bottom))
    for place, bar in enumerate(bars):
        y = 8 + _ROW * (place + 0.5)
        parts.append(_text(bar.label, _LEFT - 8, y + 4, "end"))
        if bar.low is not None and bar.high is not None:
            parts.append(_line(f"ci {bar.kind}", scale.at(bar.low), y, scale.at(bar.high), y))
        parts.append(_dot(scale.at(bar.value), y, bar.kind))
        parts.append(_text(f"{bar.value:.1%}", _WIDTH - 2, y + 4, "end"))
    return _svg(name, bottom + _FOOT - 10, parts)


def point_chart(
    name: str,
    points: Sequence[Point],
    x_name: str,
    y_form: Callable[[float], str],
    *,
    more_x_is_better: bool | None = None,
    joined: bool = False,
    limit: float | None = None,
) -> Markup:
    """Return a chart of points; `""` without any.

    Args:
        name: What the chart shows.
        points: In the order in which they are joined.
        x_name: Name of the x axis, with its unit.
        y_form: Writes a value of y.
        more_x_is_better: Draw the Pareto line; None for none.
        joined: Draw a line through the points of each line.
        limit: A value of y where a dashed line is drawn; None for none.
    """
    if not points:
        return Markup()
    xs = [point.x for point in points]
    ys = [end for it in points for end in (it.low, it.y, it.high) if end is not None]
    ys += [] if limit is None else [limit]
    pad = (max(ys) - min(ys)) * 0.08 or abs(max(ys)) * 0.1 or 1.0
    log = min(xs) > 0 and max(xs) / min(xs) >= _LOG_FROM
    wide = (max(xs) - min(xs)) * 0.06 or abs(max(xs)) * 0.1 or 1.0
    ends = (min(xs) / 1.15, max(xs) * 1.15) if log else (min(xs) - wide, max(xs) + wide)
    x = _Scale(*ends, 52, _WIDTH - 14, log)
    y = _Scale(min(ys) - pad, max(ys) + pad, _HEIGHT - _MARGIN, 12)
    parts = [_tick(x.at(at), _HEIGHT - _MARGIN, f"{at:g}") for at in _ticks(x)]
    for at in _ticks(y):
        parts.append(_line("grid", x.start, y.at(at), x.end, y.at(at)))
        parts.append(_text(y_form(at), x.start - 6, y.at(at) + 4, "end"))
    parts.append(_text(x_name, (x.start + x.end) / 2, _HEIGHT - 8, "middle"))
    if limit is not None:
        parts.append(_line("limit", x.start, y.at(limit), x.end, y.at(limit)))
    if joined:
        for line in dict.fromkeys(it.line for it in points):
            parts.append(_path([(x.at(it.x), y.at(it.y)) for it in points if it.line == line]))
    elif more_x_is_better is not None:
        front = sorted({(x.at(it.x), y.at(it.y)) for it in points if it.front})
        parts.append(_path(list(_steps(front, more_x_is_better))))
    for it in points:
        if it.low is not None and it.high is not None:
            parts.append(
                _line(f"ci {it.kind}", x.at(it.x), y.at(it.low), x.at(it.x), y.at(it.high))
            )
        parts.append(
            _dot(x.at(it.x), y.at(it.y), it.kind, f"{it.label}: {it.x:.4g}, {y_form(it.y)}")
        )
    lines = [
        (x.at(it.x) - 2, y.at(it.high), x.at(it.x) + 2, y.at(it.low))
        for it in points
        if it.low is not None and it.high is not None
    ]
    last = {it.line: it._replace(label=it.line) for it in points if it.line}
    named = list(last.values()) if joined else points
    parts += _labels([(x.at(it.x), y.at(it.y), it) for it in named], lines)
    return _svg(name, _HEIGHT, parts)


def _steps(front: Sequence[tuple[float, float]], more_x: bool) -> Iterator[tuple[float, float]]:
    """Yield the corners of the Pareto line: the best y that an x allows."""
    for place, (x, y) in enumerate(front):
        if place:
            before = front[place - 1]
            yield (before[0], y) if more_x else (x, before[1])
        yield x, y


def _labels(
    points: Sequence[tuple[float, float, Point]], lines: Sequence[tuple[float, ...]]
) -> Iterator[Markup]:
    """Yield a label for each point that has room for one, the important ones first.

    Args:
        points: Place of each point.
        lines: Boxes that no label may cover.
    """
    taken = [*lines, *((px - 5, py - 5, px + 5, py + 5) for px, py, _ in points)]
    order = sorted(points, key=lambda it: (_RANK.get(it[2].kind, 2), not it[2].front))
    if len(points) > _CROWD:
        order = [it for it in order if it[2].front or it[2].kind in _RANK][:_TRIED]
    for px, py, point in order:
        wide = _LETTER * len(point.label)
        for dx, dy, anchor in _PLACES:
            left = px + dx - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
            box = (left, py + dy - 11, left + wide, py + dy + 3)
            inside = box[0] > 48 and box[2] < _WIDTH and box[1] > 0 and box[3] < _HEIGHT - _MARGIN
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                yield _text(point.label, px + dx, py + dy, anchor)
                break


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _ticks(scale: _Scale) -> list[float]:
    """Return round values, some five of them."""
    if scale.log:
        decades = range(math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high)) + 1)
        found = [step * 10.0**power for power in decades for step in (1, 2, 5)]
        shown = [at for at in found if scale.low <= at <= scale.high]
        return shown[:: math.ceil(len(shown) / 7)] if shown else []
    rough = (scale.high - scale.low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    first = math.ceil(scale.low / step)
    return [round(step * n, 12) for n in range(first, math.floor(scale.high / step) + 1)]


def _tick(x: float, bottom: float, text: str) -> Markup:
    anchor = "end" if x > _WIDTH - 24 else "middle"
    return _line("grid", x, 4, x, bottom) + _text(text, x, bottom + 16, anchor)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    ends = f'x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"'
    return Markup(f'<line class="{escape(kind)}" {ends}/>')


def _path(places: Sequence[tuple[float, float]]) -> Markup:
    corners = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    return Markup('<polyline class="joined" points="{}"/>').format(corners)


def _dot(x: float, y: float, kind: str, title: str = "") -> Markup:
    inside = f"<title>{escape(visible(title))}</title>" if title else ""
    place = f'cx="{x:.0f}" cy="{y:.0f}"'
    return Markup(f'<circle class="{escape(kind)}" {place} r="5">{inside}</circle>')


def _text(text: str, x: float, y: float, anchor: str) -> Markup:
    place = f'x="{x:.0f}" y="{y:.0f}" text-anchor="{escape(anchor)}"'
    return Markup(f"<text {place}>{escape(visible(text))}</text>")


def _svg(name: str, height: float, parts: Iterable[Markup]) -> Markup:
    form = Markup('<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">{}</svg>')
    return form.format(_WIDTH, height, visible(name), Markup("").join(parts))
