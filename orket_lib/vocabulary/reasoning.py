"""Reasoning in the text of an answer, where the server doesn't send it apart from the answer."""

from __future__ import annotations

import re

_OPENED = re.compile(r"\s*<(think|thinking|reasoning)>")


def opens_reasoning(text: str) -> bool:
    """Return whether a text begins with a block of reasoning."""
    return _OPENED.match(text) is not None


def strip_reasoning(text: str) -> str:
    """Return the text after the reasoning.

    Some chat templates open the block themselves, so that only its end is in the text. If a block
    never ends (because of the token limit), nothing is left.
    """
    opened = _OPENED.match(text)
    if opened:
        return text.partition(f"</{opened[1]}>")[2]
    before, _, after = text.partition("</think>")
    return after if "<think>" not in before and before != text else text
