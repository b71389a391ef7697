"""Labels are found again by reading the rules of the prompt."""

from __future__ import annotations

import re
from typing import Any

from family_contract import GrowingFamilyContract
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.reasoning import classification

_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_GOOD = re.compile("love|wonderful|Great|perfectly|happy|best")
_BAD = re.compile("hate|terrible|Awful|broke|angry|worst")
_KINDS = {
    "animal": "cat dog horse cow goat duck goose owl fox wolf bear deer rabbit mouse frog lizard "
    "crow pigeon sheep donkey parrot turtle hamster spider hedgehog squirrel",
    "food": "pancake omelette salad cake sausage noodle pudding muffin waffle pizza biscuit pie "
    "sandwich burger dumpling pretzel bagel croissant crumpet doughnut",
    "tool": "drill saw wrench sickle chisel shovel rake ladder screwdriver crowbar spanner axe "
    "trowel hacksaw sander mallet hoe pickaxe anvil clamp",
}


class TestClassification(GrowingFamilyContract):
    family = classification

    def again(self, text: str, draft: Draft) -> Any:
        if "first rule that fits" in text:
            return _messages(text)
        if "The label is" in text:
            return _scale(text)
        if "animal" in text:
            (word,) = re.findall(r"(?:an?|word) (?!picture|food|tool)(\w+)(?=[:.]| under)", text)
            (kind,) = (kind for kind, words in _KINDS.items() if word in words.split())
            return kind
        good, bad = len(_GOOD.findall(text)), len(_BAD.findall(text))
        assert (good == 0) != (bad == 0)
        return "positive" if good else "negative"


def _scale(text: str) -> str:
    rule, said = text.split("\n\n")
    low, low2, high, high2 = map(int, re.findall(r"\d+", rule))
    assert (low, high) == (low2, high2)
    labels = re.findall(r"(\w+) for (?:less|\d+|more)", rule)
    (value,) = map(int, re.findall(r"\d+", said))
    assert len(labels) == 3
    return str(labels[(value >= low) + (value > high)])


def _messages(text: str) -> list[str]:
    rules = re.findall(r"^\d+\. (.+): (\w+)$", text, re.MULTILINE)
    said = re.findall(r"^- (.+)$", text, re.MULTILINE)
    return [next(label for rule, label in rules if _fits(rule, one)) for one in said]


def _fits(rule: str, said: str) -> bool:
    if rule == "any other message":
        return True
    for word, joined in ((" but not ", "and not"), (" and ", "and"), (" or ", "or")):
        if len(parts := re.split(rf"{word}(?=from|about|dated)", rule)) == 2:
            left, right = (_part(part, said) for part in parts)
            return {"and not": left and not right, "and": left and right}.get(joined, left or right)
    raise ValueError(rule)


def _part(rule: str, said: str) -> bool:
    if more := re.search(r"(\d+) or more", rule):
        return int(match_in(r"\d+", said)[0]) >= int(more[1])
    return rule.split()[-1] in re.findall(r"\w+", said)
