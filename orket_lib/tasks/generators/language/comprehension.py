"""Comprehension: a short story of people, places and things, and one question about it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from orket_lib.tasks.generators.drafts import Draft, of_label
from orket_lib.tasks.generators.words import COLOURS, NAMES, OBJECTS, PLACES, TOWNS, distinct

NAME = "comprehension"
SUMMARY = "A short story is shown; one word answers the question about it."

_SIZES = ((2, 2, 2, 2), (2, 3, 2, 7), (4, 5, 4, 17), (5, 6, 5, 24), (6, 7, 6, 32), (7, 8, 7, 40))
_GOES = ("{0} goes to the {1}.", "{0} walks to the {1}.", "Then {0} moves to the {1}.")
_TAKES = ("{0} picks up the {1}.", "{0} takes the {1}.")
_DROPS = ("{0} puts down the {1}.", "{0} leaves the {1} there.")
_GIVES = ("{0} hands the {1} to {2}.", "{0} gives the {1} to {2}.")
_INDOORS = tuple(one for one in PLACES if one not in ("bridge", "meadow"))
_WORD = ("Answer with one word.", "One word is enough.", "Give one word as the answer.")
_Asked = tuple[str, str, list[str]]  # the question, the answer, and what it could be instead


@dataclass
class _World:
    """Where everyone is, who carries what, and where each thing has been."""

    people: dict[str, str]
    things: dict[str, str]  # the place of a thing, whoever carries it
    carried: dict[str, str] = field(default_factory=dict)  # who carries a thing
    trail: dict[str, list[str]] = field(default_factory=dict)  # the places of a thing
    takers: dict[str, list[str]] = field(default_factory=dict)  # who picked a thing up, or got it

    def put(self, thing: str, place: str) -> None:
        """Note that a thing is in a place now."""
        self.things[thing] = place
        trail = self.trail.setdefault(thing, [])
        if not trail or trail[-1] != place:
            trail.append(place)


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    if level == 1:
        return _reading(dice)
    many_people, many_places, many_things, events = _SIZES[level - 1]
    places = distinct(dice, _INDOORS, many_places)
    world = _World({one: dice.choice(places) for one in distinct(dice, NAMES, many_people)}, {})
    for thing in distinct(dice, OBJECTS, many_things):
        world.put(thing, dice.choice(places))
    story = [f"{one} is in the {place}." for one, place in world.people.items()]
    story += [f"The {thing} is in the {place}." for thing, place in world.things.items()]
    moves = [_event(dice, world, places) for _ in range(events)]
    asked = _questions(world, level)
    if not asked or len(moves) < 3:
        return make(dice, level)
    question, answer, rivals = dice.choice(asked)
    said = f"{question} {dice.choice(_WORD)}"
    text = " ".join(story + moves)
    return of_label(said, answer, rivals, text, text)


def _reading(dice: random.Random) -> Draft:
    """Return a task whose answer is read in one sentence."""
    kinds = (
        ("{0} has a {1} coat.", "What colour is the coat of {0}?", COLOURS),
        ("{0} lives in {1}.", "In which town does {0} live?", TOWNS),
        ("{0} has bought the {1}.", "What has {0} bought?", OBJECTS),
        ("{0} works in the {1}.", "Where does {0} work?", _INDOORS),
        ("{0} has lost the {1}.", "What has {0} lost?", OBJECTS),
        ("{0} waits in the {1}.", "Where does {0} wait?", _INDOORS),
    )
    fact, question, values = dice.choice(kinds)
    who, what = dice.choice(NAMES), dice.choice([one for one in values if one[0] not in "aeiou"])
    text = fact.format(who, what)
    return of_label(question.format(who), what, values, text, text)


def _event(dice: random.Random, world: _World, places: list[str]) -> str:
    """Let something happen, and return the sentence that says it."""
    person = dice.choice(list(world.people))
    here = world.people[person]
    held = [thing for thing, who in world.carried.items() if who == person]
    free = [
        one for one, where in world.things.items() if where == here and one not in world.carried
    ]
    company = [one for one, where in world.people.items() if where == here and one != person]
    kind = dice.random()
    if kind < 0.35 and free:
        thing = dice.choice(free)
        world.carried[thing] = person
        world.takers.setdefault(thing, []).append(person)
        return dice.choice(_TAKES).format(person, thing)
    if kind < 0.5 and held:
        thing = dice.choice(held)
        del world.carried[thing]
        return dice.choice(_DROPS).format(person, thing)
    if kind < 0.65 and held and company:
        thing, other = dice.choice(held), dice.choice(company)
        world.carried[thing] = other
        world.takers.setdefault(thing, []).append(other)
        return dice.choice(_GIVES).format(person, thing, other)
    goal = dice.choice([one for one in places if one != here])
    world.people[person] = goal
    for thing in held:
        world.put(thing, goal)
    return dice.choice(_GOES).format(person, goal)


def _questions(world: _World, level: int) -> list[_Asked]:
    """Return the questions that a level asks and that have one answer."""
    people, places = list(world.people), list(PLACES)
    travelled = {one: trail for one, trail in world.trail.items() if len(trail) > min(level, 3) - 1}
    ends = [(f"Where is the {one} at the end?", trail[-1], places)
            for one, trail in travelled.items()]  # fmt: skip
    holders = [(f"Who has the {thing} in hand at the end?", who, people)
               for thing, who in world.carried.items()
               if level == 2 or len(set(world.takers[thing])) > 1]  # fmt: skip
    befores = [(f"Where was the {one} before it came to the place where it is at the end?",
                trail[-2], places) for one, trail in travelled.items()]  # fmt: skip
    earlier = [(f"Who had the {thing} directly before the person who had it last?", takers[-2],
                people) for thing, takers in world.takers.items()
               if len(takers) > 1 and takers[-1] != takers[-2]]  # fmt: skip
    alone = [(f"Which person is in the same place as the {thing} at the end?", here[0], people)
             for thing, place in world.things.items() if thing not in world.carried
             if len(here := [one for one, where in world.people.items() if where == place]) == 1
             ]  # fmt: skip
    if level == 2:
        ends += [(f"Where is {one} at the end?", place, places)
                 for one, place in world.people.items()]  # fmt: skip
        firsts = [(f"Who was the first to take the {thing}?", takers[0], people)
                  for thing, takers in world.takers.items()]  # fmt: skip
        return [*ends, *holders, *firsts, *alone]
    return [*ends, *holders, *befores, *earlier, *alone]
