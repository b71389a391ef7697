"""Spelling: each step done again on lists of letters, as the prompt states it."""

from __future__ import annotations

import re
from collections import deque

from family_contract import FamilyContract

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.language import spelling

NEXT_VOWEL = {"a": "e", "e": "i", "i": "o", "o": "u", "u": "a"}


def step(said: str, letters: list[str]) -> list[str]:
    """Return the letters after one step."""
    number = int((re.search(r"\d+", said) or ["0"])[0])
    half, rest = divmod(len(letters), 2)
    if "first letter?" in said or "its first letter" in said:
        return letters[:1]
    if "last letter?" in said or "its last letter" in said:
        return [letters.pop()]
    if "2nd, 4th" in said:
        for place in range(1, len(letters), 2):
            letters[place] = letters[place].upper()
    elif "capital" in said:
        return [chr(ord(letter) - 32) for letter in letters]
    elif ("letter." in said and "Write its" in said) or "Which letter" in said:
        return [letters[number - 1]]
    elif "backwards" in said or "reverse" in said:
        letters.reverse()
    elif "vowel" in said or "Leave out" in said:
        return [letter for letter in letters if letter not in NEXT_VOWEL]
    elif "Swap the first and" in said:
        letters[0], letters[-1] = letters[-1], letters[0]
    elif "twice" in said:
        return re.findall(".", re.sub("(.)", r"\1\1", "".join(letters)))
    elif "alphabet (" in said:
        return [chr((ord(letter) - 97 + number) % 26 + 97) for letter in letters]
    elif "alphabetically" in said or "from a to z" in said:
        letters.sort()
    elif "Move the first" in said:
        turned = deque(letters)
        turned.rotate(-number)
        return list(turned)
    elif "halves" in said:
        return letters[-(half + rest) :] + letters[:half]
    else:
        assert "Change each a" in said, said
        return [NEXT_VOWEL.get(letter, letter) for letter in letters]
    return letters


def solve(problem: str, instruction: str) -> str:
    """Return the answer to a task, from its prompt alone."""
    quoted = re.findall(r'"([^"]+)"', instruction)
    if "same forwards" in instruction or "palindrome" in instruction:
        (found,) = (one for one in problem.split() if list(one) == list(reversed(one)))
        return found[len(found) // 2 + 1 :].upper()
    if problem:
        place = int((re.search(r"(\d+)[a-z]", instruction) or ["", "1"])[1])
        return "".join(word[place - 1] for word in problem.split())
    if "in turns" in instruction:
        letters = [letter for pair in zip(*quoted[:2], strict=True) for letter in pair]
        for said in instruction.split(". ")[1:-1]:
            letters = step(f"{said}.", letters)
        return "".join(letters)
    letters = list("".join(quoted))
    lines = [line for line in instruction.splitlines() if re.match(r"\d\. ", line)]
    for line in [line.partition(" ")[2] for line in lines] or [instruction]:
        letters = step(line, letters)
    return "".join(letters)


class TestSpelling(FamilyContract):
    family = spelling

    def agrees(self, draft: Draft) -> bool:
        return solve(draft.problem, draft.instruction) == draft.answer

    def wrong(self, draft: Draft) -> list[str]:
        right = draft.answer
        last = "q" if right[-1] != "q" else "w"
        return [right + "x", "x" + right, right[:-1] + last, right[1:] + "??", f"{right} or {last}",
                f"not {right}"]  # fmt: skip
