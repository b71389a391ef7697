"""Summaries: made again from the text, by splitting it in another way than it was put together."""

from __future__ import annotations

import itertools
import re

import pytest
from family_contract import LEVELS, FamilyContract, drafts, task_of
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.language import summary
from orket_lib.tasks.grading.graders import judge


def headline_fits(text: str, said: str, answer: str) -> bool:
    """Tell whether a headline keeps all that is said of it."""
    source = iter(re.findall(r"\w+", text))
    words = answer.split(" ")
    count = int(match_in(r"exactly (\d+) words", said)[1])
    wanted, unwanted = (set(re.findall(r'"(\w+)"', part))
                        for part in said.partition("text. ")[2].split(";"))  # fmt: skip
    in_order = all(any(word == one for one in source) for word in words)
    return in_order and len(words) == count and wanted <= {*words} and not unwanted & {*words}


def solve(text: str, said: str) -> str:
    """Return the one right summary."""
    sentences: list[str] = re.findall(r"[A-Z][^.]*\.", text)
    words = [re.findall(r"\w+", one) for one in sentences]
    number = int((re.search(r"\d+", said) or ["0"])[0])
    if "first sentence" in said:
        return sentences[0]
    if "last sentence" in said:
        return sentences[-1]
    if "first word of the text" in said or "comes first" in said:
        return text.split()[0]
    if "last word of the text" in said or "comes last" in said:
        return text.rstrip(".").split()[-1]
    if said.startswith("Write the first"):
        return " ".join(re.sub("[.,]", "", text).split(" ")[:number])
    if term := re.search(r'(?:mentions|says of) "(\w+)"', said):
        (one,) = (one for one in sentences if term[1] in one)
        return one
    if said.startswith("Drop"):
        return text.replace(sentences[number - 1], "").replace("  ", " ").strip()
    if said.startswith("Write only the"):
        return sentences[number - 1]
    if "alphabetical" in said:
        # The first word of a sentence may be a name, and any other word with a capital is one.
        capitals = {"Every", "Nothing", "At", "The", "In"}
        named = {next(w for w in one if w[0].isupper() and w not in capitals): one for one in words}
        return " ".join(named[name][-1] for name in sorted(named))
    if "last word of each" in said:
        return " ".join(re.findall(r"(\w+)\.", text))
    if "Take from each" in said:
        return " ".join(itertools.chain(*((one[number - 1], one[-1]) for one in words)))
    if stretch := re.search(r"the words (\d+) to (\d+)", said):
        every = re.findall(r"\w+", text)
        return " ".join(every[at - 1] for at in range(int(stretch[1]), int(stretch[2]) + 1))
    parity = int("an odd" in said)
    picked = [f"{len(one)} {one[-1]}" for one in words if len(one) % 2 == parity]
    return " ".join(reversed(picked))


class TestSummary(FamilyContract):
    family = summary

    def agrees(self, draft: Draft) -> bool:
        said = draft.instruction
        if "headline" in said:
            return headline_fits(draft.problem, said, draft.answer)
        if "fewer than" in said:
            count, term = match_in(r'fewer than (\d+) words, with the word "(\w+)"', said).groups()
            length = len(draft.problem.split())
            return term in draft.answer and len(draft.answer.split()) < int(count) == length
        return solve(draft.problem, said) == draft.answer

    def wrong(self, draft: Draft) -> list[str]:
        cut = draft.answer.split()[0]
        broken = f"no{draft.answer}" if draft.evaluation["type"] == "exact" else f"{cut}no"
        whole = f"{draft.problem} {draft.answer}"
        return [draft.problem, whole, broken, "A text about some people.", "?", "the the the"]

    @pytest.mark.parametrize("level", LEVELS[2:])
    def test_a_headline_that_is_changed_fails_as_by_counting(self, level: int) -> None:
        for draft in drafts(summary, level, 60):
            if "headline" not in draft.instruction:
                continue
            words = draft.answer.split()
            others = [words[:-1], [*words, words[-1]], [words[1], words[0], *words[2:]],
                      [*words[:2], "of", *words[3:]], [*words[:-1], "the"]]  # fmt: skip
            for one in map(" ".join, [words, *others]):
                fits = headline_fits(draft.problem, draft.instruction, one)
                assert judge(task_of(draft, level), one).passed == fits
