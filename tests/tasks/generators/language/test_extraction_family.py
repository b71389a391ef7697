"""Texts are read sentence by sentence, with patterns of the tests' own."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from family_contract import GrowingFamilyContract
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.language import extraction

_DATE = re.compile(r"\d+ [A-Z][a-z]+ \d{4}")
_COLOUR = "red|blue|green|yellow|black|white|brown|grey|pink|orange|purple|silver"
_CANCELLED = "cancelled|withdrawn|Nothing is|no delivery|Strike"
_NOISE = "asked about|Last year|settled|only wanted"


class TestExtraction(GrowingFamilyContract):
    family = extraction

    def again(self, text: str, draft: Draft) -> Any:
        story, _, asked = text.partition("\n\n")
        if '"..."' in asked:
            (key,) = re.findall(r'\{"(\w+)"', asked)
            return {key: _single(story, key)}
        if draft.evaluation["type"] == "label":
            (key,) = re.findall("name(?! ?s)|town|colour", asked.replace("text names", ""))
            return _single(story, key)
        keys = re.findall(r'"(\w+)"', asked)
        if "list of objects" not in asked:
            order = _order(story)
            return {key: order[key] for key in keys}
        orders = sorted(_orders(story), key=lambda order: order["date"])
        assert len({order["date"] for order in orders}) == len(orders)
        return [{key: order[key] for key in keys} for order in orders]


def _single(story: str, key: str) -> str:
    if key == "colour":
        return match_in(rf"\b({_COLOUR})\b", story)[1]
    if key == "town" and (lives := re.match(r"\w+ lives in (\w+)", story)):
        return lives[1]
    found: str
    (found,) = set(re.findall(r"\b[A-Z][a-z]+\b", story)) - {"The", "My", "This", "Take"}
    return found


def _order(story: str) -> dict[str, Any]:
    day = match_in(_DATE, story)[0]
    count, item = match_in(r"(\d+) ([a-z]+)", story).groups()
    rest = story.replace(day, "")
    names = re.findall(r"\b[A-Z][a-z]+\b", rest)
    names = [one for one in names if one not in ("On", "Please", "Order", "Hello")]
    name, town = names
    return {"name": name, "town": town, "count": int(count), "item": item, "date": _iso(day)}


def _iso(day: str) -> str:
    return datetime.strptime(day, "%d %B %Y").date().isoformat()  # noqa: DTZ007


def _orders(story: str) -> list[dict[str, Any]]:
    orders: dict[str, dict[str, Any]] = {}
    for sentence in re.split(r"(?<=\.) ", story):
        if re.search(_NOISE, sentence):
            continue
        words = re.findall(r"\b[A-Z][a-z]+\b", _DATE.sub("", sentence))
        usual = ("For", "On", "The", "Nothing", "Strike", "Make")
        (name,) = (word for word in words if word not in usual)
        if day := _DATE.search(sentence):
            count, item = match_in(r"(\d+) ([a-z]+)", sentence).groups()
            orders[name] = {"name": name, "count": int(count), "item": item, "date": _iso(day[0])}
        elif re.search(_CANCELLED, sentence):
            del orders[name]
        elif later := re.search(r"(\d+) days", sentence):
            moved = datetime.fromisoformat(orders[name]["date"]) + timedelta(days=int(later[1]))
            orders[name]["date"] = moved.date().isoformat()
        else:
            (count,) = re.findall(r"\d+", sentence)
            orders[name]["count"] = int(count)
    return list(orders.values())
