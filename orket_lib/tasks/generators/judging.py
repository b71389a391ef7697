"""Graders that several families of text share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

DECORATION = r"[\s*_`\"'.!]*"


def exact(expected: str) -> dict[str, Any]:
    """Return the grader of an answer that is one text."""
    return {"type": "exact", "expected": expected}


def number(expected: int) -> dict[str, Any]:
    """Return the grader of an answer that is one number."""
    return {"type": "number", "expected": expected}


def named(expected: str, rivals: Sequence[str]) -> dict[str, Any]:
    """Return the grader of an answer that names one word and none of its rivals.

    The word may be in a sentence. It is one check, so that nothing is earned by naming nothing.
    """
    others = "|".join(re.escape(one) for one in rivals if one.casefold() != expected.casefold())
    unwanted = rf"(?!.*\b(?:{others})\b)" if others else ""
    pattern = rf"{unwanted}.*\b{re.escape(expected)}\b.*"
    return {"type": "regex", "pattern": pattern, "flags": ["ignorecase", "dotall"]}


def holds(*conditions: str) -> dict[str, Any]:
    """Return the grader of a text for which all of some lookaheads hold."""
    return {"type": "regex", "pattern": "".join(conditions) + ".*", "flags": ["dotall"]}


def word_count(count: int) -> str:
    """Return the condition that a text has so many words, as blanks part them."""
    return rf"(?=\s*\S+(?:\s+\S+){{{count - 1}}}\s*\Z)"


def has_word(word: str) -> str:
    """Return the condition that a word occurs, in capitals or not."""
    return rf"(?=.*\b(?i:{re.escape(word)})\b)"


def lacks_letter(letter: str) -> str:
    """Return the condition that a letter does not occur."""
    return f"(?!.*[{letter.lower()}{letter.upper()}])"
