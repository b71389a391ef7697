"""Numbers as people write them in answers: `1,234`, `$18`, `45%`, a typographic minus."""

from __future__ import annotations

import re

_MINUS = "\N{MINUS SIGN}\N{EN DASH}"
_NUMBER = re.compile(
    r"(?P<sign>[-+]?)[$€£¥]?\s?(?P<digits>\d{1,3}(?:,\d{3})+|\d{1,3}(?:_\d{3})+|\d+)"
    r"(?P<rest>(?:\.\d+)?(?:[eE][-+]?\d{1,3})?)\s?%?"
)
_PLAIN = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,17})?")
_MOST_CHARS = 400


def number_of(text: str) -> int | float | None:
    """Return the number that a text is; None if it is none, or could be two different ones.

    A percent sign and a currency are units and don't change the value.
    """
    plain = text.strip()
    if plain[:1] in _MINUS:
        plain = f"-{plain[1:]}" if plain else plain
    found = _NUMBER.fullmatch(plain[:_MOST_CHARS]) if len(plain) <= _MOST_CHARS else None
    if found is None:
        return None
    digits = found["sign"] + found["digits"].replace(",", "").replace("_", "")
    if not found["rest"]:
        return int(digits)
    value = float(digits + found["rest"])
    return value if abs(value) != float("inf") else None


def is_plain_number(text: str) -> bool:
    """Tell whether a text can be nothing but a number: no leading zeros, no separators."""
    return _PLAIN.fullmatch(text.strip()) is not None
