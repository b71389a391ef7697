"""Reasoning in the text of an answer, where the server doesn't send it apart from the answer."""

from __future__ import annotations

import re

_OPENED = re.compile(r"\s*<(think|thinking|reasoning)>")
_END = "</think>"


def opens_reasoning(text: str) -> bool:
    """Return whether a text begins with reasoning; an empty block is none."""
    opened = _OPENED.match(text)
    if opened:
        return bool(text[opened.end() :].partition(f"</{opened[1]}>")[0].strip())
    before, end, _ = text.partition(_END)
    return bool(end and before.strip() and "<think>" not in before)


def strip_reasoning(text: str) -> str:
    """Return the text after the reasoning.

    Some chat templates open the block themselves, so that only its end is in the text. If a block
    never ends (because of the token limit), nothing is left.
    """
    opened = _OPENED.match(text)
    if opened:
        return text.partition(f"</{opened[1]}>")[2]
    before, _, after = text.partition(_END)
    return after if "<think>" not in before and before != text else text
