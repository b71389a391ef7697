"""Expressions are evaluated by Python itself, stories are read sentence by sentence."""

from __future__ import annotations

import re
from fractions import Fraction

from family_contract import GrowingFamilyContract

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.numbers import arithmetic

_EXPRESSION = re.compile(r"[(\d][-+*/() \d]*[\d)]")
_CHANGES = [
    (r"gets (\d+) more|gives \w+ (\d+) more|buys (\d+) more|finds (\d+) more", "+"),
    (r"^(\d+) more arrive", "+"),
    (r"(?:gives|loses|sells|leaves) (\d+) of them|^(\d+) of them break", "-"),
    (r"(\d+) times", "*"),
    (r"among (\d+) boxes|to (\d+) people", "/"),
]


class TestArithmetic(GrowingFamilyContract):
    family = arithmetic
    sample = 500

    def again(self, text: str, draft: Draft) -> int:
        sentences = re.split(r"(?<=[.?]) ", text)
        if len(sentences) == 1:
            (expression,) = _EXPRESSION.findall(text)
            value = eval(re.sub(r"\d+", r"Fraction(\g<0>)", expression), {"Fraction": Fraction})
        else:
            value = _of_story(sentences)
        assert value == int(value)
        return int(value)


def _of_story(sentences: list[str]) -> Fraction:
    (start,) = re.findall(r"\d+", sentences[0])
    formula = start
    for sentence in sentences[1:]:
        for pattern, sign in _CHANGES:
            if found := re.search(pattern, sentence):
                change = next(group for group in found.groups() if group)
                formula = f"({formula} {sign} Fraction({change}))"
                break
    return Fraction(eval(formula, {"Fraction": Fraction}))
