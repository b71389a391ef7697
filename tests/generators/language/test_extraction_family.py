"""Texts are read sentence by sentence, with patterns of the tests' own."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from family_checks import FamilyChecks

from orket_lib.generators.drafts import Draft
from orket_lib.generators.language import extraction

_DATE = re.compile(r"\d+ [A-Z][a-z]+ \d{4}")
_COLOUR = "red|blue|green|yellow|black|white|brown|grey|pink|orange|purple|silver"
_CANCELLED = "cancelled|withdrawn|Nothing is|no delivery|Strike"
_NOISE = "asked about|Last year|settled|only wanted"


class TestExtraction(FamilyChecks):
    family = extraction

    def again(self, text: str, draft: Draft) -> Any:
        told, _, asked = text.partition("\n\n")
        if '"..."' in asked:
            (key,) = re.findall(r'\{"(\w+)"', asked)
            return {key: _single(told, key)}
        if draft.evaluation["type"] == "exact":
            (key,) = re.findall("name(?! ?s)|town|colour", asked.replace("text names", ""))
            return _single(told, key)
        keys = re.findall(r'"(\w+)"', asked)
        if "list of objects" not in asked:
            order = _order(told)
            return {key: order[key] for key in keys}
        orders = sorted(_orders(told), key=lambda order: order["date"])
        assert len({order["date"] for order in orders}) == len(orders)
        return [{key: order[key] for key in keys} for order in orders]


def _single(told: str, key: str) -> str:
    if key == "colour":
        return re.search(rf"\b({_COLOUR})\b", told)[1]
    if key == "town" and (lives := re.match(r"\w+ lives in (\w+)", told)):
        return lives[1]
    (found,) = set(re.findall(r"\b[A-Z][a-z]+\b", told)) - {"The", "My", "This", "Take"}
    return found


def _order(told: str) -> dict[str, Any]:
    day = _DATE.search(told)[0]
    count, item = re.search(r"(\d+) ([a-z]+)", told).groups()
    rest = told.replace(day, "")
    names = re.findall(r"\b[A-Z][a-z]+\b", rest)
    names = [one for one in names if one not in ("On", "Please", "Order", "Hello")]
    name, town = names
    return {"name": name, "town": town, "count": int(count), "item": item, "date": _iso(day)}


def _iso(day: str) -> str:
    return datetime.strptime(day, "%d %B %Y").date().isoformat()  # noqa: DTZ007


def _orders(told: str) -> list[dict[str, Any]]:
    orders: dict[str, dict[str, Any]] = {}
    for sentence in re.split(r"(?<=\.) ", told):
        if re.search(_NOISE, sentence):
            continue
        words = re.findall(r"\b[A-Z][a-z]+\b", _DATE.sub("", sentence))
        usual = ("For", "On", "The", "Nothing", "Strike", "Make")
        (name,) = (word for word in words if word not in usual)
        if day := _DATE.search(sentence):
            count, item = re.search(r"(\d+) ([a-z]+)", sentence).groups()
            orders[name] = {"name": name, "count": int(count), "item": item, "date": _iso(day[0])}
        elif re.search(_CANCELLED, sentence):
            del orders[name]
        elif later := re.search(r"(\d+) days", sentence):
            day = datetime.fromisoformat(orders[name]["date"]) + timedelta(days=int(later[1]))
            orders[name]["date"] = day.date().isoformat()
        else:
            (count,) = re.findall(r"\d+", sentence)
            orders[name]["count"] = int(count)
    return list(orders.values())
