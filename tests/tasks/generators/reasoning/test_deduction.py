"""Clues are read back from the text; places are searched with a solver of the tests' own."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

from family_contract import GrowingFamilyContract
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.reasoning import deduction

Clue = tuple[str, str, Callable[[int, int, int], bool]]
_LESS = "shorter|younger|slower|fewer|later"
_COLOUR = "red|blue|green|yellow|black|white|brown|grey|pink|orange|purple|silver"


class TestDeduction(GrowingFamilyContract):
    family = deduction

    def again(self, text: str, draft: Draft) -> Any:
        if "JSON list" in text:
            (row,) = _rows(text)
            return row
        if " each have one " in text:
            return _excluded(text)
        if "of all?" in text:
            return _chain(text)
        facts = re.findall(rf"([A-Z]\w+) (\w+) the ({_COLOUR}) (\w+)\.", text)
        asked = match_in(rf"[wW]ho (\w+) the ({_COLOUR}) (\w+)\?", text).groups()
        (owner,) = (name for name, *rest in facts if "".join(rest) == "".join(asked))
        return owner


def _chain(text: str) -> str:
    above: dict[str, set[str]] = {}
    for one, said, two in re.findall(r"([A-Z]\w+) ([^.?]*? than) ([A-Z]\w+)\.", text):
        more, less = (two, one) if re.search(_LESS, said) else (one, two)
        above.setdefault(less, set()).add(more)
        above.setdefault(more, set())
    tops = [name for name in above if not above[name]]
    bottoms = [name for name in above if not any(name in others for others in above.values())]
    asked = match_in(r"Who ([^?]*) of all", text)[1]
    wanted = bottoms if re.search("shortest|youngest|slowest|fewest|latest", asked) else tops
    (name,) = wanted
    return name


def _excluded(text: str) -> str:
    people: tuple[str, ...] = match_in(r"^(\w+), (\w+) and (\w+) each", text).groups()
    colours: list[str] = re.findall(rf"\ban? ({_COLOUR})\b", text)
    assert len(colours) == 3
    barred = set(re.findall(r"(\w+) does not have the (\w+) one", text))
    for name, first, second in re.findall(r"(\w+) has neither the (\w+) nor the (\w+) one", text):
        barred |= {(name, first), (name, second)}
    wanted: str
    (wanted,) = re.findall(_COLOUR, text.rsplit(" one. ", 1)[1])
    allowed = [
        dict(zip(colours, owners, strict=True))
        for owners in permutations(people)
        if not set(zip(owners, colours, strict=True)) & barred
    ]
    (owners,) = allowed
    return owners[wanted]


def _rows(text: str) -> Iterator[list[str]]:
    """Yield every row that the clues allow, one place after the other."""
    first, *clues, _ = text.split("\n")
    listed = match_in(r"((?:[A-Z]\w+, )+[A-Z]\w+) and ([A-Z]\w+)", first)
    town = match_in(r"[Ii]n ([A-Z]\w+)", first)[1]
    names = [name for name in [*listed[1].split(", "), listed[2]] if name != town]
    assert str(len(names)) in first
    yield from _placed({}, names, [_read(clue) for clue in clues], len(names))


def _placed(
    at: dict[str, int], names: list[str], clues: list[Clue], count: int
) -> Iterator[list[str]]:
    if not all(_allows(clue, at, count) for clue in clues):
        return
    if len(at) == count:
        yield sorted(at, key=lambda name: at[name])
        return
    for name in names:
        if name not in at:
            yield from _placed({**at, name: len(at) + 1}, names, clues, count)


def _read(clue: str) -> Clue:
    """Return the people of a clue and the distances and places that it allows."""
    first, *second = (word for word in re.findall(r"[A-Z]\w+", clue) if word != "The")
    if "neither end" in clue:
        return first, first, lambda one, two, count: one not in (1, count)
    if found := re.search(r"not number (\d+)", clue):
        return first, first, lambda one, two, count: one != int(found[1])
    if "left of" in clue:
        return first, second[0], lambda one, two, count: two - one > 0
    if "neighbours" in clue:
        near = "not" not in clue
        return first, second[0], lambda one, two, count: (one - two in (1, -1)) == near
    apart = int(match_in(r"is (\d+)", clue)[1]) + 1
    return first, second[0], lambda one, two, count: one - two in (apart, -apart)


def _allows(clue: Clue, at: dict[str, int], count: int) -> bool:
    """Tell whether a clue may hold yet."""
    first, second, holds = clue
    return first not in at or second not in at or holds(at[first], at[second], count)


def test_no_clue_is_one_too_many() -> None:
    for index in range(5):
        draft = deduction.make(random.Random(f"clues/{index}"), 3)
        lines = draft.instruction.split("\n")
        for place in range(1, len(lines) - 1):
            fewer = "\n".join(lines[:place] + lines[place + 1 :])
            assert len(list(_rows(fewer))) > 1
        assert json.loads(draft.answer) == draft.evaluation["expected"]
