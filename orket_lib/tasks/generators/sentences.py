"""Sentences of plain words, for the families that work on text."""

from __future__ import annotations

import random

from orket_lib.tasks.generators.words import (
    ADJECTIVES,
    COLOURS,
    NAMES,
    OBJECTS,
    PEOPLE,
    PLACES,
    PREPOSITIONS,
    VERBS,
    distinct,
    with_article,
)

_SENTENCES = (
    "{name} the {person} {verb} the {adjective} {thing} at the {place}",
    "At the {place}, {name} {verb} one {colour} {thing}",
    "The {adjective} {person} {verb} the {thing} of {name}",
    "In the morning {name} {verb} the {colour} {thing} behind the {place}",
    "Every {person} at the {place} knows that {name} {verb} the {thing}",
    "Nothing at the {place} is as {adjective} as the {thing} of {name}",
)


def sentence_words(dice: random.Random, length: int) -> list[str]:
    """Return the words of a sentence of a given length: simple clauses joined by `and`."""
    words: list[str] = []
    while len(words) < length:
        words += ["and"] * bool(words)
        words += ["the", dice.choice(ADJECTIVES), dice.choice(PEOPLE), dice.choice(VERBS)]
        words += [*with_article(dice.choice(COLOURS)).split(), dice.choice(OBJECTS)]
        words += [dice.choice(PREPOSITIONS), "the", dice.choice(PLACES)]
    return words[:length]


def clauses(dice: random.Random, count: int, places: bool) -> list[str]:
    """Return the words of a whole sentence of some clauses; each may say where it happens."""
    words: list[str] = []
    for _ in range(count):
        words += ["and"] * bool(words)
        adjective = [dice.choice(ADJECTIVES)] * (dice.random() < 0.7)
        thing = [*[dice.choice(COLOURS)] * (dice.random() < 0.7), dice.choice(OBJECTS)]
        words += ["the", *adjective, dice.choice(PEOPLE), dice.choice(VERBS)]
        words += [*with_article(thing[0]).split(), *thing[1:]]
        words += [dice.choice(PREPOSITIONS), "the", dice.choice(PLACES)] * places
    return words


def draw_sentences(dice: random.Random, count: int) -> list[list[str]]:
    """Return sentences as words; their names, things and places differ."""
    names, things = (
        distinct(dice, NAMES, count),
        distinct(dice, OBJECTS, count),
    )
    places = distinct(dice, PLACES, count)
    return [
        dice.choice(_SENTENCES)
        .format(
            name=names[at],
            thing=things[at],
            place=places[at],
            person=dice.choice(PEOPLE),
            verb=dice.choice(VERBS),
            adjective=dice.choice(ADJECTIVES),
            colour=dice.choice(COLOURS),
        )
        .split()
        for at in range(count)
    ]
