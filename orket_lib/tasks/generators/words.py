"""The words that generated tasks are made of: plain, common, and from no data set.

No word is in two lists, so that a text has one reading.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = _words(
    """
    Mia Ben Ada Leo Ivy Max Zoe Tom Eva Sam Nora Omar Lena Hugo Ruth Carl Anna Ivan Rosa Erik
    Maya Paul Dina Kurt Lucy Noah Elsa Finn Tara Hans Vera Jack Sara Otto Gina Luis Wanda Peter
    Greta Simon Clara Bruno Helen Felix Diana Oscar Julia Edgar Paula Viktor Agnes Marco Irene
    Stefan Olga Ralph Petra Conrad Louise Gustav Carla Dario Irma Jonas Karin Maja Nils Pavel
    Rita Urban Walter Yara Zeno Amir Bella Cyril Dora Emil Flora Hanna Jana Kasper Lotta Marek
    Oskar Quentin Tilda Ulrich Viola Xaver
    """
)
TOWNS = _words(
    """
    Norwick Eastham Pellow Tarrin Hollby Marsden Quenby Ravell Stenwick Ulverton Ashcombe
    Brindle Caldmoor Dunvale Elmsford Farholt Glenrow Harkness Kelmont Lorring Arvel Bremond
    Caldis Dornay Estring Falkov Gorwell Harlund Istral Jorvane Kelmark Lunsted Mirfeld Ostrau
    Pellin Quarrow Rimsby Stavel Torrick
    """
)
COLOURS = _words(
    """
    red blue green yellow black white brown grey pink orange purple silver
    """
)
# Countable things, always in the plural here; their singular is without the last letter.
THINGS = _words(
    """
    apples pears plums lemons carrots onions pencils stamps coins books cups plates spoons
    candles buttons bottles ribbons marbles shells stickers cards keys bricks tiles nails screws
    lamps chairs blankets towels baskets jars tickets badges postcards magnets notebooks crayons
    bulbs hammers
    """
)
ANIMALS = _words(
    """
    cat dog horse cow goat duck goose owl fox wolf bear deer rabbit mouse frog lizard crow
    pigeon sheep donkey parrot turtle hamster spider hedgehog squirrel
    """
)
FOODS = _words(
    """
    pancake omelette salad cake sausage noodle pudding muffin waffle pizza biscuit pie sandwich
    burger dumpling pretzel bagel croissant crumpet doughnut
    """
)
TOOLS = _words(
    """
    drill saw wrench sickle chisel shovel rake ladder screwdriver crowbar spanner axe trowel
    hacksaw sander mallet hoe pickaxe anvil clamp
    """
)
EVENTS = _words(
    """
    concert lecture rehearsal wedding sale workshop picnic parade test hearing survey delivery
    meeting lesson tournament fair premiere
    """
)
WEEKDAYS = _words(
    """
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday
    """
)
MONTHS = _words(
    """
    January February March April May June July August September October November December
    """
)
OBJECTS = _words(
    """
    lamp kettle basket hammer mirror blanket candle bucket compass guitar helmet jacket
    lantern magnet needle pencil pillow ribbon saddle ticket trumpet umbrella violin wallet
    whistle anchor bottle camera drum flute globe jar kite map notebook paddle rope scarf teapot
    towel vase wagon wheel brush chest clock cushion envelope feather
    """
)
ADJECTIVES = _words(
    """
    old small heavy broken clean dusty empty strange round narrow wooden shiny quiet plain large
    faded sturdy cheap famous rusty soft thin warm bright crooked
    """
)
PEOPLE = _words(
    """
    sailor baker farmer teacher painter nurse pilot tailor miner gardener waiter hunter doctor
    carpenter plumber singer porter shepherd weaver janitor
    """
)
PLACES = _words(
    """
    harbour market station museum garden kitchen cellar library bridge forest meadow castle
    factory school village tunnel valley bakery stable tower
    """
)
VERBS = _words(
    """
    carries paints finds repairs sells hides cleans lifts measures borrows drops keeps moves
    inspects wraps fetches polishes buys
    """
)
PREPOSITIONS = ("near", "behind", "beyond", "outside", "opposite", "inside")
NOUNS = tuple(sorted({*OBJECTS, *PEOPLE, *PLACES, *ANIMALS}))
WORDS = tuple(sorted({*NOUNS, *ADJECTIVES, *COLOURS, *VERBS}))


def distinct(dice: random.Random, among: Sequence[_T], count: int) -> list[_T]:
    """Return some different ones, in the order in which they were drawn."""
    return dice.sample(among, count)


def words_of_length(shortest: int, longest: int) -> tuple[str, ...]:
    """Return the words with a number of letters in a range."""
    return tuple(word for word in WORDS if shortest <= len(word) <= longest)


def singular(things: str) -> str:
    """Return one of the things."""
    return things[:-1]


def amount(count: int, things: str) -> str:
    """Return a count with its things."""
    return f"{count} {singular(things) if count == 1 else things}"


def with_article(word: str) -> str:
    """Return a word after `a` or `an`."""
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `3rd`, `4th` and so on."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def listing(parts: Sequence[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
