"""References inside explorer artifacts, such as a recommended quant that must have a row.

A JSON Schema can't express these. The files may come from anywhere, so nothing is taken for
granted; values of a wrong type are skipped here, because the schema reports them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from orket_lib.artifacts.views.frontier import UNKNOWN

_PICKS = ("minimum_viable_quant", "best_value_quant")

Object = dict[str, Any]
Problem = tuple[str, str]


def unknown_names(name: str, content: Any) -> list[str]:
    """Return each place where an artifact refers to something that it doesn't contain.

    Args:
        name: Kind of the artifact: `frontier`, `context` or `thermal`.
        content: Content of the file.

    Returns:
        `<name>:<place>:<what is wrong>`, in the order of the file.
    """
    looks = {"frontier": _of_frontier, "context": _of_context, "thermal": _of_thermal}
    if not isinstance(content, dict):
        return []
    return [f"{name}:{place}:{what}" for place, what in looks[name](content)]


def _of_frontier(content: Object) -> Iterator[Problem]:
    sessions = _objects(content, "sessions")
    first = sessions[0] if sessions else {}
    for field, source in (("model_id", "model_id"), ("quant_tag", "minimum_viable_quant")):
        expected, found = first.get(source) or UNKNOWN, content.get(field)
        if isinstance(expected, str) and isinstance(found, str) and found != expected:
            yield (
                field,
                f"must be {_shown(expected)}, by the first session's {source}, is {_shown(found)}",
            )
    models = [session.get("model_id") for session in sessions]
    for number, session in enumerate(sessions):
        place = f"sessions.{number}"
        yield from _once(models, number, f"{place}.model_id", "session")
        yield from _of_session(place, session, strict=content.get("include_invalid") is False)


def _of_session(place: str, session: Object, strict: bool) -> Iterator[Problem]:
    """Yield wrong references of a session; `strict` if only valid rows may be picked."""
    rows = _objects(session, "quant_rows")
    tags = [row.get("quant_tag") for row in rows]
    invalid = [row.get("quant_tag") for row in rows if row.get("valid") is False]
    for field in ("baseline_quant", "measured_further", *_PICKS):
        tag = session.get(field)
        if not isinstance(tag, str) or not tag:
            continue
        if tag not in tags and all(isinstance(one, str) for one in tags):
            yield f"{place}.{field}", f"names {_shown(tag)}, {_there(tags)}"
        if strict and field in _PICKS and tag in invalid:
            yield f"{place}.{field}", f"names {_shown(tag)}, whose row is not valid"
    for number in range(len(tags)):
        yield from _once(tags, number, f"{place}.quant_rows.{number}.quant_tag", "row")


def _of_context(content: Object) -> Iterator[Problem]:
    points = _objects(content, "points")
    passed = [point.get("context") for point in points if point.get("passed") is True]
    if not all(_is_number(point.get("context")) for point in points):
        return
    for field in ("safe_context_ceiling", "largest_passing_context"):
        value = content.get(field)
        if _is_number(value) and value not in passed:
            yield field, f"is {_shown(value)}, and no point of that context passed"


def _of_thermal(content: Object) -> Iterator[Problem]:
    runs = [point.get("run_index") for point in _objects(content, "points")]
    speed = content.get("speed")
    named = {
        "speed.runs": _objects(speed, "runs") if isinstance(speed, dict) else [],
        "throttling": _objects(content, "throttling"),
    }
    for place, items in named.items():
        for number, item in enumerate(items):
            run = item.get("run_index")
            if _is_number(run) and run not in runs and all(map(_is_number, runs)):
                yield f"{place}.{number}.run_index", f"names run {_shown(run)}, {_there(runs)}"


def _once(names: Sequence[Any], number: int, place: str, what: str) -> Iterator[Problem]:
    name = names[number]
    if isinstance(name, str) and name in names[:number]:
        yield place, f"{_shown(name)} has a {what} already"


def _there(known: Sequence[Any]) -> str:
    return f"which is not there; there are {', '.join(map(_shown, known)) or 'none'}"


def _objects(content: Object, field: str) -> list[Object]:
    """Return the objects of a list; other items are replaced by empty objects."""
    found = content.get(field)
    items = found if isinstance(found, list) else []
    return [item if isinstance(item, dict) else {} for item in items]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)[:60]
