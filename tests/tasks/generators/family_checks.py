"""What holds for every family of generated tasks; a family adds a second way to its answers."""

from __future__ import annotations

import json
import random
import re
from types import ModuleType
from typing import Any, ClassVar

import pytest

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.task import StructuredTask

LEVELS = (1, 2, 3, 4, 5, 6)
DIFFERENT, FEW, MANY = 200, 50, 1000
LONGEST = 350  # tokens of a prompt of level 3
_TOKEN = re.compile(r"[A-Za-z]{1,6}|\d{1,2}|[^\w\s]|\n")
_STRICT = pytest.mark.xfail(strict=False, reason="content and form apart")
_FORMS = {
    "bare": "{}",
    "newline": "{}\n",
    "fence": "```\n{}\n```",
    "thought": "<think>Hm.</think>\n{}",
    "spaced": "\n  {}  \n",
}
_CHATTY = {
    "bold": "**{}**",
    "period": "{}.",
    "stated": "The answer is {}.",
    "sentence": "Sure! Here is what you asked for: {}",
    "final": "Let me look at it again.\n\nFinal answer: **{}**",
}
FORMS = [
    *(pytest.param(form, id=name) for name, form in _FORMS.items()),
    *(pytest.param(form, id=name, marks=_STRICT) for name, form in _CHATTY.items()),
]


def drafts(family: ModuleType, level: int, count: int) -> list[Draft]:
    """Return tasks as the bank draws them."""
    return [
        family.make(random.Random(f"checks/{family.NAME}/{level}/{index}"), level)
        for index in range(count)
    ]


def task_of(draft: Draft, level: int = 1) -> StructuredTask:
    """Return the task as a bank holds it."""
    return StructuredTask.model_validate(
        {
            "id": 1,
            "tier": level,
            "problem": draft.problem,
            "instruction": draft.instruction,
            "evaluation": draft.evaluation,
        }
    )


def text_of(draft: Draft) -> str:
    """Return what a model reads of a task, without the form of the answer."""
    return f"{draft.problem}\n\n{draft.instruction}".strip()


def passes(draft: Draft, answer: str) -> bool:
    """Tell whether an answer to a task passes."""
    return judge(task_of(draft), answer).passed


def wrong_answers(draft: Draft) -> list[str]:
    """Return answers that are wrong whatever a grader forgives."""
    expected, kind = draft.evaluation["expected"], draft.evaluation["type"]
    if kind == "number":
        values = [expected + 1, expected - 1, expected * 10 + 3, -expected - 7]
        return ["", "I can't say.", f"{expected} or {expected + 1}", *map(str, values)]
    if kind == "json":
        return ["", "{}", "[]", "null", json.dumps([expected, expected]), '"none"', "I can't say."]
    if kind == "choice":
        others = [label for label in draft.evaluation["options"] if label != expected]
        return ["", "I can't say.", *others, f"{expected} or {others[0]}", "none of them"]
    backwards = draft.answer[::-1]
    return ["", "I can't say.", "none", f"{draft.answer}ly", backwards * 2, "all of them"]


class FamilyChecks:
    """The tests of one family."""

    family: ModuleType
    sample: ClassVar[int] = 100  # tasks of a level whose mean size is compared

    def again(self, text: str, draft: Draft) -> Any:
        """Return the right value, found in another way than the family's."""
        raise NotImplementedError

    def size(self, draft: Draft) -> int:
        """Return how much there is to do; on average it grows with the level."""
        return len(text_of(draft))

    @pytest.mark.parametrize("level", LEVELS)
    def test_the_same_dice_make_the_same_task(self, level: int) -> None:
        assert drafts(self.family, level, 5) == drafts(self.family, level, 5)

    @pytest.mark.parametrize("level", LEVELS)
    def test_two_hundred_tasks_differ(self, level: int) -> None:
        made: set[str] = set()
        index = 0
        while len(made) < DIFFERENT and index < 2 * DIFFERENT:
            dice = random.Random(f"checks/{self.family.NAME}/{level}/{index}")
            made.add(text_of(self.family.make(dice, level)))
            index += 1
        assert len(made) == DIFFERENT

    def test_levels_differ_and_grow(self) -> None:
        levels = [drafts(self.family, level, self.sample) for level in LEVELS]
        texts = [{text_of(draft) for draft in level} for level in levels]
        assert len(set().union(*texts)) == sum(map(len, texts))
        sizes = [sum(map(self.size, level)) for level in levels]
        assert sizes == sorted(set(sizes))

    def test_prompts_are_short(self) -> None:
        for level in (1, 2, 3):
            for draft in drafts(self.family, level, FEW):
                assert len(_TOKEN.findall(task_of(draft, level).prompt)) <= LONGEST

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("level", (1, 2, 3))
    def test_right_answers_pass(self, level: int, form: str) -> None:
        for draft in drafts(self.family, level, 5):
            assert passes(draft, form.format(draft.answer))

    @pytest.mark.parametrize("level", (1, 2, 3))
    def test_wrong_answers_fail(self, level: int) -> None:
        for draft in drafts(self.family, level, 10):
            wrong = wrong_answers(draft)
            assert len(wrong) >= 5
            assert not [answer for answer in wrong if passes(draft, answer)]

    @pytest.mark.parametrize("level", LEVELS)
    def test_answers_are_right(self, level: int) -> None:
        self._agrees(level, FEW)

    @pytest.mark.slow
    @pytest.mark.parametrize("level", LEVELS)
    def test_a_thousand_answers_are_right(self, level: int) -> None:
        self._agrees(level, MANY)

    def _agrees(self, level: int, count: int) -> None:
        for draft in drafts(self.family, level, count):
            found = self.again(text_of(draft), draft)
            assert found == draft.evaluation["expected"], text_of(draft)
            assert draft.answer == answer_of(draft.evaluation), text_of(draft)


def answer_of(evaluation: dict[str, Any]) -> str:
    """Return what a right answer looks like for a grader."""
    expected = evaluation["expected"]
    if evaluation["type"] == "json":
        return json.dumps(expected)
    return str(expected)
