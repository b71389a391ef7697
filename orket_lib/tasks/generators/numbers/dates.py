"""Weekdays, months, calendar dates and times of day."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

from orket_lib.tasks.generators.drafts import Draft, of_label, of_level, of_number, of_text
from orket_lib.tasks.generators.words import EVENTS, MONTHS, NAMES, TOWNS, WEEKDAYS, amount

NAME = "dates"
SUMMARY = "weekdays, dates before and after, spans of days, times of day"

_WEEKDAY = "Answer with the name of the weekday."
_DATE = "Write the date as YYYY-MM-DD."
_TIME = "Write the time as HH:MM, from 00:00 to 23:59."
_FIRST = date(2021, 1, 1)
_DAYS = 365 * 12  # of the calendar that dates are taken from
_WORDINGS = (
    "The {event} in {town} is on a {day}. Which weekday is the day {side} it?",
    "{name}'s {event} takes place on a {day}. What is the weekday of the day {side} it?",
    "{name} travels to {town} on the day {side} the {event}. The {event} is on a {day}. On which "
    "weekday does {name} travel?",
    "In {town} the shops close on the day {side} the {event}, which is on a {day}. On which "
    "weekday do they close?",
    "{name} has a {event} on {day}. Which day of the week comes directly {side} that day?",
)
_PART = (
    "In which {part} is it: {one} or {other}?",
    "Which {part} is it: {one} or {other}?",
    "Which {part} is that, {one} or {other}?",
)
_NOTED = (
    "{name}'s {event} is on {date}.",
    "The {event} in {town} begins on {date}.",
    "{name} plans a {event} for {date}.",
    "A notice in {town} says that the {event} is on {date}.",
    "The ticket for the {event} is valid on {date}.",
)
_OFFSETS = (
    "The {event} in {town} is {span} {side} {date}. What is the date of the {event}?",
    "{name} signs a paper on {date}. The {event} is {span} {side} that. On which date is it?",
    "A parcel reaches {town} on {date}. {name}'s {event} is {span} {side} that day. On which date?",
    "Counted from {date}, the {event} of {name} is {span} {side} it. Which date is that?",
    "{name} was in {town} on {date}. The {event} took place {span} {side} that. Give its date.",
)
_SPANS = (
    "The {event} begins on {start} and {name} leaves {town} on {end}. How many days after the "
    "first date is the second?",
    "How many days lie from {start} to {end}, the first of them not counted?",
    "{name} sent a letter to {town} on {start}. It arrived on {end}. How many days did it take?",
    "{name} counts the days from {start} until the {event} on {end}, without the first day. How "
    "many are there?",
    "On {start} {name} begins to train for the {event} on {end}. How many days later is it?",
)
_CLOCKS = (
    "The {event} in {town} starts at {start} and lasts {long}. When does it end?",
    "{name} leaves {town} at {start} and travels for {long}. When does {name} arrive?",
    "A train leaves {town} at {start} and needs {long}. At what time does it reach its last stop?",
    "{name} puts a pot into an oven at {start} and takes it out {long} later. At what time?",
    "A machine in {town} is started at {start} and runs for {long}. When does it stop?",
)
_FAR = (
    "{date} is a {day}. {name}'s {event} is on {other}. Which weekday is that?",
    "In {town} a {event} was held on {date}, a {day}. The next is on {other}. On which weekday?",
    "{name} knows that {date} is a {day}. Which weekday is {other}?",
    "The calendar of {name} shows a {day} on {date}. What is the weekday of {other}?",
    "A {event} is held on {day}, {date}. On which weekday is {other}?",
)
_WORKING = (
    "The workshop of {name} is closed on every {closed} and every {free}. A repair takes {count} "
    "days on which it is open. It begins on {date}, a {day}, which is the first of these days if "
    "the workshop is open then. On which date is the last of them?",
    "{name}'s shop in {town} opens on all days but {closed} and {free}. Starting with {date}, a "
    "{day}, {name} counts the days on which it is open. Which date is number {count}?",
    "A course in {town} has {count} lessons, one a day, but none on a {closed} or a {free}. No "
    "lesson is before {date}, a {day}; on that day is the first if lessons are held then. On which "
    "date is the last one?",
    "{name} reads a chapter every day except on a {closed} or a {free}, beginning on {date}, a "
    "{day}, or on the first day after it that is neither. On which date is chapter {count} read?",
    "From {date}, a {day}, the ferry to {town} sails once a day, never on a {closed} or a {free}. "
    "Counted from that date on, on which date is sailing number {count}?",
)


def make(dice: random.Random, level: int) -> Draft:
    """Return a task about a weekday, a date or a time."""
    kinds = of_level(
        level,
        (_neighbour, _month, _month, _year),
        (_offset, _span, _clock),
        (_far, _working, _legs),
    )
    return dice.choice(kinds)(dice, level)


def _scene(dice: random.Random) -> dict[str, str]:
    lists = {"name": NAMES, "town": TOWNS, "event": EVENTS}
    return {part: dice.choice(words) for part, words in lists.items()}


def _some_date(dice: random.Random) -> date:
    return _FIRST + timedelta(days=dice.randrange(_DAYS))


def _weekday(day: date) -> str:
    return WEEKDAYS[day.weekday()]


def _neighbour(dice: random.Random, level: int) -> Draft:
    place, side = dice.randrange(7), dice.choice(("before", "after", "after"))
    wanted = WEEKDAYS[(place + (1 if side == "after" else -1)) % 7]
    asked = dice.choice(_WORDINGS).format(day=WEEKDAYS[place], side=side, **_scene(dice))
    return of_label(asked, wanted, WEEKDAYS)


def _month(dice: random.Random, level: int) -> Draft:
    day = _some_date(dice)
    wanted, other = MONTHS[day.month - 1], MONTHS[(day.month - 1 + dice.randint(1, 11)) % 12]
    return of_label(_part(dice, day, "month", wanted, other), wanted, MONTHS)


def _year(dice: random.Random, level: int) -> Draft:
    day = _some_date(dice)
    other = day.year + dice.choice((-1, 1)) * dice.randint(1, 9)
    return of_number(_part(dice, day, "year", day.year, other), day.year)


def _part(dice: random.Random, day: date, part: str, *values: str | int) -> str:
    """Return a question for a part of a date, with two values to choose from."""
    written = f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    noted = dice.choice(_NOTED).format(date=written, **_scene(dice))
    one, other = dice.sample(values, 2)
    return f"{noted} {dice.choice(_PART).format(part=part, one=one, other=other)}"


def _offset(dice: random.Random, level: int) -> Draft:
    day, count, side = _some_date(dice), dice.randint(5, 40), dice.choice(("before", "after"))
    wanted = day + timedelta(days=count if side == "after" else -count)
    asked = dice.choice(_OFFSETS).format(span=f"{count} days", side=side, date=day, **_scene(dice))
    return of_text(f"{asked} {_DATE}", wanted.isoformat(), ignore_case=False)


def _span(dice: random.Random, level: int) -> Draft:
    day, count = _some_date(dice), dice.randint(6, 45)
    end = day + timedelta(days=count)
    asked = dice.choice(_SPANS).format(start=day, end=end, **_scene(dice))
    return of_number(asked, count)


def _clock(dice: random.Random, level: int) -> Draft:
    start = datetime(2024, 1, 1, dice.randint(5, 21), 5 * dice.randrange(12))  # noqa: DTZ001
    long = timedelta(minutes=5 * dice.randint(7, 40))
    asked = dice.choice(_CLOCKS).format(start=f"{start:%H:%M}", long=_long(long), **_scene(dice))
    return of_text(f"{asked} {_TIME}", f"{start + long:%H:%M}", ignore_case=False)


def _long(span: timedelta) -> str:
    """Return a span as people say it."""
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    said = [(hours, "hours"), (minutes, "minutes")]
    return " and ".join(amount(count, unit) for count, unit in said if count)


def _far(dice: random.Random, level: int) -> Draft:
    day = _some_date(dice)
    other = day + timedelta(days=dice.choice((-1, 1)) * dice.randint(*_reach(level)))
    facts = {"date": day, "day": _weekday(day), "other": other}
    asked = dice.choice(_FAR).format(**facts, **_scene(dice))
    return of_label(f"{asked} {_WEEKDAY}", _weekday(other), WEEKDAYS)


def _reach(level: int) -> tuple[int, int]:
    """Return how far apart two dates of a level are, in days."""
    return 70 * 3 ** (level - 3), 250 * 3 ** (level - 3)


def _working(dice: random.Random, level: int) -> Draft:
    day, count = _some_date(dice), dice.randint(9 * (level - 2), 16 * (level - 2))
    closed = dice.sample(WEEKDAYS, 2)
    last, left = day, count
    while left := left - (_weekday(last) not in closed):
        last += timedelta(days=1)
    facts = {"date": day, "day": _weekday(day), "count": count}
    facts |= {"closed": closed[0], "free": closed[1]}
    asked = dice.choice(_WORKING).format(**facts, **_scene(dice))
    return of_text(f"{asked} {_DATE}", last.isoformat(), ignore_case=False)


def _legs(dice: random.Random, level: int) -> Draft:
    """Return a journey of several legs with stops between them."""
    name = dice.choice(NAMES)
    towns = dice.sample(TOWNS, level + 1)
    now = datetime(2024, 1, 1, dice.randint(5, 23), dice.randrange(60))  # noqa: DTZ001
    lines = [f"{name} leaves {towns[0]} at {now:%H:%M}."]
    for place, town in enumerate(towns[1:]):
        ride, stop = (timedelta(minutes=dice.randint(*ends)) for ends in ((47, 290), (8, 95)))
        now += ride
        lines.append(f"The way to {town} takes {_long(ride)}.")
        if place < level - 1:
            now += stop
            lines.append(f"{name} stays there for {_long(stop)}.")
    asked = dice.choice(
        ("When does {} reach {}?", "At what time is {} in {}?", "When does {} get to {}?")
    ).format(name, towns[-1])
    return of_text(f"{' '.join(lines)} {asked} {_TIME}", f"{now:%H:%M}", ignore_case=False)
