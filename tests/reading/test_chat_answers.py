"""Right answers in the forms of real chat models pass as content, and wrong ones fail (T24).

A style is how a model wraps its answer. Every question is answered in every style, rightly and
wrongly; what follows are single answers that are hard to read.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import pytest
from task_forms import judged_by, match_in_this_process

from orket_lib.reading.numbers import stated_number
from orket_lib.tasks.grading.graders import judge

STYLES = {
    "bare": "{}",
    "final stop": "{}.",
    "bold": "**{}**",
    "code span": "`{}`",
    "quotes": '"{}"',
    "fence": "```\n{}\n```",
    "fence of one line": "```{}```",
    "fence in prose": "Here is the result:\n\n```text\n{}\n```\n\nIs there anything else you need?",
    "the answer is": "The answer is {}.",
    "the answer is bold": "The correct answer is **{}**.",
    "answer label": "Answer: {}",
    "bold label": "**Answer:** {}",
    "final heading": "I read the question twice.\n\n### Final Answer\n{}",
    "final answer": "Let me think step by step.\n\nThat settles it.\n\n**Final Answer: {}**",
    "box": "So the result follows.\n\n$\\boxed{{{}}}$",
    "box in the final answer": "The final answer is: $\\boxed{{{}}}$. I hope it is correct.",
    "box of text": "The final answer is $\\boxed{{\\text{{{}}}}}$",
    "the answer is, colon": "The result is: {}",
    "courtesy": "{}\n\nLet me know if you have 3 more questions!",
    "hashes": "First I look at what is asked.\n#### {}",
    "answer tag": "<think>\nHmm, is it this?\n</think>\n\n<answer>{}</answer>",
    "reasoning": "<think>\nWait, maybe 1 or 2. No.\n</think>\n\n{}",
    "opened by the template": "Wait, maybe 1 or 2. No.\n</think>\n\n{}",
    "harmony": "<|channel|>analysis<|message|>Hm.<|end|>"
    "<|start|>assistant<|channel|>final<|message|>{}",
    "leaked token": "{}<|im_end|>",
    "leaked turn": "{}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nAnd 5?",
    "polite": "Sure! Here's the answer: {}",
    "last line": "I go through it carefully, one part after the other.\n\n{}",
}


class Asked(NamedTuple):
    """A question: its grader, a right and a wrong answer."""

    grader: dict[str, Any]
    right: str
    wrong: str


QUESTIONS = {
    "integer": Asked({"type": "number", "expected": 1234}, "1,234", "1,243"),
    "negative": Asked({"type": "number", "expected": -7}, "\u22127", "7"),
    "decimal": Asked({"type": "number", "expected": 3.14}, "3.14", "3.41"),
    "unit": Asked({"type": "number", "expected": 42}, "42 km", "24 km"),
    "word": Asked({"type": "exact", "expected": "DESK"}, "DESK", "DESKS"),
    "numbers": Asked({"type": "exact", "expected": "2 9 76"}, "2, 9, 76", "2, 76, 9"),
    "words": Asked({"type": "exact", "expected": "cat hen owl"}, "cat, hen, owl", "cat, owl, hen"),
    "sentence": Asked(
        {"type": "exact", "expected": "the old cat sleeps near the lake"},
        "the old cat sleeps near the lake",
        "the old cat sleeps at the lake",
    ),
    "date": Asked({"type": "exact", "expected": "2024-02-29"}, "2024-02-29", "2024-03-01"),
    "label": Asked(
        {"type": "label", "expected": "negative", "labels": ["positive", "negative", "neutral"]},
        "Negative",
        "neutral",
    ),
    "choice": Asked(
        {"type": "choice", "expected": "B", "options": {"A": "Paris", "B": "Rome", "C": "Bonn"}},
        "B",
        "C",
    ),
    "pattern": Asked({"type": "regex", "pattern": r"[a-z]{3}-\d{2}"}, "abc-12", "abc-1"),
}


def said(style: str, answer: str) -> str:
    return STYLES[style].format(answer)


@pytest.mark.parametrize("question", QUESTIONS)
def test_t24_in_every_style_a_right_answer_passes_and_a_wrong_one_fails(
    question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    match_in_this_process(monkeypatch)
    asked = QUESTIONS[question]
    task = judged_by(asked.grader)
    passed = {style for style in STYLES if judge(task, said(style, asked.right)).passed}
    assert STYLES.keys() - passed == set(), "right, but failed"
    wrongly = {style for style in STYLES if judge(task, said(style, asked.wrong)).passed}
    assert wrongly == set(), "wrong, but passed"


def test_the_table_is_large_enough() -> None:
    assert len(STYLES) >= 12
    assert len(STYLES) * len(QUESTIONS) >= 200


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (68, "68 + 0 = 68"),
        (31, "The sum of 23 and 8 is 31."),
        (31, "23 + 8 equals **31**."),
        (12, "Mia has 5 apples and buys 7 more, so she has 12 apples."),
        (12, "Mia had 5.\nShe buys 7 more.\n\n5 + 7 = 12\n\nMia has **12** apples now."),
        (5, "There are 5 words in the text."),
        (1234567, "1.234.567"),
        (1234.5, "1.234,5"),
        (0.75, "3/4"),
        (0.75, "$\\frac{3}{4}$"),
        (5_000_000, "5 million"),
        (-18, "-$18"),
        (-18, "($18)"),
        (18, "$18.00"),
        (50, "50 %"),
        (42, "forty-two"),
        (42, "The answer is forty-two."),
        (42, "42\u00b0C"),
        (42, "\\( 42 \\)"),
        (42, "\\[ x = 42 \\]"),
        (42, "x = 42"),
        (42, "Is it 41? Let me check again.\n\nFinal answer: 42"),
        (600000, "6 \u00d7 10^5"),
        (-5, "minus 5"),
    ],
)
def test_a_number_is_read(expected: float, answer: str) -> None:
    assert judge(judged_by({"type": "number", "expected": expected}), answer).passed


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (42, "It is 41 or 42."),
        (42, "The answer is not 42."),
        (42, "I don't think the answer is 42."),
        (42, "I don't think it is 42."),
        (42, "The answer is 42. Wait, actually it is 43."),
        (42, "Final answer: 42\n\nFinal answer: 43"),
        (42, "\\boxed{42} or \\boxed{43}"),
        (42, "more than 42"),
        (42, "at least 42"),
        (42, "42+"),
        (42, "42k"),
        (42, "42nd"),
        (42, "x42"),
        (42, "42:42"),
        (42, "41, 42, 43"),
        (42, "analysis6*7 is 42assistantfinal42"),
        (12, "It is 12km in 3 hours"),
        (7, "- 7"),
        (7, "-$7"),
        (5, "5 million"),
        (8, "5 is smaller than 8"),
        (67, "6*7"),
        (67, "6**7"),
        (42, "-(42)"),
        (42, "-$(42)"),
        (42, ""),
        (42, "<think>42"),
    ],
)
def test_what_is_ambiguous_is_never_right(expected: int, answer: str) -> None:
    assert not judge(judged_by({"type": "number", "expected": expected}), answer).passed


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("DESK", True),
        ('The word "desk" in capital letters is **DESK**.', True),
        ('"desk" becomes `DESK`', True),
        ("DESK\n\nI have changed every letter to a capital.", True),
        ('The result of the given code is "DESK" which is printed to the console.', True),
        ('The output is "DESK" because the output of `print` is a string.', True),
        ('The answer is "DESK" which is not right.', False),
        ('The output is "DASK", because "DESK" is printed.', False),
        ("desk", False),
        ("DESK or Desk", False),
        ("The word is not DESK.", False),
        ("DESK\n\nor\n\nLAMP", False),
        ("The answer is DESK? No, DASK.", False),
    ],
)
def test_a_word_is_read(answer: str, passed: bool) -> None:
    assert judge(judged_by({"type": "exact", "expected": "DESK"}), answer).passed is passed


@pytest.mark.parametrize(("answer", "passed"), [("7", True), ("7.", True), ("- 7", False)])
def test_a_number_that_is_expected_as_text_has_a_sign(answer: str, passed: bool) -> None:
    assert judge(judged_by({"type": "exact", "expected": "7"}), answer).passed is passed


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("Mia", True),
        ("mia.", True),
        ("Mia has the red lamp.", True),
        ("The owner is Mia, not Ben.", True),
        ("Ben has the blue one, so the answer is Mia.", True),
        ("Mia and Ben", False),
        ("Either Mia or Ben", False),
        ("It is not Mia.", False),
        ("non-Mia", False),
        ("It is hardly Mia.", False),
        ("The opposite of Mia", False),
        ("Anybody, anything but Mia", False),
        ("I don't think the answer is Mia.", False),
        ("Mia?", False),
        ("Miami", False),
        ("somebody", False),
    ],
)
def test_a_label_is_read(answer: str, passed: bool) -> None:
    asked = {"type": "label", "expected": "Mia", "labels": ["Ben", "Mia", "Zoe"]}
    assert judge(judged_by(asked), answer).passed is passed


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("The correct option is (B).", True),
        ("The best choice is **B**, because Rome is in Italy.", True),
        ("The right letter is B) Rome", True),
        ("I doubt that the correct option is B", False),
        ("The correct option is not B.", False),
        ("The correct option is B or C.", False),
    ],
)
def test_a_choice_is_read(answer: str, passed: bool) -> None:
    assert judge(judged_by(QUESTIONS["choice"].grader), answer).passed is passed


@pytest.mark.parametrize("grader", [one.grader for one in QUESTIONS.values()], ids=list(QUESTIONS))
def test_form_can_be_part_of_what_is_asked(grader: dict[str, Any]) -> None:
    plain = {"integer": "1234", "negative": "-7", "numbers": "2 9 76", "words": "cat hen owl"}
    name = next(name for name, one in QUESTIONS.items() if one.grader is grader)
    right = plain.get(name, QUESTIONS[name].right).removesuffix(" km")
    strict = judged_by({**grader, "form_counts": True})
    assert judge(strict, right).passed
    assert not judge(strict, f"The answer is **{right}**.").passed


@pytest.mark.parametrize(
    ("grader", "answer", "kept"),
    [
        ({"type": "number", "expected": 5}, "5", True),
        ({"type": "number", "expected": 5}, "6", True),
        ({"type": "number", "expected": 5}, "The answer is 5.", False),
        ({"type": "exact", "expected": "DESK"}, "DASK", True),
        ({"type": "exact", "expected": "DESK"}, "**DESK**", False),
        ({"type": "json", "expected": [1]}, "[2]", True),
        ({"type": "json", "expected": [1]}, "Here it is: [1]", False),
        ({"type": "contains", "all": ["a"]}, "a", None),
    ],
)
def test_the_form_is_told_whatever_the_content(
    grader: dict[str, Any], answer: str, kept: bool | None
) -> None:
    assert judge(judged_by(grader), answer).form_kept is kept


def test_a_leaked_token_is_told() -> None:
    grading = judge(judged_by({"type": "number", "expected": 5}), "5<|im_end|>")
    assert (grading.passed, grading.leaked_token) == (True, "<|im_end|>")
    assert judge(judged_by({"type": "number", "expected": 5}), "5").leaked_token is None


MONTH = {"type": "label", "expected": "May", "labels": ["April", "May", "June"]}


@pytest.mark.parametrize(
    "answer", ["```May\n```", "The month is:\n```May\n```", "Here it is.\n\n~~~May\n~~~"]
)
def test_a_word_behind_the_opening_fence_is_the_content_of_an_empty_block(answer: str) -> None:
    for grader in (MONTH, {"type": "exact", "expected": "May"}):
        assert judge(judged_by(grader), answer).passed
        assert not judge(judged_by(grader), answer.replace("May", "June")).passed


@pytest.mark.parametrize("answer", ["```\n```", "The answer is:\n```\n```", "Result: ~~~"])
def test_an_empty_fence_is_no_answer(answer: str) -> None:
    for asked in QUESTIONS.values():
        assert not judge(judged_by(asked.grader), answer).passed


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("The date 28 May 2030 is 28 May 2030.", False),
        ("It is on May 28, 2030.", False),
        ("28th of May, 2030", False),
        ("The month in 28 May 2030 is May.", True),
        ("May 2030", True),
        ("It is the month of May.", True),
        ("The month of 28 June 2030 is May.", True),
    ],
)
def test_a_whole_date_does_not_say_which_month(answer: str, right: bool) -> None:
    assert judge(judged_by(MONTH), answer).passed == right


@pytest.mark.parametrize(
    "text",
    [
        f"Final answer: x{'_' * 19_000}a",
        f"5{'_' * 19_000}a",
        f"\n{'if you have ' * 80_000}\nx",
        f"The answer is {'*_' * 9_000} 5",
    ],
    ids=lambda text: text[:20],
)
def test_no_answer_takes_long_to_read(text: str) -> None:
    begun = time.process_time()
    stated_number(text)
    assert time.process_time() - begun < 2
