"""Clues are read back from the text; places are searched with a solver of the tests' own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from family_checks import FamilyChecks

from orket_lib.tasks.families import deduction
from orket_lib.tasks.families.drafts import Draft

_LESS = "shorter|younger|slower|fewer|later"
_COLOUR = "red|blue|green|yellow|black|white|brown|grey|pink|orange|purple|silver"
_OWNED = re.compile(rf"(?:(\w+) (?:has|owns|took) )?[Tt]he ({_COLOUR}) \w+(?:.*?(\w+)(?:'s)?)?\.")


class TestDeduction(FamilyChecks):
    family = deduction

    def again(self, text: str, draft: Draft) -> Any:
        if "JSON list" in text:
            (row,) = _rows(text)
            return row
        if " each have one " in text:
            return _excluded(text)
        if "of all?" in text:
            return _chain(text)
        (colour,) = re.findall(_COLOUR, re.split(r"(?<=\.) ", text, maxsplit=2)[2])
        (owner,) = (
            found[1] or found[3] for found in _OWNED.finditer(text) if found[2] == colour
        )
        return owner


def _chain(text: str) -> str:
    above: dict[str, set[str]] = {}
    for one, said, two in re.findall(r"([A-Z]\w+) ([^.?]*? than) ([A-Z]\w+)\.", text):
        more, less = (two, one) if re.search(_LESS, said) else (one, two)
        above.setdefault(less, set()).add(more)
        above.setdefault(more, set())
    tops = [name for name in above if not above[name]]
    bottoms = [name for name in above if not any(name in others for others in above.values())]
    asked = re.search(r"Who ([^?]*) of all", text)[1]
    wanted = bottoms if re.search("shortest|youngest|slowest|fewest|latest", asked) else tops
    (name,) = wanted
    return name


def _excluded(text: str) -> str:
    people = re.match(r"(\w+), (\w+) and (\w+) each", text).groups()
    colours = re.findall(rf"\ban? ({_COLOUR})\b", text)
    assert len(colours) == 3
    barred = set()
    for name, first, second in re.findall(r"(\w+) has neither the (\w+) nor the (\w+) one", text):
        barred |= {(name, first), (name, second)}
    barred |= set(re.findall(r"(\w+) does not have the (\w+) one", text))
    (wanted,) = re.findall(_COLOUR, text.rsplit(" one. ", 1)[1])
    owners = {
        a
        for a in people
        for b in people
        for c in people
        if len({a, b, c}) == 3
        and not {(a, wanted), *zip((b, c), [one for one in colours if one != wanted])} & barred
    }
    (owner,) = owners
    return owner


def _rows(text: str) -> Iterator[list[str]]:
    """Yield every row that the clues allow, one place after the other."""
    first, *clues, _ = text.split("\n")
    listed = re.search(r"((?:[A-Z]\w+, )+[A-Z]\w+) and ([A-Z]\w+)", first)
    town = re.search(r"[Ii]n ([A-Z]\w+)", first)[1]
    names = [name for name in [*listed[1].split(", "), listed[2]] if name != town]
    assert str(len(names)) in first
    yield from _placed({}, names, clues, len(names))


def _placed(
    at: dict[str, int], names: list[str], clues: list[str], count: int
) -> Iterator[list[str]]:
    if not all(_allows(clue, at, count) for clue in clues):
        return
    if len(at) == count:
        yield sorted(at, key=lambda name: at[name])
        return
    for name in names:
        if name not in at:
            yield from _placed({**at, name: len(at) + 1}, names, clues, count)


def _allows(clue: str, at: dict[str, int], count: int) -> bool:
    """Tell whether a clue may hold yet."""
    named = [word for word in re.findall(r"[A-Z]\w+", clue) if word != "The"]
    if any(name not in at for name in named):
        return True
    if "neither end" in clue:
        return at[named[0]] not in (1, count)
    if found := re.search(r"not number (\d+)", clue):
        return at[named[0]] != int(found[1])
    distance = at[named[1]] - at[named[0]]
    if "left of" in clue:
        return distance > 0
    if "not neighbours" in clue:
        return abs(distance) > 1
    if "neighbours" in clue:
        return abs(distance) == 1
    return abs(distance) == int(re.search(r"is (\d+)", clue)[1]) + 1


def test_no_clue_is_one_too_many() -> None:
    import random

    for index in range(5):
        draft = deduction.make(random.Random(f"clues/{index}"), 3)
        lines = draft.instruction.split("\n")
        for place in range(1, len(lines) - 1):
            fewer = "\n".join(lines[:place] + lines[place + 1 :])
            assert len(list(_rows(fewer))) > 1
        assert json.loads(draft.answer) == draft.evaluation["expected"]
