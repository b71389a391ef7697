"""Reads a number that is written in English words."""

from __future__ import annotations

import re
from decimal import Decimal

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * value for value, word in enumerate(_TENS, 2)
}
_LARGE = {"thousand": 1000, "million": 1_000_000}
_MOST_WORDS = 14


def spelled_number(text: str) -> Decimal | None:
    """Return the value of a text that is one number in words; None for any other text."""
    words = re.sub(r"[^A-Za-z]+", " ", text[:200]).lower().split()
    if not 0 < len(words) <= _MOST_WORDS or len(text) > len(text[:200]):
        return None
    sign = -1 if words[0] in ("minus", "negative") else 1
    words = words[sign < 0 :]
    total = part = 0
    last = 0  # value of the word before; a smaller one may follow a ten
    for place, word in enumerate(words):
        if word in _SMALL:
            value = _SMALL[word]
            if place and not (
                last in (100, 1000, 1_000_000) or (last in range(20, 91, 10) and 0 < value < 10)
            ):
                return None
            part += value
            last = value
        elif word == "hundred" and 0 < part < 10:
            part *= 100
            last = 100
        elif word in _LARGE and part:
            total += part * _LARGE[word]
            part, last = 0, _LARGE[word]
        elif not (word == "and" and last in (100, 1000)):
            return None
    return sign * Decimal(total + part) if words and words[-1] != "and" else None
