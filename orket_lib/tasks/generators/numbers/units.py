"""Lengths, weights, volumes, times and money in other units."""

from __future__ import annotations

import random
from fractions import Fraction

from orket_lib.tasks.generators.drafts import Draft, of_level, of_number
from orket_lib.tasks.generators.words import (
    COLOURS,
    NAMES,
    THINGS,
    TOWNS,
    amount,
    listing,
    singular,
)

NAME = "units"
SUMMARY = "conversions between metric units, units of time, money, and rates"

# Of each kind the units from the largest down, each with how many of the next one it holds.
_KINDS = {
    "length": (("kilometres", 1000), ("metres", 100), ("centimetres", 10), ("millimetres", 1)),
    "weight": (("tonnes", 1000), ("kilograms", 1000), ("grams", 1)),
    "volume": (("litres", 1000), ("millilitres", 1)),
    "time": (("weeks", 7), ("days", 24), ("hours", 60), ("minutes", 60), ("seconds", 1)),
    "money": (("euros", 100), ("cents", 1)),
}
_SUBJECTS = {
    "length": ("cable", "rope", "path", "fence", "wire", "ribbon roll", "trench"),
    "weight": ("load", "sack", "parcel", "shipment", "stone", "cart"),
    "volume": ("barrel", "tank", "kettle", "vat", "canister", "bath"),
    "time": ("trip", "course", "journey", "repair", "voyage", "stay"),
    "money": ("ticket", "bill", "fine", "prize", "fee", "deposit"),
}
_MEASURED = {
    "length": "{article} {subject} is {size} long",
    "weight": "{article} {subject} weighs {size}",
    "volume": "{article} {subject} holds {size}",
    "time": "{article} {subject} takes {size}",
    "money": "{article} {subject} is worth {size}",
}
_ASKED = (
    "How many {unit} is that?",
    "Give this in {unit}.",
    "Convert it to {unit}.",
    "What is that in {unit}?",
    "How many {unit} are there in that?",
    "Write it as a number of {unit}.",
)
_BARE = (
    "How many {unit} are in {size}?",
    "Convert {size} to {unit}.",
    "What is {size} in {unit}?",
    "Express {size} in {unit}.",
    "{size}: how many {unit} is that?",
)
_TOTAL = (
    "How many {unit} is that in total?",
    "What is the total in {unit}?",
    "Add them all up and give the sum in {unit}.",
    "Work out the total as a number of {unit}.",
    "Taken together, how many {unit} are they?",
)
_RATES = (
    "A pump in {town} moves {part} millilitres every {every} seconds. How many litres does it move "
    "in {long}?",
    "A belt in {town} carries {part} grams past a gate every {every} seconds. How many kilograms "
    "pass in {long}?",
    "{name}'s cart covers {part} millimetres every {every} seconds. How many metres does it cover "
    "in {long}?",
    "A dripping tap in {town} wastes {part} millilitres every {every} seconds. How many litres are "
    "wasted in {long}?",
    "A feeder that {name} built drops {part} grams of seed every {every} seconds. How many "
    "kilograms does it drop in {long}?",
)
_PAID = (
    "{name} buys {basket}. {name} pays with {paid}. How many cents does {name} get back?",
    "In a shop in {town} {name} takes {basket}, and puts {paid} on the counter. How many cents of "
    "change is that?",
    "{name} orders {basket}. A voucher over {paid} pays for all of it. How many cents are left on "
    "the voucher?",
    "From {paid} of savings, {name} pays for {basket}. How many cents of the savings remain?",
    "{name} owes a shop in {town} for {basket} and hands over {paid}. How many cents too many?",
)


def make(dice: random.Random, level: int) -> Draft:
    """Return a task: one conversion, a mixed size, or sums and rates over several units."""
    kinds = of_level(level, (_single,), (_mixed, _pair), (_sum, _rate, _change))
    return dice.choice(kinds)(dice, level)


def _single(dice: random.Random, level: int) -> Draft:
    kind = dice.choice(tuple(_KINDS))
    place = dice.randrange(len(_KINDS[kind]) - 1)
    (unit, factor), (smaller, _) = _KINDS[kind][place : place + 2]
    count = dice.choice((1, 1, 2, 10))
    value = count * factor
    asked = _question(dice, kind, amount(count, unit), smaller)
    choice = "Is it {} or {}?".format(*dice.sample((value, 100 * value), 2))
    return of_number(f"{asked} {choice}", value)


def _question(dice: random.Random, kind: str, size: str, unit: str) -> str:
    if dice.random() < 0.3:
        return dice.choice(_BARE).format(size=size, unit=unit)
    said = _said(dice, kind, size, f"{dice.choice(NAMES)}'s")
    return f"{said}. {dice.choice(_ASKED).format(unit=unit)}"


