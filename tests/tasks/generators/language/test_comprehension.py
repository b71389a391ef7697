"""Comprehension: questions answered by looking backwards through the sentences of the story."""

from __future__ import annotations

import re

from family_contract import FamilyContract
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.language import comprehension

GO = re.compile(r"(?:Then )?(\w+) (?:goes|walks|moves) to the (\w+)")
START = re.compile(r"(?:The )?(\w+) is in the (\w+)")
TAKE = re.compile(r"(\w+) (?:picks up|takes) the (\w+)")
DROP = re.compile(r"(\w+) (?:puts down|leaves) the (\w+)")
GIVE = re.compile(r"(\w+) (?:hands|gives) the (\w+) to (\w+)")


def whereabouts(lines: list[str], who: str) -> str:
    """Return where a person or a thing that was never carried is after some sentences."""
    for line in reversed(lines):
        for pattern in (GO, START):
            if (found := pattern.match(line)) and found[1] == who:
                return found[2]
    raise AssertionError(who)


def holder(lines: list[str], thing: str) -> str | None:
    """Return who has a thing in hand after some sentences."""
    for line in reversed(lines):
        if f"the {thing}" not in line:
            continue
        if found := GIVE.match(line):
            return found[3]
        if found := TAKE.match(line):
            return found[1]
        if DROP.match(line):
            return None
    return None


def place_of(lines: list[str], thing: str) -> str:
    """Return where a thing is: with its holder, or where its last holder put it down."""
    if who := holder(lines, thing):
        return whereabouts(lines, who)
    drops = [at for at, line in enumerate(lines)
             if (found := DROP.match(line)) and found[2] == thing]  # fmt: skip
    if not drops:
        return whereabouts(lines, thing)
    return whereabouts(lines[: drops[-1]], lines[drops[-1]].split()[0])


def places_of(lines: list[str], thing: str) -> list[str]:
    """Return all places of a thing, one after the other."""
    first = next(at for at, line in enumerate(lines) if line.startswith(f"The {thing} is"))
    trail = [place_of(lines[:end], thing) for end in range(first + 1, len(lines) + 1)]
    return [one for at, one in enumerate(trail) if at == 0 or one != trail[at - 1]]


def takers_of(lines: list[str], thing: str) -> list[str]:
    """Return who got a thing, one after the other."""
    got = [GIVE.match(line) or TAKE.match(line) for line in lines]
    return [found[found.lastindex] if found.lastindex == 3 else found[1]
            for found in got if found and found[2] == thing]  # fmt: skip


def solve(story: str, question: str) -> str | None:
    """Return the answer to a question on a story."""
    lines = story.rstrip(".").split(". ")
    thing = (re.search(r"the (\w+)(?: at the end| in hand| before| directly|\?)", question) or
             ["", ""])[1]  # fmt: skip
    if "same place as" in question:
        thing = match_in(r"as the (\w+)", question)[1]
        people = {found[1] for line in lines if (found := re.match(r"([A-Z]\w+) is in", line))}
        people -= {"The"}
        (one,) = (who for who in people if whereabouts(lines, who) == place_of(lines, thing))
        return one
    if "in hand" in question:
        return holder(lines, thing)
    if "first to take" in question:
        return takers_of(lines, thing)[0]
    if "directly before" in question:
        return takers_of(lines, thing)[-2]
    if "before it came" in question:
        return places_of(lines, thing)[-2]
    if found := re.match(r"Where is the (\w+)", question):
        return place_of(lines, found[1])
    if found := re.match(r"Where is (\w+)", question):
        return whereabouts(lines, found[1])
    (name,) = re.findall(r"\b[A-Z]\w+(?= (?:live|bought|lost|work|wait|hav)|\?)", question)
    (line,) = (line for line in lines if line.startswith(name))
    return line.split()[-2] if "coat" in line else line.split()[-1]


class TestComprehension(FamilyContract):
    family = comprehension

    def agrees(self, draft: Draft) -> bool:
        return solve(draft.problem, draft.instruction) == draft.answer

    def wrong(self, draft: Draft) -> list[str]:
        words = re.findall(r"\w+", draft.problem)
        others = sorted({word for word in words if word != draft.answer and len(word) > 2})
        return [*others[:4], "nowhere", f"{draft.answer}s", "It is not said."]
