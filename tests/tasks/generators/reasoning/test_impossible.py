"""Impossible requests: what is known, found by spreading values over the graph of the text."""

from __future__ import annotations

import json
import re

from family_contract import FamilyContract, drafts
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.reasoning import impossible

FACTS = {
    "town": r"(\w+) lives in (\w+)$",
    "door": r"The front door of (\w+) is (\w+)$",
    "pet": r"(\w+) keeps an? (\w+) as a pet$",
    "month": r"(\w+) was born in (\w+)$",
    "collect": r"(\w+) collects one thing: every (\w+) that turns up$",
}
SHARED = {
    "town": r"(\w+) lives in the same town as (\w+)$",
    "door": r"The front doors of (\w+) and (\w+) have the same colour$",
    "pet": r"(\w+) keeps the same kind of pet as (\w+)$",
    "month": r"(\w+) was born in the same month as (\w+)$",
    "collect": r"(\w+) collects the same as (\w+)$",
}


def group(pairs: list[list[str]], who: str) -> set[str]:
    """Return everyone who is joined with a person."""
    found = {who}
    before: set[str] = set()
    while found != before:
        before = set(found)
        for pair in pairs:
            if found & set(pair):
                found |= set(pair)
    return found


def solve(text: str, question: str) -> str:
    """Return the answer to one question."""
    lines = text.rstrip(".").split(". ")
    key = next(key for key in FACTS if key in question)
    who = match_in(r"\b(?!In|Where|What|Which)[A-Z]\w+", question)[0]
    links = [found.groups() for line in lines if (found := re.match(SHARED[key], line))]
    facts = [found.groups() for line in lines if (found := re.match(FACTS[key], line))]
    values = {value for one, value in facts if one in group(list(map(list, links)), who)}
    assert len(values) < 2
    return values.pop() if values else "UNKNOWN"


class TestImpossible(FamilyContract):
    family = impossible

    def agrees(self, draft: Draft) -> bool:
        if not draft.answer.startswith("["):
            question = draft.instruction.partition("?")[0]
            return solve(draft.problem, question) == draft.answer
        questions = re.findall(r"\d\. (.*\?)", draft.instruction)
        answers: list[str] = json.loads(draft.answer)
        return [solve(draft.problem, one) for one in questions] == answers

    def wrong(self, draft: Draft) -> list[str]:
        if draft.answer.startswith("["):
            right = json.loads(draft.answer)
            changed = [[*right[:at], "Bergen", *right[at + 1 :]] for at in range(len(right))]
            return [*map(json.dumps, [*changed, right[:-1], [*right[::-1], "UNKNOWN"]]), "UNKNOWN"]
        known = ["Bergen", "no", "I can't say.", f"{draft.answer}ish"]
        other = "Stavel, red, cat, March or lamp" if draft.answer == "UNKNOWN" else "UNKNOWN"
        return [*known, other, f"{draft.answer}, or {other}"]

    def test_another_answer_than_unknown_may_be_read_in_the_text(self) -> None:
        for one in drafts(impossible, 1, 100) + drafts(impossible, 2, 100):
            rivals = [label for label in one.evaluation["labels"] if label != "UNKNOWN"]
            assert any(label in one.problem for label in rivals)

    def test_about_half_of_the_questions_have_no_answer(self) -> None:
        unknown = sum(one.answer == "UNKNOWN" for one in drafts(impossible, 1, 400))
        assert 120 < unknown < 200