def _said(dice: random.Random, kind: str, size: str, article: str) -> str:
    subject = dice.choice(_SUBJECTS[kind])
    if dice.random() < 0.4:
        subject = f"{dice.choice(COLOURS)} {subject}" if kind != "time" else f"long {subject}"
    return _MEASURED[kind].format(article=article, subject=subject, size=size)


def _mixed(dice: random.Random, level: int) -> Draft:
    """Return a size in two neighbouring units, asked for in the smaller one."""
    kind = dice.choice(tuple(_KINDS))
    place = dice.randrange(len(_KINDS[kind]) - 1)
    (unit, factor), (smaller, _) = _KINDS[kind][place : place + 2]
    count, rest = dice.randint(2, 60), dice.randint(1, factor - 1)
    size = f"{count} {unit} and {amount(rest, smaller)}"
    return of_number(_question(dice, kind, size, smaller), count * factor + rest)


def _pair(dice: random.Random, level: int) -> Draft:
    """Return two sizes in different units, asked for in the smaller one."""
    kind = dice.choice(tuple(_KINDS))
    place = dice.randrange(len(_KINDS[kind]) - 1)
    (unit, factor), (smaller, _) = _KINDS[kind][place : place + 2]
    first, second = dice.randint(2, 20), dice.randint(2, 95)
    owners = dice.sample(NAMES, 2)
    sizes = (f"{first} {unit}", f"{second} {smaller}")
    said = [
        _said(dice, kind, *pair) for pair in zip(sizes, (f"{o}'s" for o in owners), strict=True)
    ]
    asked = dice.choice(_TOTAL).format(unit=smaller)
    return of_number(f"{said[0]}, and {said[1]}. {asked}", first * factor + second)


def _sum(dice: random.Random, level: int) -> Draft:
    """Return sizes in all units of a kind, some with decimals, asked for in the smallest."""
    kind = dice.choice(("length", "weight", "time"))
    units = _KINDS[kind][-3:] if kind != "length" else _KINDS[kind]
    owners, lines, total = dice.sample(NAMES, level + 1), [], 0
    for owner in owners:
        place = dice.randrange(len(units) - 1)
        size, value = _size(dice, units, place)
        times = dice.randint(1, 1 + 3 * (level - 2))
        total += value * times
        made = _said(dice, kind, size, f"{owner}'s")
        lines.append(f"{made}." if times == 1 else f"{made}, and that {times} times over.")
    asked = dice.choice(_TOTAL).format(unit=units[-1][0])
    return of_number(f"{' '.join(lines)} {asked}", total)


def _size(dice: random.Random, units: tuple[tuple[str, int], ...], place: int) -> tuple[str, int]:
    """Return a size in a unit with decimals, or in two units, and its value in the smallest."""
    (unit, factor), (smaller, _) = units[place : place + 2]
    below = 1
    for _, held in units[place + 1 :]:
        below *= held
    count = dice.randint(2, 40)
    if factor % 100 == 0 and dice.random() < 0.5:
        hundredths = dice.randint(1, 99)
        return f"{count}.{hundredths:02} {unit}", (100 * count + hundredths) * factor * below // 100
    rest = dice.randint(2, factor - 1)
    return f"{count} {unit} and {rest} {smaller}", (count * factor + rest) * below


def _rate(dice: random.Random, level: int) -> Draft:
    """Return a rate in small units over a time of hours and minutes."""
    every = dice.choice((4, 6, 8, 12, 15, 18, 24, 36, 45))
    hours, minutes = dice.randint(1, 3 ** (level - 2)), dice.randint(1, 59)
    rounds = Fraction(3600 * hours + 60 * minutes, every)
    step = (1000 / rounds).numerator
    while rounds * (part := step * dice.randint(1, 9)) % 1000 or part < 10:
        step *= 10 if step < 10 else 1
    facts = {"name": dice.choice(NAMES), "town": dice.choice(TOWNS), "part": part, "every": every}
    long = f"{amount(hours, 'hours')} and {amount(minutes, 'minutes')}"
    asked = dice.choice(_RATES).format(long=long, **facts)
    return of_number(asked, int(rounds * part / 1000))


def _change(dice: random.Random, level: int) -> Draft:
    """Return a purchase of several goods with prices in euros or cents."""
    parts, cost = [], 0
    for things in dice.sample(THINGS, level):
        count, price = dice.randint(2, 4 * level), dice.randint(11, 180 * (level - 1))
        cost += count * price
        shown = (
            f"{price} cents" if dice.random() < 0.4 else f"{price // 100}.{price % 100:02} euros"
        )
        parts.append(f"{amount(count, things)} at {shown} per {singular(things)}")
    paid = (cost // 1000 + dice.randint(1, 3)) * 10
    facts = {"name": dice.choice(NAMES), "town": dice.choice(TOWNS), "basket": listing(parts)}
    return of_number(dice.choice(_PAID).format(paid=f"{paid} euros", **facts), paid * 100 - cost)
