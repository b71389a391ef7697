"""Lists are read out of the text; ranks are counted, and queues are linked lists of names."""

from __future__ import annotations

import re
from typing import Any

from family_contract import GrowingFamilyContract
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.reasoning import ordering


class TestOrdering(GrowingFamilyContract):
    family = ordering

    def again(self, text: str, draft: Draft) -> Any:
        if "queue in the end" in text:
            return _queue(text)
        if "Rank them" in text:
            return _ranking(text)
        if draft.evaluation["type"] == "number":
            order = _counted([int(number) for number in re.findall(r"\d+", text)])
            return order[-1 if "largest" in text else 0]
        listed = re.search(r"(?:\d+, )+\d+", text) or match_in(r"(?:\w+, )+\w+", text)
        items = listed[0].split(", ")
        if draft.evaluation["type"] == "label":
            return items[-1] if re.search(r"\blast\b", text) else items[0]
        if items[0].isdigit():
            order = _counted([int(number) for number in items])
            return order[::-1] if "largest" in text else order
        return _counted(items)


def _counted(items: list[Any]) -> list[Any]:
    """Return items in order, each at the place that so many others are smaller."""
    order = [None] * len(items)
    for item in items:
        order[sum(other < item for other in items)] = item
    return order


def _ranking(text: str) -> list[str]:
    points = {name: int(point) for name, point in re.findall(r"([A-Z][a-z]+) (\d+)", text)}
    sign = -1 if "highest first" in text else 1
    count = int(match_in(r"first (\d+) names", text)[1])
    groups: dict[int, list[str]] = {}
    for name, point in points.items():
        groups.setdefault(sign * point, []).append(name)
    ranked: list[str] = []
    for point in _counted(list(groups)):
        group = _counted(groups[point])
        ranked += group[::-1] if "from Z to A" in text else group
    return ranked[:count]


def _queue(text: str) -> list[str]:
    first, *moves, _, _ = re.split(r"(?<=[.?]) ", text)
    if first.startswith("In "):
        people = match_in(r": (.+)\.", first)[1]
    else:
        people = match_in(r"(?:[A-Z][a-z]+, )+[A-Z][a-z]+", first.removeprefix("From front"))[0]
    places = {name: float(at) for at, name in enumerate(people.split(", "))}
    for move in moves:
        names = [word for word in re.findall(r"[A-Z][a-z]+", move) if word != "The"]
        if "change places" in move:
            left, right = names
            places[left], places[right] = places[right], places[left]
        elif "home" in move or "leaves" in move:
            del places[names[0]]
        elif "turns around" in move:
            places = {name: -at for name, at in places.items()}
        elif "in front of" in move:
            del places[names[0]]
            before = [at for at in places.values() if at < places[names[1]]]
            places[names[0]] = (max(before, default=places[names[1]] - 2) + places[names[1]]) / 2
        else:
            ends = [at for name, at in places.items() if name != names[0]]
            places[names[0]] = min(ends) - 1 if "front" in move else max(ends) + 1
    return sorted(places, key=lambda name: places[name])
