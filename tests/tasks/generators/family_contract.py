"""What every family of generated tasks has to keep, as tests that a family's own class inherits."""

from __future__ import annotations

import json
import random
from types import ModuleType
from typing import Any, ClassVar

import pytest
from task_forms import match_in_this_process

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.task import StructuredTask

LEVELS = (1, 2, 3, 4, 5, 6)
DIFFERENT, FEW, MANY = 200, 50, 1000
LONGEST = 1200  # characters of a prompt up to level 3, of which a token has about 3.5
# Forms of real chat models. In the first ones a text stays as it is to the byte, which is what
# tasks need whose form is part of what they ask.
VERBATIM = ("bare", "newline", "fence", "thinking", "blank")
FORMS = {
    "bare": "{}",
    "newline": "{}\n",
    "fence": "```\n{}\n```",
    "thinking": "<think>\nLet me see.\n</think>\n\n{}",
    "blank": "\n\n  {}  \n",
    "bold": "**{}**",
    "period": "{}.",
    "answer is": "The answer is {}.",
    "label": "Answer: {}",
    "quoted": '"{}"',
    "sentence": "Sure! Here is the result: {}",
    "final": "Let me look at it again.\n\nFinal answer: **{}**",
}


def drafts(family: ModuleType, level: int, count: int) -> list[Draft]:
    """Return tasks, each of dice of its own, as the bank draws them."""
    return [
        family.make(random.Random(f"checks/{family.NAME}/{level}/{index}"), level)
        for index in range(count)
    ]


def task_of(draft: Draft, level: int = 1) -> StructuredTask:
    """Return the task as a bank holds it."""
    content = {"id": 1, "tier": level, "category": "text", "problem": draft.problem}
    content |= {"instruction": draft.instruction, "evaluation": draft.evaluation}
    return StructuredTask.model_validate(content)


def text_of(draft: Draft) -> str:
    """Return what a model reads of a task, without the form of the answer."""
    return f"{draft.problem}\n\n{draft.instruction}".strip()


def wrong_answers(draft: Draft) -> list[str]:
    """Return answers that are wrong whatever a grader forgives."""
    expected, kind = draft.evaluation["expected"], draft.evaluation["type"]
    if kind == "number":
        values = [expected + 1, expected - 1, expected * 10 + 3, -expected - 7]
        return [f"{expected} or {expected + 1}", *map(str, values)]
    if kind == "json":
        return ["{}", "[]", "null", json.dumps([expected, expected]), '"none"']
    if kind == "label":
        others = [label for label in draft.evaluation["labels"] if label != expected]
        return [
            *others,
            f"{expected} or {others[0]}",
            "none",
            f"{expected}ly",
            "all",
            f"un{expected}",
        ]
    return ["none", f"{draft.answer}ly", draft.answer[::-1] * 2, "all of them", draft.answer[:-1]]


def answer_of(evaluation: dict[str, Any]) -> str:
    """Return what a right answer looks like for a grader."""
    expected = evaluation["expected"]
    return json.dumps(expected) if evaluation["type"] == "json" else str(expected)


class FamilyContract:
    """Tests of one family; a subclass names it and solves its tasks in another way."""

    family: ModuleType
    forms: ClassVar[tuple[str, ...]] = tuple(FORMS)

    def again(self, text: str, draft: Draft) -> Any:
        """Return the right value, found in another way than the family's."""
        raise NotImplementedError

    def agrees(self, draft: Draft) -> bool:
        """Tell whether a second way comes to the answer of a task."""
        found = self.again(text_of(draft), draft)
        expected = draft.evaluation["expected"]
        return bool(found == expected) and draft.answer == answer_of(draft.evaluation)

    def passes(self, draft: Draft, level: int, answer: str) -> bool:
        """Tell whether the graders accept an answer."""
        return judge(task_of(draft, level), answer).passed

    def wrong(self, draft: Draft) -> list[str]:
        """Return at least five wrong answers."""
        return wrong_answers(draft)

    @pytest.fixture(autouse=True)
    def _patterns_in_this_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        match_in_this_process(monkeypatch)

    @pytest.mark.parametrize("level", LEVELS)
    def test_the_same_dice_make_the_same_task(self, level: int) -> None:
        assert drafts(self.family, level, 5) == drafts(self.family, level, 5)

    def test_levels_differ(self) -> None:
        seen = [{text_of(one) for one in drafts(self.family, level, FEW)} for level in LEVELS]
        assert len(set().union(*seen)) > 0.9 * sum(map(len, seen))

    @pytest.mark.parametrize("level", LEVELS)
    def test_there_are_many_tasks_and_prompts_are_short(self, level: int) -> None:
        made = drafts(self.family, level, 2 * DIFFERENT)
        assert len(set(map(text_of, made))) >= DIFFERENT
        if level <= 3:
            assert max(len(task_of(one, level).prompt) for one in made[:FEW]) <= LONGEST
        assert self.family.NAME.isidentifier()
        assert self.family.SUMMARY

    @pytest.mark.parametrize("level", LEVELS)
    def test_its_own_answer_passes(self, level: int) -> None:
        for draft in drafts(self.family, level, 20):
            assert self.passes(draft, level, draft.answer), draft

    def test_right_answers_pass_in_many_forms(self) -> None:
        assert len(self.forms) >= 4
        for level in LEVELS[:3]:
            for draft in drafts(self.family, level, 8):
                verbatim = draft.evaluation.get("form_counts")
                for form in VERBATIM if verbatim else self.forms:
                    answer = FORMS[form].format(draft.answer)
                    assert self.passes(draft, level, answer), (form, draft)

    @pytest.mark.parametrize("level", LEVELS)
    def test_wrong_answers_fail_in_many_forms(self, level: int) -> None:
        for draft in drafts(self.family, level, 4):
            answers = self.wrong(draft)
            assert len(set(answers)) >= 5
            for answer in (*answers, "", "I don't know."):
                for form in ("bare", "bold", "answer is"):
                    said = FORMS[form].format(answer)
                    assert not self.passes(draft, level, said), (said, draft)

    @pytest.mark.parametrize("level", LEVELS)
    def test_a_second_way_agrees(self, level: int) -> None:
        for draft in drafts(self.family, level, FEW):
            assert self.agrees(draft), draft

    @pytest.mark.slow
    @pytest.mark.parametrize("level", LEVELS)
    def test_a_second_way_agrees_on_a_thousand(self, level: int) -> None:
        for draft in drafts(self.family, level, MANY):
            assert self.agrees(draft), draft


class GrowingFamilyContract(FamilyContract):
    """A family of whose tasks the size can be told."""

    sample: ClassVar[int] = 100  # tasks of a level whose mean size is compared

    def size(self, draft: Draft) -> int:
        """Return how much there is to do; on average it grows with the level."""
        return len(text_of(draft))

    def test_levels_grow(self) -> None:
        sizes = [sum(map(self.size, drafts(self.family, level, self.sample))) for level in LEVELS]
        assert sizes == sorted(set(sizes))
