"""Graders that several families of text share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


def exact(expected: str, ignore_case: bool | None = None) -> dict[str, Any]:
    """Return the grader of an answer that is one text.

    Args:
        expected: The text.
        ignore_case: Whether capitals don't matter; None: if the text has none, so that an answer
            may begin like a sentence.
    """
    ignored = expected == expected.lower() if ignore_case is None else ignore_case
    grader = {"type": "exact", "expected": expected}
    return {**grader, "ignore_case": True} if ignored else grader


def number(expected: int) -> dict[str, Any]:
    """Return the grader of an answer that is one number."""
    return {"type": "number", "expected": expected}


def label(expected: str, rivals: Iterable[str], text: str = "") -> dict[str, Any]:
    """Return the grader of an answer that names one word and none of its rivals.

    Args:
        expected: The word.
        rivals: What could be named instead.
        text: If given, only rivals that occur in it are kept, which an answer could take them from.
    """
    words = set(re.findall(r"\w+", text))
    near = [one for one in dict.fromkeys(rivals) if one.casefold() != expected.casefold()]
    kept = [one for one in near if not text or one in words] or near[:1]
    return {"type": "label", "expected": expected, "labels": sorted([expected, *kept])}


def holds(*conditions: str) -> dict[str, Any]:
    """Return the grader of a text, all of it, for which all of some lookaheads hold."""
    pattern = "".join(conditions) + ".*"
    return {"type": "regex", "pattern": pattern, "flags": ["dotall"], "form_counts": True}


def word_count(count: int) -> str:
    """Return the condition that a text has so many words, as blanks part them."""
    return rf"(?=\s*\S+(?:\s+\S+){{{count - 1}}}\s*\Z)"


def has_word(word: str) -> str:
    """Return the condition that a word occurs, in capitals or not."""
    return rf"(?=.*\b(?i:{re.escape(word)})\b)"


def lacks_letter(letter: str) -> str:
    """Return the condition that a letter does not occur."""
    return f"(?!.*[{letter.lower()}{letter.upper()}])"
