"""Words that scenarios are made of; no word is in two lists, so that a text has one reading."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = _words(
    "Mia Ben Ada Leo Ivy Max Zoe Tom Eva Sam Nora Omar Lena Hugo Ruth Carl Anna Ivan Rosa Erik "
    "Maya Paul Dina Kurt Lucy Noah Elsa Finn Tara Hans Vera Jack Sara Otto Gina Luis Wanda "
    "Peter Greta Simon Clara Bruno Helen Felix Diana Oscar Julia Edgar Paula Viktor Agnes Marco "
    "Irene Stefan Olga Ralph Petra Conrad Louise Gustav"
)
TOWNS = _words(
    "Norwick Eastham Pellow Tarrin Hollby Marsden Quenby Ravell Stenwick Ulverton Ashcombe Brindle "
    "Caldmoor Dunvale Elmsford Farholt Glenrow Harkness Kelmont Lorring"
)
COLOURS = _words("red blue green yellow black white brown grey pink orange purple silver")
# Countable things, always in the plural here; their singular is without the last letter.
THINGS = _words(
    "apples pears plums lemons carrots onions pencils stamps coins books cups plates spoons "
    "candles buttons bottles ribbons marbles shells stickers cards keys bricks tiles nails screws "
    "lamps chairs blankets towels baskets jars tickets badges postcards magnets notebooks crayons "
    "bulbs hammers"
)
ANIMALS = _words(
    "cat dog horse cow goat duck goose owl fox wolf bear deer rabbit mouse frog lizard crow "
    "pigeon sheep donkey"
)
FOODS = _words(
    "pancake omelette salad cake sausage noodle pudding muffin waffle pizza biscuit pie sandwich "
    "burger dumpling pretzel bagel croissant crumpet doughnut"
)
TOOLS = _words(
    "drill saw wrench sickle chisel shovel rake ladder screwdriver crowbar spanner axe trowel "
    "hacksaw sander mallet hoe pickaxe anvil clamp"
)
EVENTS = _words(
    "concert lecture rehearsal wedding sale workshop picnic parade test hearing survey delivery "
    "meeting lesson tournament fair premiere"
)
WEEKDAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
MONTHS = _words(
    "January February March April May June July August September October November December"
)


def singular(things: str) -> str:
    """Return one of the things."""
    return things[:-1]


def amount(count: int, things: str) -> str:
    """Return a count with its things."""
    return f"{count} {singular(things) if count == 1 else things}"


def with_article(word: str) -> str:
    """Return a word after `a` or `an`."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
