"""Reasoning in the text of an answer."""

from __future__ import annotations

import pytest

from orket_lib.vocabulary.reasoning import opens_reasoning, strip_reasoning


@pytest.mark.parametrize(
    ("text", "reasons", "answer"),
    [
        ("5", False, "5"),
        ("", False, ""),
        ("<think>2 and 3</think>5", True, "5"),
        ("\n<thinking>2 and 3</thinking>5", True, "5"),
        ("<think>2 and", True, ""),  # cut
        ("<think>\n\n</think>\n5", False, "\n5"),  # switched off by the template
        ("2 and 3</think>5", True, "5"),  # opened by the template
        ("</think>5", False, "5"),
        ("say <think> and </think>", False, "say <think> and </think>"),
    ],
)
def test_reasoning_is_told_from_the_answer(text: str, reasons: bool, answer: str) -> None:
    assert opens_reasoning(text) is reasons
    assert strip_reasoning(text) == answer
