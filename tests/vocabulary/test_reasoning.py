"""Reasoning in the text of an answer."""

from __future__ import annotations

import pytest

from orket_lib.vocabulary.reasoning import opens_reasoning


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("5", False),
        ("", False),
        ("<think>2 and 3</think>5", True),
        ("\n<thinking>2 and 3</thinking>5", True),
        ("<think>2 and", True),  # cut
        ("<think>\n\n</think>\n5", False),  # switched off by the template
        ("2 and 3</think>5", True),  # opened by the template
        ("</think>5", False),
        ("say <think> and </think>", False),
    ],
)
def test_reasoning_is_told_from_the_answer(text: str, reasons: bool) -> None:
    assert opens_reasoning(text) is reasons
