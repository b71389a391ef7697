"""Words that the families of text put into their tasks: plain, common, and of no data set."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = _split(
    """
    Ada Bruno Carla Dario Elsa Felix Greta Hugo Irma Jonas Karin Leo Maja Nils Olga Pavel Rita
    Simon Tara Urban Vera Walter Yara Zeno Amir Bella Cyril Dora Emil Flora Gustav Hanna Ivan
    Jana Kasper Lotta Marek Nora Oskar Petra Quentin Rosa Stefan Tilda Ulrich Viola Wanda Xaver
    """
)
OBJECTS = _split(
    """
    lamp kettle basket hammer mirror ladder blanket candle bucket compass guitar helmet jacket
    lantern magnet needle pencil pillow ribbon saddle ticket trumpet umbrella violin wallet
    whistle anchor bottle camera drum flute globe jar kite map notebook paddle rope scarf teapot
    towel vase wagon wheel brush chest clock cushion envelope feather
    """
)
ADJECTIVES = _split(
    """
    old small heavy broken clean dusty empty strange round narrow wooden shiny quiet plain large
    faded sturdy cheap famous rusty soft thin warm bright crooked
    """
)
COLOURS = _split(
    """
    red blue green yellow black white brown grey purple orange pink silver
    """
)
PEOPLE = _split(
    """
    sailor baker farmer teacher painter nurse pilot tailor miner gardener waiter hunter doctor
    carpenter plumber singer porter shepherd weaver janitor
    """
)
PLACES = _split(
    """
    harbour market station museum garden kitchen cellar library bridge forest meadow castle
    factory school village tunnel valley bakery stable tower
    """
)
VERBS = _split(
    """
    carries paints finds repairs sells hides cleans lifts measures borrows drops keeps moves
    inspects wraps fetches polishes buys
    """
)
PREPOSITIONS = ("near", "behind", "beyond", "outside", "opposite", "inside")
ANIMALS = _split(
    """
    dog cat horse goat sheep rabbit parrot turtle donkey hamster pigeon goose spider lizard
    hedgehog squirrel
    """
)
NOUNS = tuple(sorted({*OBJECTS, *PEOPLE, *PLACES, *ANIMALS}))
WORDS = tuple(sorted({*NOUNS, *ADJECTIVES, *COLOURS, *VERBS}))
TOWNS = _split(
    """
    Arvel Bremond Caldis Dornay Estring Falkov Gorwell Harlund Istral Jorvane Kelmark Lunsted
    Mirfeld Norwick Ostrau Pellin Quarrow Rimsby Stavel Torrick
    """
)

_SENTENCES = (
    "{name} the {person} {verb} the {adjective} {thing} at the {place}",
    "At the {place}, {name} {verb} one {colour} {thing}",
    "The {adjective} {person} {verb} the {thing} of {name}",
    "In the morning {name} {verb} the {colour} {thing} behind the {place}",
    "Every {person} at the {place} knows that {name} {verb} the {thing}",
    "Nothing at the {place} is as {adjective} as the {thing} of {name}",
)


def distinct(dice: random.Random, among: Sequence[_T], count: int) -> list[_T]:
    """Return some different ones, in the order in which they were drawn."""
    return dice.sample(among, count)


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


def sentences(dice: random.Random, count: int) -> list[list[str]]:
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


def words_of_length(shortest: int, longest: int) -> tuple[str, ...]:
    """Return the words with a number of letters in a range."""
    return tuple(word for word in WORDS if shortest <= len(word) <= longest)


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `3rd`, `4th` and so on."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def listing(parts: Sequence[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def with_article(word: str) -> str:
    """Return the word behind its indefinite article."""
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"
