"""Dates are counted by day numbers of our own and by numpy's calendar of working days."""

from __future__ import annotations

import re

import numpy as np
from family_contract import GrowingFamilyContract
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.numbers import dates

_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAY = "|".join(_DAYS)
_DATE = r"\d{4}-\d\d-\d\d"
_LONG = re.compile(r"(?:(\d+) hours?)?(?: and )?(?:(\d+) minutes?)?")


class TestDates(GrowingFamilyContract):
    family = dates

    def again(self, text: str, draft: Draft) -> int | str:
        found = re.findall(_DATE, text)
        if "HH:MM" in text:
            return _time(text)
        if re.search("[Ww]hich (weekday|day of the week)|What is the weekday", text):
            return _weekday(text, found)
        if re.search(r"\b(closed|opens|none on|except|never)\b", text):
            return _working(text, found[0])
        if len(found) == 2:
            return _number(found[1]) - _number(found[0])
        if not found:
            return _part(text)
        count, side = match_in(r"(\d+) days (before|after)", text).groups()
        day = np.datetime64(found[0]) + (1 if side == "after" else -1) * int(count)
        return str(day)


def _number(written: str) -> int:
    """Return the Julian day number of a date."""
    year, month, day = map(int, written.split("-"))
    before = (14 - month) // 12
    years, months = year + 4800 - before, month + 12 * before - 3
    leaps = years // 4 - years // 100 + years // 400
    return day + (153 * months + 2) // 5 + 365 * years + leaps - 32045


def _weekday(text: str, found: list[str]) -> str:
    days = re.findall(_DAY, text)
    if found:
        assert _DAYS[_number(found[0]) % 7] == days[0]
        return _DAYS[_number(found[1]) % 7]
    (side,) = set(re.findall(r"before|after", text))
    return _DAYS[(_DAYS.index(days[0]) + {"before": 6, "after": 1}[side]) % 7]


def _part(text: str) -> int | str:
    month, year = match_in(r"\d+ ([A-Z]\w+) (\d{4})", text).groups()
    assert month in _MONTHS
    asked = match_in(r"[Ww]hich (year|month)\b", text)[1]
    return {"year": int(year), "month": month}[asked]


def _working(text: str, start: str) -> str:
    weekday = match_in(rf"({_DAY}), {start}|{start}, a ({_DAY})", text)
    assert _DAYS[_number(start) % 7] in weekday.groups()
    closed = re.findall(_DAY, text.replace(weekday[0], start))
    mask = [day not in closed for day in _DAYS]
    count = int(match_in(r"\b(\d+)(?! ?-|-)\b", re.sub(_DATE, "", text))[1])
    first = np.busday_offset(start, 0, roll="forward", weekmask=mask)
    return str(np.busday_offset(first, count - 1, weekmask=mask))


def _time(text: str) -> str:
    text = text.partition("Write the time")[0]
    hours, minutes = map(int, match_in(r"(\d\d):(\d\d)", text).groups())
    for long in re.findall(r"\d+ hours? and \d+ minutes?|\d+ hours?|\d+ minutes?", text):
        more = _LONG.fullmatch(long)
        assert more is not None
        hours, minutes = hours + int(more[1] or 0), minutes + int(more[2] or 0)
    return f"{(hours + minutes // 60) % 24:02}:{minutes % 60:02}"
