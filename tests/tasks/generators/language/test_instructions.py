"""Instructions: rules read from the prompt and checked by plain counting, against the pattern."""

from __future__ import annotations

import random
import re

import pytest
from family_contract import LEVELS, VERBATIM, FamilyContract, drafts, task_of

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.language import instructions
from orket_lib.tasks.grading.graders import judge


def letters_only(word: str) -> str:
    return "".join(one for one in word if one.isalpha()).lower()


def keeps(rule: str, text: str) -> bool:
    """Tell whether a text keeps one rule, as the rule is worded."""
    words, lines = text.split(), text.split("\n")
    bare = [letters_only(word) for word in words]
    quoted: list[str] = re.findall(r'"([^"]*)"', rule)
    numbers = [int(one) for one in re.findall(r"\d+", rule)]
    if rule.startswith("Write nothing but"):
        return text.lower() == " ".join(quoted * numbers[0])
    if rule.startswith("Write it as one question"):
        return text.count("?") == 1 and text.endswith("?") and quoted[0] in bare
    if rule.startswith("Use the word"):
        return quoted[0] in bare
    if "first word is" in rule:
        return bare[0] == quoted[0].lower()
    if rule.startswith("The last word is"):
        return bare[-1] == quoted[0]
    if rule.startswith("The text has exactly"):
        return len(words) == numbers[0]
    if "sentences" in rule:
        parts = text.split(".")
        full = all(any(map(str.isalpha, one)) for one in parts[:-1])
        full &= all(one[:1].isspace() for one in parts[1:-1])
        return len(parts) == numbers[0] + 1 and not parts[-1] and full
    if "no capital" in rule:
        return text == text.lower()
    if "capital letters only" in rule:
        return text == text.upper() and any(map(str.isalpha, text))
    if "does not occur" in rule:
        return quoted[0] not in text.lower()
    if "only letters and spaces" in rule:
        return text.replace(" ", "").isalpha() and text.isascii()
    if place := re.match(r"The (\d+)\w\w word is", rule):
        return len(bare) >= int(place[1]) and bare[int(place[1]) - 1] == quoted[0]
    if "lines that each begin" in rule:
        right = all(line.startswith("- ") and line[2:].strip() for line in lines)
        each = numbers[1] if len(numbers) > 1 else None
        counts = {len(line.split()) - 1 for line in lines}
        return right and len(lines) == numbers[0] and each in (None, *counts) and (
            each is None or len(counts) == 1)  # fmt: skip
    if line := re.match(r"The last word of line (\d+)", rule):
        at = int(line[1]) - 1
        return at < len(lines) and lines[at].split()[-1].lower() == quoted[0]
    if "first letters of the words" in rule:
        return "".join(word[0] for word in words) == quoted[0]
    if "No word has more" in rule:
        return max(map(len, words)) <= numbers[0]
    if "The last word has" in rule:
        return len(words[-1]) == numbers[0]
    raise AssertionError(rule)


def rules_of(draft: Draft) -> list[str]:
    lines = [line[2:] for line in draft.instruction.splitlines() if line.startswith("- ")]
    return lines or [re.split(r"(?<=[a-z][.]) ", draft.instruction, maxsplit=1)[1]]


def changed(dice: random.Random, text: str) -> str:
    """Return a text with one thing changed."""
    words = text.split(" ")
    at = dice.randrange(len(words))
    other = dice.choice(["violet", "Lake", "quay", f"{words[at]}e", words[at].swapcase()])
    ways = [
        words[:at] + words[at + 1 :],
        [*words[:at], other, *words[at:]],
        [*words[:at], other, *words[at + 1 :]],
        words[::-1],
    ]
    return " ".join(dice.choice(ways))


class TestInstructions(FamilyContract):
    family = instructions
    forms = VERBATIM

    def agrees(self, draft: Draft) -> bool:
        rules = rules_of(draft)
        pattern = re.compile(draft.evaluation["pattern"], re.DOTALL)
        dice = random.Random(draft.answer)
        texts = [one for _ in range(6) if (one := changed(dice, draft.answer).strip()).strip("- ")]
        kept = [all(keeps(rule, one) for rule in rules) for one in (draft.answer, *texts)]
        matched = [bool(pattern.fullmatch(one)) for one in (draft.answer, *texts)]
        return kept[0] and kept == matched

    def wrong(self, draft: Draft) -> list[str]:
        return ["no", "It is what it is.", "Really?", draft.answer[::-1], "so " * 40]

    @pytest.mark.parametrize("level", LEVELS[1:])
    def test_a_sentence_around_the_text_breaks_a_hard_rule(self, level: int) -> None:
        for draft in drafts(instructions, max(3, level), 10):
            answer = f"Sure, here is the text: {draft.answer}"
            assert not judge(task_of(draft, level), answer).passed
