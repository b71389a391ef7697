"""Reads a number or JSON out of a model's answer."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from orket_lib.vocabulary.answers import normalize

_MINUS = re.compile("\N{MINUS SIGN}|\N{EN DASH}(?=[0-9])")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\w|\.\d)")


class Unparseable(Exception):
    """The answer is not in the form that its grader needs; the message says what was found."""


def only_number(text: str) -> Decimal | None:
    """Return the number that an answer states; None if it states none or several.

    A list of candidates such as `67 94` doesn't count. The same number twice is one number. A
    typographic minus is a minus, and so is an en dash before a digit.
    """
    plain = _MINUS.sub("-", normalize(text))
    found = {Decimal(match.group().replace(",", "")) for match in _NUMBER.finditer(plain)}
    return found.pop() if len(found) == 1 else None


def parse_json(text: str) -> Any:
    """Parse the whole normalized answer as JSON.

    Raises:
        ValueError: It is not JSON, repeats a key, or holds NaN or an infinity.
    """
    return strict_json(normalize(text))


def strict_json(text: str) -> Any:
    """Parse a text as JSON.

    Raises:
        ValueError: It is not JSON, repeats a key, or holds NaN or an infinity.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) != len(pairs):
            raise ValueError("duplicate key")
        return mapping

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
