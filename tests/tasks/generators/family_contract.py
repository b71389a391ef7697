"""What every family of generated tasks has to keep, as tests that a family's own class inherits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import ModuleType
from typing import Any, ClassVar

import pytest

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.grading import observations
from orket_lib.tasks.grading.graders import judge
from orket_lib.tasks.task import StructuredTask

LEVELS = (1, 2, 3, 4, 5, 6)
CHAT: dict[str, Callable[[str], str]] = {
    "bare": lambda answer: answer,
    "newline": lambda answer: f"{answer}\n",
    "fence": lambda answer: f"```\n{answer}\n```",
    "thinking": lambda answer: f"<think>\nLet me see.\n</think>\n\n{answer}",
    "bold": lambda answer: f"**{answer}**",
    "period": lambda answer: f"{answer}.",
    "answer is": lambda answer: f"The answer is {answer}.",
    "label": lambda answer: f"Answer: {answer}",
    "quoted": lambda answer: f'"{answer}"',
    "sentence": lambda answer: f"Sure! Here is the result: {answer}",
}
# Forms in which a text stays as it is to the byte, for answers whose form is what is asked.
VERBATIM = ("bare", "newline", "fence", "thinking", "blank")
CHAT["blank"] = lambda answer: f"\n\n  {answer}  \n"


def drafts(family: ModuleType, level: int, count: int) -> Iterator[Draft]:
    """Yield tasks, each of dice of its own."""
    for index in range(count):
        yield _draft(family, level, index)


@lru_cache(maxsize=2000)
def _draft(family: ModuleType, level: int, index: int) -> Draft:
    made: Draft = family.make(random.Random(f"7/{family.NAME}/{level}/{index}"), level)
    return made


def task_of(draft: Draft, level: int = 1) -> StructuredTask:
    """Return the task that a draft becomes."""
    content = {"id": 1, "tier": level, "category": "text", "problem": draft.problem}
    content |= {"instruction": draft.instruction, "evaluation": draft.evaluation}
    return StructuredTask.model_validate(content)


def shown(draft: Draft) -> str:
    """Return what a model gets of a draft before the sentence on the form."""
    return f"{draft.problem}\n{draft.instruction}"


class FamilyContract:
    """Tests of one family; a subclass names it and solves its tasks in another way."""

    family: ModuleType
    forms: ClassVar[tuple[str, ...]] = tuple(form for form in CHAT if form != "blank")
    refused: ClassVar[frozenset[str]] = frozenset()  # forms that the graders do not read yet

    def agrees(self, draft: Draft) -> bool:
        """Tell whether a second way comes to the answer of a task."""
        raise NotImplementedError

    def passes(self, draft: Draft, level: int, answer: str) -> bool:
        """Tell whether the graders accept an answer."""
        return judge(task_of(draft, level), answer).passed

    def wrong(self, draft: Draft) -> list[str]:
        """Return at least five wrong answers."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _patterns_in_this_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def call(function: Callable[..., Any], **arguments: Any) -> Any:
            return function(**arguments)

        monkeypatch.setattr(observations, "call_limited", call)

    @pytest.mark.parametrize("level", LEVELS)
    def test_the_same_dice_make_the_same_task(self, level: int) -> None:
        before = list(drafts(self.family, level, 5))
        _draft.cache_clear()
        assert list(drafts(self.family, level, 5)) == before

    def test_levels_differ(self) -> None:
        seen = [{shown(one) for one in drafts(self.family, level, 50)} for level in LEVELS]
        assert len(set().union(*seen)) > 0.9 * sum(map(len, seen))

    @pytest.mark.parametrize("level", LEVELS)
    def test_there_are_many_tasks_and_prompts_are_short(self, level: int) -> None:
        made = list(drafts(self.family, level, 210))
        assert len(set(map(shown, made))) >= 200
        prompts = [task_of(one, level).prompt for one in made[:20]]
        if level <= 3:
            assert max(map(len, prompts)) <= 1200  # characters, of which a token has about 3.5
        assert self.family.NAME.isidentifier()
        assert self.family.SUMMARY

    @pytest.mark.parametrize("level", LEVELS)
    def test_its_own_answer_passes(self, level: int) -> None:
        for draft in drafts(self.family, level, 20):
            assert self.passes(draft, level, draft.answer), draft

    @pytest.mark.parametrize("form", CHAT)
    def test_right_answers_pass_in_many_forms(
        self, form: str, request: pytest.FixtureRequest
    ) -> None:
        if form not in self.forms:
            pytest.skip("form is part of what is asked")
        if form in self.refused:
            reason = "content and form apart"
            request.applymarker(pytest.mark.xfail(strict=False, reason=reason))
        for level in LEVELS[:3]:
            for draft in drafts(self.family, level, 5):
                assert self.passes(draft, level, CHAT[form](draft.answer)), draft

    @pytest.mark.parametrize("level", LEVELS)
    def test_wrong_answers_fail_in_many_forms(self, level: int) -> None:
        for draft in drafts(self.family, level, 4):
            answers = self.wrong(draft)
            assert len(set(answers)) >= 5
            for answer in (*answers, "", "I don't know."):
                for form in ("bare", "bold", "answer is"):
                    assert not self.passes(draft, level, CHAT[form](answer)), answer

    @pytest.mark.parametrize("level", LEVELS)
    def test_a_second_way_agrees(self, level: int) -> None:
        for draft in drafts(self.family, level, 50):
            assert self.agrees(draft), draft

    @pytest.mark.slow
    @pytest.mark.parametrize("level", LEVELS)
    def test_a_second_way_agrees_on_a_thousand(self, level: int) -> None:
        for draft in drafts(self.family, level, 1000):
            assert self.agrees(draft), draft
