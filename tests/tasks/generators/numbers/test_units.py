"""Sizes are read out of the text and converted with a table of their own."""

from __future__ import annotations

import re
from fractions import Fraction

from family_contract import GrowingFamilyContract

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.numbers import units

_LONG = {"kilometre": 10**6, "metre": 1000, "centimetre": 10, "millimetre": 1}
_HEAVY = {"tonne": 10**6, "kilogram": 1000, "gram": 1, "litre": 1000, "millilitre": 1}
_LASTING = {"week": 604800, "day": 86400, "hour": 3600, "minute": 60, "second": 1}
_IN_SMALLEST = _LONG | _HEAVY | _LASTING | {"euro": 100, "cent": 1}
_UNIT = "|".join(sorted(_IN_SMALLEST, key=len, reverse=True))
_SIZE = re.compile(rf"(\d+(?:\.\d+)?) ({_UNIT})s?\b")
_WANTED = re.compile(rf"\b({_UNIT})s\b")


class TestUnits(GrowingFamilyContract):
    family = units

    def again(self, text: str, draft: Draft) -> int:
        if " every " in text:
            return _rate(text)
        if " per " in text:
            return _change(text)
        rest = _SIZE.sub("", text)
        (wanted,) = set(_WANTED.findall(rest))
        total = Fraction(0)
        for sentence in re.split(r"(?<=\D)\. ", text):
            times = int((re.search(r"that (\d+) times", sentence) or [0, 1])[1])
            total += times * sum(_sizes(sentence))
        return _whole(total / _IN_SMALLEST[wanted])


def _sizes(text: str) -> list[Fraction]:
    return [Fraction(count) * _IN_SMALLEST[unit] for count, unit in _SIZE.findall(text)]


def _whole(value: Fraction) -> int:
    assert value.denominator == 1
    return value.numerator


def _rate(text: str) -> int:
    part, every, *long = _sizes(text)
    return _whole(part / every * sum(long) / 1000)


def _change(text: str) -> int:
    basket = re.findall(r"(\d+) \w+ at (\d+(?:\.\d+)?) (euro|cent)s per", text)
    cost = sum(
        (int(count) * Fraction(price) * _IN_SMALLEST[unit] for count, price, unit in basket),
        Fraction(0),
    )
    ((paid, _),) = re.findall(r"(\d+) (euro)s(?! per)", re.sub(r"\d+\.\d+", "", text))
    assert 100 * int(paid) > cost
    return _whole(100 * int(paid) - cost)
