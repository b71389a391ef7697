"""Reasoning and leaked tokens are cut off, and code keeps what looks like them."""

from __future__ import annotations

import pytest

from orket_lib.reading.reasoning import leaked_token, opens_reasoning, strip_reasoning
from orket_lib.tasks.extraction import function_source

CODE = "def add(a, b):\n    return a + b\n"


@pytest.mark.parametrize(
    "answer",
    [
        "<think>6*7</think>42",
        "<THINK>6*7</think>42",
        "<thinking>\n6*7\n</thinking>\n42",
        "<thought>6*7</thought>42",
        "<reasoning>6*7</reasoning>42",
        "<seed:think>6*7</seed:think>42",
        "[THINK]6*7[/THINK]42",
        "\u25c1think\u25b76*7\u25c1/think\u25b742",
        "<|begin_of_thought|>6*7<|end_of_thought|><|begin_of_solution|>42<|end_of_solution|>",
        "<|START_THINKING|>6*7<|END_THINKING|><|START_RESPONSE|>42<|END_RESPONSE|>",
        "<think>a</think><think>6*7</think>42",
        "<think></think>\n\n<think>6*7</think>\n42",
        "6*7\n</think>\n\n42",
        "So 6*7.</think>\n42",
        "</think>42",
        "<think>\n```\n</think>\n```\n6*7</think>42",
        "<|channel|>analysis<|message|>6*7<|end|><|start|>assistant<|channel|>final<|message|>42",
        "<|channel|>final <|constrain|>text<|message|>42<|return|>",
        "42<|im_end|>",
        "42<|eot_id|>\n",
        "42</s>",
        "42<end_of_turn>\n<start_of_turn>user\nAnd 5?",
        "42<\uff5cend\u2581of\u2581sentence\uff5c>",
        "\ufeff42",
    ],
)
def test_only_the_answer_is_left(answer: str) -> None:
    assert strip_reasoning(answer).strip() == "42"


@pytest.mark.parametrize(
    "answer",
    [
        "<think>6*7",
        "<thought>6*7 is 42",
        "<think>6*7</thinking>42",
        "<|channel|>analysis<|message|>6*7 is 42",
    ],
)
def test_of_reasoning_that_never_ends_nothing_is_left(answer: str) -> None:
    assert strip_reasoning(answer) == ""


@pytest.mark.parametrize(
    "answer",
    [
        "42",
        "The tag </think> ends it: 42",
        'Write `</think>`\nor "</think>"',
        "```html\n</think>\n```",
        "```python\nprint('<|im_end|>')\n```",
        "a <b> c",
    ],
)
def test_text_about_tags_stays(answer: str) -> None:
    assert strip_reasoning(answer) == answer
    assert leaked_token(answer) is None


@pytest.mark.parametrize(
    "answer",
    [
        f"```python\n{CODE}```",
        f"```python\n{CODE}```<|im_end|>",
        f"```python\n{CODE}<|im_end|>",
        f"```python\n{CODE}``` done.",
        f"```python\n{CODE}``` That is all.",
        f"\ufeff{CODE}",
        f"{CODE}<|eot_id|>",
        f"<think>```python\nx\n```</think>\n{CODE}",
        '```python\ndef add(a, b):\n    """Add.\n\n    ```\n    add(1, 2)\n    ```\n    """\n'
        "    return a + b\n```",
        '```python\ndef add(a, b):\n    assert "</think>"\n    return a + b\n```',
        '```python\ndef add(a, b):\n    assert "<|im_end|>"\n    return a + b\n```',
        "1. Code:\n\n    ```python\n    def add(a, b):\n        return a + b\n    ```\n\n2. Run.",
    ],
)
def test_code_is_found_whatever_is_around_it(answer: str) -> None:
    scope: dict[str, object] = {}
    exec(function_source(answer, "add"), scope)
    add = scope["add"]
    assert callable(add)
    assert add(1, 2) == 3


def test_blocks_without_end_take_no_time() -> None:
    for text in ("<think></think>" * 60_000, "</think>" * 120_000, "```\n" * 250_000):
        assert len(strip_reasoning(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("5", False),
        ("", False),
        ("<think>2 and 3</think>5", True),
        ("\n<thinking>2 and 3</thinking>5", True),
        ("[THINK]2 and 3[/THINK]5", True),
        ("<|channel|>analysis<|message|>2 and 3", True),
        ("<think>2 and", True),  # cut
        ("<think>\n\n</think>\n5", False),  # switched off by the template
        ("2 and 3</think>\n5", True),  # opened by the template
        ("</think>5", False),
        ("say <think> and </think>", False),
    ],
)
def test_an_empty_block_is_no_reasoning(text: str, reasons: bool) -> None:
    assert opens_reasoning(text) is reasons
