"""Turns a model's output into the answer that is graded.

`normalize` removes a leading block of reasoning and gives equal answers equal bytes (determinism
depends on it, T16). It changes nothing that could turn a wrong answer into a right one.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from decimal import Decimal
from typing import Any

from orket_lib.vocabulary.reasoning import strip_reasoning

# Longer answers are not graded: this is about 250,000 tokens, and no task needs a tenth of it.
MAX_CHARS = 1_000_000
_MOST_MARKS = 30  # on one letter: the limit of Unicode's Stream-Safe Text Format
_FENCE = re.compile(r"^```[ \t]*[A-Za-z0-9_+-]*\n(.*?)\n?```$", re.DOTALL)
_MINUS = re.compile("\N{MINUS SIGN}|\N{EN DASH}(?=[0-9])")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\w|\.\d)")


class Unparseable(Exception):
    """The answer is not in the form that its grader needs; the message says what was found."""


def normalize(text: str) -> str:
    """Return NFC text without reasoning, outer white space, an outer fence or trailing blanks."""
    text = composed(strip_reasoning(text)).replace("\r\n", "\n").strip()
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    fenced = _FENCE.match(text)
    return fenced.group(1) if fenced else text


def composed(text: str) -> str:
    """Return NFC text; text with too many marks on a letter is returned unchanged.

    Composing takes quadratic time in the number of marks on a letter.
    """
    if text.isascii():
        return text
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter).startswith("M") else 0
        if marks > _MOST_MARKS:
            return text
    return unicodedata.normalize("NFC", text)


def comparable(text: str) -> str:
    """Return the normalized answer, or the raw text if that is too long."""
    return normalize(text) if len(text) <= MAX_CHARS else text


def fingerprint(text: str) -> str:
    """Return the SHA-256 of the comparable answer."""
    return hashlib.sha256(comparable(text).encode(errors="surrogatepass")).hexdigest()


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
