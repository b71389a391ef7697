"""Lists of mistakes: each is a line, `place: what is allowed (got value)`, and equal ones are one.

A template that fits no file is one mistake in forty cells, and reads as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_LINE = re.compile(r"(?P<place>.+?): (?P<words>.+?)(?: \(got (?P<value>.*)\))?", re.DOTALL)
_MOST_PLACES = 50
_MOST_VALUES = 5


def one_message_each(lines: Iterable[str]) -> list[str]:
    """Return the mistakes in their order, with equal ones as one line that lists their places.

    Args:
        lines: One for each mistake; what has no place is kept as it is.
    """
    groups: dict[str, list[str]] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        groups.setdefault(found["words"] if found else line, []).append(line)
    return [_together(list(dict.fromkeys(equal))) for equal in groups.values()]


def _together(lines: Sequence[str]) -> str:
    """Return lines that say the same of several places as one line."""
    found = [match for line in lines if (match := _LINE.fullmatch(line))]
    if len(found) < 2:
        return lines[0]
    places = dict.fromkeys(match["place"] for match in found)
    values = dict.fromkeys(match["value"] for match in found if match["value"] is not None)
    got = f" (got {_listed(list(values), _MOST_VALUES)})" if values else ""
    return f"{_listed(_shortened(places), _MOST_PLACES)}: {found[0]['words']}{got}"


def _shortened(places: Iterable[str]) -> list[str]:
    """Return places with those that follow another one in the same mapping or list as `.name`."""
    shown, before = [], ""
    for place in places:
        inside, dot, name = place.rpartition(".")
        shown.append(f".{name}" if dot and inside == before else place)
        before = inside
    return shown


def _listed(items: Sequence[str], most: int) -> str:
    """Return items with commas, and the number of those that are too many to be shown."""
    left = len(items) - most
    return ", ".join(items[:most]) + (f" and {left} more" if left > 0 else "")
