"""Messages and the conditions on them, for the rules of the family `classification`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from orket_lib.tasks.generators.words import NAMES, THINGS, TOWNS, WEEKDAYS

_JOINS: dict[str, Callable[[bool, bool], bool]] = {
    "and": lambda first, second: first and second,
    "or": lambda first, second: first or second,
    "but not": lambda first, second: first and not second,
}


@dataclass(frozen=True)
class Message:
    """What rules can ask about."""

    name: str
    town: str
    day: str
    count: int
    things: str


@dataclass(frozen=True)
class Condition:
    """A condition in words, and whether a message meets it."""

    words: str
    holds: Callable[[Message], bool]


def message_of(dice: random.Random) -> Message:
    """Return a message in which much recurs in others."""
    town, day, things = (dice.choice(words[:6]) for words in (TOWNS, WEEKDAYS, THINGS))
    return Message(dice.choice(NAMES), town, day, dice.randint(2, 90), things)


def condition(dice: random.Random, messages: list[Message]) -> Condition:
    """Return a condition in two parts."""
    makers = dice.sample((_from, _about, _more, _sent), 2)
    first, second = (make_test(dice, dice.choice(messages)) for make_test in makers)
    joined = dice.choice(("and", "and", "or", "but not"))
    join = _JOINS[joined]
    return Condition(
        f"{first.words} {joined} {second.words}",
        lambda one: join(first.holds(one), second.holds(one)),
    )


def _from(dice: random.Random, like: Message) -> Condition:
    return Condition(f"from {like.town}", lambda one: one.town == like.town)


def _about(dice: random.Random, like: Message) -> Condition:
    return Condition(f"about {like.things}", lambda one: one.things == like.things)


def _more(dice: random.Random, like: Message) -> Condition:
    return Condition(
        f"about {like.count} or more of something", lambda one: one.count >= like.count
    )


def _sent(dice: random.Random, like: Message) -> Condition:
    return Condition(f"dated {like.day}", lambda one: one.day == like.day)
