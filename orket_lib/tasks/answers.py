"""Turns a model's output into the answer that is graded.

Reasoning and leaked tokens are removed first. `normalize` then gives equal answers equal bytes
(determinism depends on it, T16), and changes nothing that could turn a wrong answer into a right
one. What an answer says is read from the normalized text by `reading`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from decimal import Decimal

from orket_lib.reading.numbers import stated_number
from orket_lib.reading.reasoning import strip_reasoning

# Longer answers are not graded: this is about 250,000 tokens, and no task needs a tenth of it.
MAX_CHARS = 1_000_000
_MOST_MARKS = 30  # on one letter: the limit of Unicode's Stream-Safe Text Format
_FENCE = re.compile(r"^```[ \t]*([A-Za-z0-9_+-]*)\n(.*?)\n?```$", re.DOTALL)


def normalize(text: str) -> str:
    """Return NFC text without reasoning, outer white space, an outer fence or trailing blanks."""
    text = composed(strip_reasoning(text)).replace("\r\n", "\n").strip()
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    fenced = _FENCE.match(text)
    if fenced is None:
        return text
    return fenced[2] or fenced[1]  # as in `reading.statements.fenced`


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
    """Return the number that an answer states; None if it states none or several."""
    return stated_number(normalize(text))
