"""Impossible requests: questions that a text answers, among ones that it does not answer."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.tasks.generators.drafts import Draft, of_json, of_label
from orket_lib.tasks.generators.words import ANIMALS, COLOURS, NAMES, OBJECTS, TOWNS, distinct

NAME = "impossible"
SUMMARY = "Say UNKNOWN where the text does not give the answer, and the answer where it does."

_PEOPLE = (2, 4, 6, 7, 8, 9)  # in a text, by level
_FACTS = (2, 6, 9, 12, 15, 18)
_LINKS = (0, 0, 3, 4, 5, 6)  # facts that refer to those of another person
_ASKED = (1, 1, 4, 5, 6, 7)  # questions
_UNKNOWN = "UNKNOWN"
_RULES = (
    "If the text does not say it, answer UNKNOWN.",
    "Answer UNKNOWN when the text gives no answer.",
    "Where the text leaves it open, the answer is UNKNOWN.",
    "Use the text alone; what it does not say is UNKNOWN.",
    "Never guess: what can't be found in the text is UNKNOWN.",
)


@dataclass(frozen=True)
class _Kind:
    """Something that a person has: how it is said, shared and asked for."""

    fact: str
    shared: str
    question: str
    values: Sequence[str]


_MONTHS = ("January", "March", "April", "June", "July", "August", "October", "November")
_KINDS = (
    _Kind("{0} lives in {1}.", "{0} lives in the same town as {1}.",
          "In which town does {0} live?", TOWNS),
    _Kind("The front door of {0} is {1}.", "The front doors of {0} and {1} have the same colour.",
          "What colour is the front door of {0}?", COLOURS),
    _Kind("{0} keeps a {1} as a pet.", "{0} keeps the same kind of pet as {1}.",
          "What kind of pet does {0} keep?", ANIMALS),
    _Kind("{0} was born in {1}.", "{0} was born in the same month as {1}.",
          "In which month was {0} born?", _MONTHS),
    _Kind("{0} collects one thing: every {1} that turns up.", "{0} collects the same as {1}.",
          "What does {0} collect?", OBJECTS),
)  # fmt: skip


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    people = distinct(dice, NAMES, _PEOPLE[level - 1])
    kinds = distinct(dice, _KINDS, min(len(_KINDS), 1 + level))
    slots = [(person, kind) for person in people for kind in kinds]
    given = {slot: dice.choice(slot[1].values)
             for slot in distinct(dice, slots, min(_FACTS[level - 1], len(slots) - 1))}  # fmt: skip
    links = _links(dice, people, kinds, given, _LINKS[level - 1])
    facts = [kind.fact.format(who, value) for (who, kind), value in given.items()]
    facts += [kind.shared.format(*pair) for kind, pair in links]
    dice.shuffle(facts)
    known = dict(given)
    for _ in links:
        for kind, (one, other) in links:
            for here, there in ((one, other), (other, one)):
                if (here, kind) in known:
                    known.setdefault((there, kind), known[here, kind])
    if level < 3:
        return _one(dice, facts, slots, known)
    return _several(dice, facts, slots, given, known, _ASKED[level - 1])


_Link = tuple[_Kind, tuple[str, str]]
_Slot = tuple[str, _Kind]


def _links(
    dice: random.Random,
    people: Sequence[str],
    kinds: Sequence[_Kind],
    given: Mapping[_Slot, str],
    count: int,
) -> list[_Link]:
    """Return facts that lead from a person to another, of whom one has no value so far.

    Each begins at the end of the one before where that may be, so that chains come about.
    """
    links: list[_Link] = []
    joined: set[_Slot] = set()
    for _ in range(20 * count):
        kind = links[-1][0] if links and dice.random() < 0.6 else dice.choice(kinds)
        fresh = [one for one in people if (one, kind) not in given and (one, kind) not in joined]
        used = [one for one in people if (one, kind) in joined]
        start = used or [one for one in people if one not in fresh] or fresh
        if len(fresh) < 2 or len(links) == count:
            continue
        one = dice.choice(fresh)
        other = dice.choice([person for person in start if person != one])
        joined |= {(one, kind), (other, kind)}
        links.append((kind, (one, other)))
    return links


def _one(
    dice: random.Random, facts: list[str], slots: Sequence[_Slot], known: Mapping[_Slot, str]
) -> Draft:
    answered = dice.random() < 0.5
    # A question about a kind that the facts never mention would give UNKNOWN away.
    mentioned = {kind for _, kind in known}
    open_slots = [slot for slot in slots if slot not in known and slot[1] in mentioned]
    who, kind = dice.choice(list(known) if answered or not open_slots else open_slots)
    answer = known.get((who, kind), _UNKNOWN)
    form = dice.choice(("Answer with one word.", "One word only."))
    said = f"{kind.question.format(who)} {dice.choice(_RULES)} {form}"
    text = " ".join(facts)
    return of_label(said, answer, [*kind.values, _UNKNOWN], text, f"{text} {_UNKNOWN}")


def _several(
    dice: random.Random,
    facts: list[str],
    slots: Sequence[_Slot],
    given: Mapping[_Slot, str],
    known: Mapping[_Slot, str],
    count: int,
) -> Draft:
    """Ask several questions at once, some of which have to be concluded and some have no answer."""
    concluded = [slot for slot in slots if slot in known and slot not in given]
    open_ones = [slot for slot in slots if slot not in known]
    asked = distinct(dice, concluded, min(len(concluded), count // 2))
    asked += distinct(dice, open_ones, min(len(open_ones), dice.randint(1, count // 2)))
    rest = [slot for slot in slots if slot in given]
    asked += distinct(dice, rest, count - len(asked))
    dice.shuffle(asked)
    lines = [f"{n}. {kind.question.format(who)}" for n, (who, kind) in enumerate(asked, start=1)]
    answer = [known.get(slot, _UNKNOWN) for slot in asked]
    form = f"Write the {count} answers as a JSON list of one-word texts, in this order."
    said = "\n".join([*lines, f"{dice.choice(_RULES)} {form}"])
    return of_json(said, answer, " ".join(facts))
