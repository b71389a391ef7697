"""Text editing: each rule done again on the text itself, as the prompt states it."""

from __future__ import annotations

import re

from family_contract import FamilyContract

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.language import text_editing


def edited(text: str, rule: str) -> str:
    """Return a text after one rule."""
    quoted = re.findall(r'"([^"]*)"', rule)
    number = int((re.search(r"\d+", rule) or ["0"])[0])
    if rule.startswith(("Replace", 'Write "')):
        new, old = quoted if rule.startswith("Write") else reversed(quoted)
        return re.sub(rf"\b{old}\b", new, text)
    if rule.startswith("Insert"):
        new, old = quoted
        pair = f"{new} {old}" if "before" in rule else f"{old} {new}"
        return re.sub(rf"\b{old}\b", pair, text)
    if "the word" in rule and rule.startswith(("Delete", "Leave")):
        return re.sub(rf"\b{quoted[0]}\b", "", text)
    if "at the end" in rule or "behind the last" in rule:
        return f"{text} {quoted[0]}"
    if "at the beginning" in rule:
        return f"{quoted[0]} {text}"
    if "everything" in rule or "all letters" in rule:
        return text.upper()
    if "copy it" in rule.lower():
        return text
    words = text.split()
    if "order of the words" in rule or "opposite order" in rule:
        return re.sub(r"\w+", lambda _: words.pop(), text)
    if "Swap the first" in rule:
        return re.sub(r"^(\w+) (.*) (\w+)$", r"\3 \2 \1", text)
    if "last word to the front" in rule:
        return re.sub(r"^(.*) (\w+)$", r"\2 \1", text)
    if re.match(r"Delete the \d", rule):
        del words[number - 1]
    elif "exactly two vowels" in rule:
        words = [one.upper() if len(re.findall("[aeiou]", one)) == 2 else one for one in words]
    elif "of exactly" in rule:
        left = [word for word in words if not re.fullmatch(rf"\w{{{number}}}", word)]
        words = left
    elif "backwards" in rule:
        words[number - 1] = "".join(reversed(words[number - 1]))
    elif "each pair" in rule:
        return re.sub(r"(\w+) (\w+)", r"\2 \1", text)
    elif "first" in rule and "to the end" in rule:
        for _ in range(number):
            words.append(words.pop(0))
    elif "capitals, beginning" in rule:
        words[number - 1 :: number] = [word.upper() for word in words[number - 1 :: number]]
    elif "begins with" in rule:
        return re.sub(rf"\b{quoted[0]}\w*", lambda match: match[0].upper(), text)
    elif "first letter as a capital" in rule:
        return re.sub(rf"\b\w(?=\w{{{number - 1},}})", lambda match: match[0].upper(), text)
    else:
        raise AssertionError(rule)
    return " ".join(words)


class TestTextEditing(FamilyContract):
    family = text_editing

    def agrees(self, draft: Draft) -> bool:
        text = draft.problem
        for line in draft.instruction.splitlines()[1:-1]:
            text = " ".join(edited(text, re.sub(r"^\d\. ", "", line)).split())
        return text == draft.answer

    def wrong(self, draft: Draft) -> list[str]:
        words = draft.answer.split()
        swapped = [words[1], words[0], *words[2:]] if words[0] != words[1] else words[1:]
        strict = "ignore_case" not in draft.evaluation
        first_case = draft.answer.swapcase() if strict else f"{draft.answer}x"
        return [" ".join(words[:-1]), " ".join([*words, "indeed"]), " ".join(swapped),
                first_case, f"{draft.answer} or {draft.answer} again"]  # fmt: skip
