"""Facts of a short text as one JSON value."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from orket_lib.tasks.generators.drafts import Draft, of_json, of_label
from orket_lib.tasks.generators.words import COLOURS, EVENTS, MONTHS, NAMES, THINGS, TOWNS, amount

NAME = "extraction"
SUMMARY = "names, amounts and dates of a short text as one line of JSON"

_ONE = {
    "name": (
        "{name} was at the {event}.",
        "The {event} was opened by {name}.",
        "A parcel for {name} has arrived.",
        "My neighbour is called {name}.",
        "{name} bought {amount}.",
        "The {colour} coat belongs to {name}.",
    ),
    "town": (
        "The {event} is held in {town}.",
        "{name} lives in {town}.",
        "This train goes to {town}.",
        "{amount} were sent to {town}.",
        "The best weather today is in {town}.",
        "{town} has a new library.",
    ),
    "colour": (
        "{name} has a {colour} coat.",
        "The door of the house is {colour}.",
        "{name} painted the fence {colour}.",
        "A {colour} car waits outside.",
        "The {event} has a {colour} logo.",
        "Take the {colour} folder, please.",
    ),
}
_PLAIN = (
    "Which {} is in the text?",
    "What is the {} in this text?",
    "Which {} does the text mention?",
    "What {} do you find in the text?",
    "What is the {} that is written there?",
)
_OBJECT = (
    'Which {0} is in the text? Write it as JSON: {{"{0}": "..."}}',
    'Fill in the {0} from the text: {{"{0}": "..."}}',
    'Write the {0} of the text into this JSON object: {{"{0}": "..."}}',
    'Take the {0} from the text. Form of the answer: {{"{0}": "..."}}',
    'Find the {0} in the text and write {{"{0}": "..."}} with it.',
)
_ORDERED = (
    "On {date}, {name} from {town} ordered {amount}.",
    "{name} of {town} wants {amount}, please, by {date}.",
    "Please send {amount} to {name} in {town} on {date}.",
    "Order of {date}: {amount} for {name}, {town}.",
    "Hello, I am {name} and live in {town}. I need {amount} on {date}.",
)
_KEYS = {
    "name": 'the name ("name", a text)',
    "town": 'the town ("town", a text)',
    "count": 'how many were ordered ("count", a number)',
    "item": 'what was ordered ("item", a text in the plural)',
    "date": 'the date ("date", a text as YYYY-MM-DD)',
}
_LINES = (
    "{name} orders {amount} for {date}.",
    "{amount} go to {name} on {date}.",
    "For {name}, {date}: {amount}.",
    "On {date}, {name} would like {amount}.",
    "{name} needs {amount} by {date}.",
)
_CANCELLED = (
    "{name} has cancelled the order.",
    "The order of {name} is withdrawn.",
    "Nothing is to be sent to {name} after all.",
    "{name} called: no delivery, please.",
    "Strike {name} off the list.",
)
_CHANGED = (
    "{name} now wants {count} instead.",
    "Make it {count} for {name}.",
    "{name} has changed the number to {count}.",
    "For {name} the right number is {count}.",
    "{name} wrote again: {count}, not the number above.",
)
_MOVED = (
    "The delivery to {name} is put off by {days} days.",
    "{name} gets the goods {days} days later.",
    "For {name} everything is to come {days} days later.",
)
_NOISE = (
    "{name} asked about {amount} and ordered nothing.",
    "Last year {name} ordered {amount}.",
    "{name} sent {amount} back, which is settled.",
    "{name} only wanted a price for {amount}.",
)


def make(dice: random.Random, level: int) -> Draft:
    """Return a task: one key, the keys of one order, or the orders that hold in the end."""
    if level == 1:
        return _one(dice)
    return _order(dice) if level == 2 else _orders(dice, level)


def _one(dice: random.Random) -> Draft:
    key = dice.choice(tuple(_ONE))
    lists = {"name": NAMES, "town": TOWNS, "colour": COLOURS, "event": EVENTS, "item": THINGS}
    facts = {part: dice.choice(words) for part, words in lists.items()}
    facts["amount"] = amount(dice.randint(2, 90), facts["item"])
    text = dice.choice(_ONE[key]).format(**facts)
    if dice.random() < 0.75:
        asked = dice.choice(_PLAIN).format(key)
        return of_label(asked, facts[key], lists[key], text)
    return of_json(dice.choice(_OBJECT).format(key), {key: facts[key]}, text)


def _order(dice: random.Random) -> Draft:
    day, item = _day(dice), dice.choice(THINGS)
    facts = {"name": dice.choice(NAMES), "town": dice.choice(TOWNS)}
    count = dice.randint(2, 90)
    text = dice.choice(_ORDERED).format(date=_long(day), amount=amount(count, item), **facts)
    whole = {**facts, "count": count, "item": item, "date": day.isoformat()}
    keys = dice.sample(tuple(whole), 3)
    wanted = ", ".join(_KEYS[key] for key in keys)
    asked = f"Write these facts of the text as one JSON object: {wanted}."
    return of_json(asked, {key: whole[key] for key in keys}, text)


def _orders(dice: random.Random, level: int) -> Draft:
    """Return orders of which some change or are withdrawn later in the text."""
    orders: list[dict[str, Any]] = [
        {"name": name, "count": dice.randint(2, 90), "item": item, "date": _day(dice)}
        for name, item in zip(
            dice.sample(NAMES, level + 1), dice.sample(THINGS, level + 1), strict=True
        )
    ]
    lines = [dice.choice(_LINES).format(**_words(order)) for order in orders]
    lines.insert(dice.randint(1, level), dice.choice(_NOISE).format(**_stranger(dice, orders)))
    later = dice.sample(orders, level)
    gone = later[: level - 2]
    lines += [_change(dice, order) for order in later[level - 2 :] * (level - 2)]
    lines += [dice.choice(_CANCELLED).format(**order) for order in gone]
    if len({order["date"] for order in orders}) < len(orders):
        return _orders(dice, level)
    kept = sorted((one for one in orders if one not in gone), key=lambda one: one["date"])
    keys = ("name", dice.choice(("count", "item", "date")))
    shown = ", ".join(f'"{key}"' for key in keys)
    asked = (
        f"List the orders that hold in the end as a JSON list of objects with the keys {shown}, by "
        "date, the earliest first. Dates are written as YYYY-MM-DD, counts as numbers, items in "
        "the plural."
    )
    expected = [{key: _plain(order[key]) for key in keys} for order in kept]
    return of_json(asked, expected, " ".join(lines))


def _change(dice: random.Random, order: dict[str, Any]) -> str:
    """Change an order and return the sentence that says so."""
    if dice.random() < 0.6:
        order["count"] += dice.choice((-1, 3, 10, 17)) if order["count"] > 2 else 4
        return dice.choice(_CHANGED).format(**order)
    days = dice.randint(2, 30)
    order["date"] += timedelta(days=days)
    return dice.choice(_MOVED).format(name=order["name"], days=days)


def _stranger(dice: random.Random, orders: list[dict[str, Any]]) -> dict[str, str]:
    name = dice.choice([name for name in NAMES if name not in {one["name"] for one in orders}])
    return {"name": name, "amount": amount(dice.randint(2, 90), dice.choice(THINGS))}


def _words(order: dict[str, Any]) -> dict[str, str]:
    return {
        "name": order["name"],
        "amount": amount(order["count"], order["item"]),
        "date": _long(order["date"]),
    }


def _day(dice: random.Random) -> date:
    return date(2024, 1, 1) + timedelta(days=dice.randrange(2200))


def _long(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
