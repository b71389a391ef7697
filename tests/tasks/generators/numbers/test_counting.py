"""Counting: counts made again from the text that the prompt shows."""

from __future__ import annotations

import re

from family_contract import FamilyContract
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.numbers import counting


def count(text: str, question: str) -> int:
    """Return what is asked for, by walking over the text."""
    quoted = re.findall(r'"([^"]+)"', question)
    words = [word for word in re.split(r"[ ,]+", text) if word]
    if not text:
        return sum(1 for _ in quoted[0])
    if mark := re.search(r"([*#@+%]) (?:occur|signs)", question):
        return len(re.split(re.escape(mark[1]), text)) - 1
    if "digit" in question:
        return len(re.findall("[0-9]", text))
    if "both or none" in question or "or do neither" in question:
        limit = int(match_in(r"more than (\d+)", question)[1])
        return sum(not ((quoted[0] in word) ^ (len(word) > limit)) for word in words)
    if len(quoted) == 2:
        pattern = rf"(?:{quoted[0]}\w*|\w*{quoted[1]})"
        return len([word for word in words if re.fullmatch(pattern, word)])
    if least := re.search(r"(\d+) (?:or more )?letters", question):
        return len(re.findall(rf"\b\w{{{least[1]},}}\b", text))
    if quoted and len(quoted[0]) == 1:
        return len(re.findall(quoted[0], text))
    if quoted:
        return len(re.findall(rf"\b{quoted[0]}\b", text))
    if "only once" in question or "different" in question:
        return len(dict.fromkeys(words))
    if "word" in question:
        return text.count(" ") + 1
    return text.count(",") + 1


class TestCounting(FamilyContract):
    family = counting

    def agrees(self, draft: Draft) -> bool:
        return count(draft.problem, draft.instruction) == int(draft.answer)

    def wrong(self, draft: Draft) -> list[str]:
        right = int(draft.answer)
        return [f"{right + 1}", f"{right - 1}", f"-{right}", f"{right} or {right + 2}", "many",
                f"{right}0", f"{right}.5"]  # fmt: skip
