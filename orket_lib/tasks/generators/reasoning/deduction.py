"""Who has what, who is first, and rows of people that clues leave one order for."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, permutations

from orket_lib.tasks.generators.drafts import Draft, of_json, of_label, of_level
from orket_lib.tasks.generators.words import (
    COLOURS,
    NAMES,
    THINGS,
    TOWNS,
    listing,
    singular,
    with_article,
)

NAME = "deduction"
SUMMARY = "owners, chains of comparisons, and orders that clues leave one solution for"

_OWNS = ("has", "owns", "took", "bought", "carries", "found", "painted")
_WHO = (
    "{clues} Who {owns} the {colour} {thing}?",
    "Two facts. {clues} Question: who {owns} the {colour} {thing}?",
    "In {town}, {clues} Who {owns} the {colour} {thing}?",
    "{clues} Now who {owns} the {colour} {thing}?",
    "It is known in {town}: {clues} So who {owns} the {colour} {thing}?",
)
_OWNER = (
    "Who has the {colour} {thing}? Answer with the name.",
    "Write the name of the one with the {colour} {thing}.",
    "Whose is the {colour} {thing}? Answer with the name.",
    "Name the owner of the {colour} {thing}.",
    "The {colour} {thing} is whose? Write the name.",
)
# Words for more, less, most and least of something.
_COMPARED = (
    ("is taller than", "is shorter than", "is the tallest", "is the shortest"),
    ("is older than", "is younger than", "is the oldest", "is the youngest"),
    ("runs faster than", "runs slower than", "runs the fastest", "runs the slowest"),
    (
        "has more points than",
        "has fewer points than",
        "has the most points",
        "has the fewest points",
    ),
    ("came earlier than", "came later than", "came the earliest", "came the latest"),
)
_ROWS = (
    "{count} friends, {names}, sit in a row in {town}, numbered 1 to {count} from left to right.",
    "{names} live in {count} houses of one street in {town}. The houses are in a row, 1 to {count} "
    "from left to right.",
    "In {town}, {names} park {count} cars in a row, numbered 1 to {count} from left to right.",
    "{names} have the {count} lockers of a wall in {town}, 1 to {count} from left to right.",
    "For a photo in {town}, {names} form a row, numbered 1 to {count} from left to right.",
)
_SOLVED = "Write the names from left to right as a JSON list of texts."
_PLACES = {3: 5, 4: 6, 5: 7, 6: 7}


# Of each kind of clue its sentence, and whether it holds for the places of both people, a number,
# and the last place; places begin at 0.
_CLUES: dict[str, tuple[str, Callable[[int, int, int, int], bool]]] = {
    "left": ("{0} is somewhere to the left of {1}.", lambda one, two, number, last: one < two),
    "next": ("{0} and {1} are neighbours.", lambda one, two, number, last: abs(one - two) == 1),
    "not_next": (
        "{0} and {1} are not neighbours.",
        lambda one, two, number, last: abs(one - two) != 1,
    ),
    "between": (
        "The number of people between {0} and {1} is {2}.",
        lambda one, two, number, last: abs(one - two) == number + 1,
    ),
    "inside": ("{0} is at neither end.", lambda one, two, number, last: 0 < one < last),
    "not_at": ("{0} is not number {2}.", lambda one, two, number, last: one != number - 1),
}


@dataclass(frozen=True)
class Clue:
    """A kind of clue, the people that it is about, and a number."""

    kind: str
    first: int
    second: int
    number: int


def make(dice: random.Random, level: int) -> Draft:
    """Return a task: an owner, a comparison or an exclusion, or the order of a row."""
    kinds = of_level(level, (_owner,), (_chain, _excluded), (_row,))
    return dice.choice(kinds)(dice, level)


def _named(asked: str, answer: str) -> Draft:
    return of_label(asked, answer, NAMES, text=asked)


def _owner(dice: random.Random, level: int) -> Draft:
    owners, colours, things = (dice.sample(words, 2) for words in (NAMES, COLOURS, THINGS))
    owns, things = dice.sample(_OWNS, 2), list(map(singular, things))
    clues = [f"{owners[n]} {owns[n]} the {colours[n]} {things[n]}." for n in range(2)]
    place = dice.randrange(2)
    facts = {"owns": owns[place], "colour": colours[place], "thing": things[place]}
    facts["clues"] = " ".join(clues)
    return _named(dice.choice(_WHO).format(town=dice.choice(TOWNS), **facts), owners[place])


def _chain(dice: random.Random, level: int) -> Draft:
    """Return comparisons of neighbours in a hidden order, shuffled and in either direction."""
    names = dice.sample(NAMES, dice.randint(4, 5))
    more, less, most, least = dice.choice(_COMPARED)
    clues = [
        f"{one} {more} {two}." if dice.random() < 0.5 else f"{two} {less} {one}."
        for one, two in pairwise(names)
    ]
    dice.shuffle(clues)
    top = dice.random() < 0.5
    asked = f"Who {most if top else least} of all? Answer with the name."
    return _named(f"{' '.join(clues)} {asked}", names[0 if top else -1])


def _excluded(dice: random.Random, level: int) -> Draft:
    """Return owners of three colours, of which negations leave one assignment."""
    thing = singular(dice.choice(THINGS))
    names, colours = dice.sample(NAMES, 3), dice.sample(COLOURS, 3)
    clues = [  # the first name has the first colour, which leaves two people and two colours
        f"{names[0]} has neither the {colours[1]} nor the {colours[2]} one.",
        f"{names[1]} does not have the {colours[2]} one.",
    ]
    dice.shuffle(clues)
    people, kinds = dice.sample(names, 3), map(with_article, dice.sample(colours, 3))
    begin = (
        f"{people[0]}, {people[1]} and {people[2]} each have one {thing}: "
        "{}, {} and {} one.".format(*kinds)
    )
    place = dice.randrange(3)
    asked = dice.choice(_OWNER).format(colour=colours[place], thing=thing)
    return _named(f"{begin} {' '.join(clues)} {asked}", names[place])


def _row(dice: random.Random, level: int) -> Draft:
    """Return clues that leave one order, none of which can be left out."""
    count = _PLACES[level]
    names = dice.sample(NAMES, count)
    places = tuple(dice.sample(range(count), count))
    clues: list[Clue] = []
    while (left := _left(clues, count)).bit_count() > 1:
        clue = _clue(dice, places, level)
        if _left([*clues, clue], count) != left:
            clues.append(clue)
    for clue in clues[:-1]:
        others = [one for one in clues if one is not clue]
        if _left(others, count).bit_count() == 1:
            clues = others
    dice.shuffle(clues)
    facts = {"count": count, "names": listing(names)}
    lines = [dice.choice(_ROWS).format(town=dice.choice(TOWNS), **facts)]
    lines += [
        _CLUES[clue.kind][0].format(names[clue.first], names[clue.second], clue.number)
        for clue in clues
    ]
    row = [names[places.index(place)] for place in range(count)]
    return of_json("\n".join([*lines, _SOLVED]), row)


def _left(clues: list[Clue], count: int) -> int:
    """Return which of all orders the clues leave, one bit for each."""
    left = (1 << len(_orders(count))) - 1
    for clue in clues:
        left &= _kept(clue, count)
    return left


@cache
def _orders(count: int) -> tuple[tuple[int, ...], ...]:
    """Return all orders, each as the place of every person."""
    return tuple(permutations(range(count)))


@cache
def _kept(clue: Clue, count: int) -> int:
    """Return which of all orders a clue leaves, one bit for each."""
    holds, one, two, number = _CLUES[clue.kind][1], clue.first, clue.second, clue.number
    kept = (holds(order[one], order[two], number, count - 1) for order in _orders(count))
    return int("".join("01"[bit] for bit in kept), 2)


def _clue(dice: random.Random, places: tuple[int, ...], level: int) -> Clue:
    """Return a clue that is true; the highest level has none with a number."""
    kind = dice.choice([kind for kind in _CLUES if level < 6 or kind not in ("between", "not_at")])
    first, second = dice.sample(range(len(places)), 2)
    number = 0
    if kind == "between":
        number = max(1, abs(places[first] - places[second]) - 1)
    if kind == "not_at":
        number = dice.randint(1, len(places))
    if kind in ("inside", "not_at"):
        second = first
    one, two, last = places[first], places[second], len(places) - 1
    true = _CLUES[kind][1](one, two, number, last)
    return Clue(kind, first, second, number) if true else _clue(dice, places, level)
