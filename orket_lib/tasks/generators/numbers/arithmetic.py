"""Sums, mixed expressions, and stories in which a count changes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from orket_lib.tasks.generators.drafts import Draft, of_number
from orket_lib.tasks.generators.words import NAMES, THINGS, amount

NAME = "arithmetic"
SUMMARY = "sums, mixed expressions and word problems with one whole number as the answer"

_ASKED = (
    "What is {}?",
    "Work out {}.",
    "Calculate {}.",
    "Find the value of {}.",
    "Give the result of {}.",
    "Compute {}.",
)
_EVENTS = {
    "+": (
        "{name} gets {change} more.",
        "{other} gives {name} {change} more.",
        "{name} buys {change} more.",
        "{name} finds {change} more in a drawer.",
        "{change} more arrive by post for {name}.",
    ),
    "-": (
        "{name} gives {change} of them to {other}.",
        "{name} loses {change} of them.",
        "{name} sells {change} of them at a market.",
        "{change} of them break, and {name} throws those away.",
        "{name} leaves {change} of them on a train.",
    ),
    "*": (
        "Then a delivery brings so many that {name} has {change} times as many as before.",
        "{name} trades until the count is {change} times what it was.",
    ),
    "/": (
        "{name} shares them out evenly among {change} boxes and keeps only one of the boxes.",
        "{name} deals them out evenly to {change} people, {name} among them, and keeps one share.",
    ),
}
_STARTS = (
    "{name} has {start}.",
    "{name} begins the day with {start}.",
    "In the morning {name} owns {start}.",
    "{name} keeps {start} in a box.",
    "There are {start} on {name}'s table, all {name}'s.",
)
_QUESTIONS = (
    "How many {things} does {name} have now?",
    "How many {things} has {name} got in the end?",
    "Work out how many {things} {name} is left with.",
    "What is the number of {things} that {name} has at the end?",
    "How many {things} are {name}'s after all this?",
)
_ASIDES = (
    "{other}, who has {amount} at home, watches.",
    "Each of them weighs {number} grams.",
    "The shop next door has {amount} in its window.",
    "All this takes {number} minutes.",
    "{other} once owned {amount}.",
)
_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left // right,
}


@dataclass(frozen=True)
class Term:
    """A part of an expression: its text, its value, and whether it needs brackets in a product."""

    text: str
    value: int
    loose: bool = False


def make(dice: random.Random, level: int) -> Draft:
    """Return a task: an expression or a story."""
    return dice.choice((_expression, _story))(dice, level)


def _expression(dice: random.Random, level: int) -> Draft:
    term = _sum(dice, level)
    return of_number(dice.choice(_ASKED).format(term.text), term.value)


def _sum(dice: random.Random, level: int) -> Term:
    """Return the expression of a level: more terms and longer factors."""
    if level == 1:
        left, right = dice.randint(2, 5), dice.randint(1, 4)
        return Term(f"{left} + {right}", left + right)
    if level == 2:
        terms = [_product(dice, 3, 12, 2, 9), Term(*_plain(dice.randint(11, 99)))]
        dice.shuffle(terms)
        return _joined(terms, [dice.choice("+-")])
    reach = 10 ** (level - 2)
    terms = [_bracketed(dice, reach), _product(dice, 3 * reach, 10 * reach - 1, 12, 98)]
    terms += [_quotient(dice, reach) for _ in range(level - 2)]
    terms.append(Term(*_plain(dice.randint(101, 998))))
    dice.shuffle(terms)
    return _joined(terms, [dice.choice("+-") for _ in terms[1:]])


def _plain(value: int) -> tuple[str, int]:
    return str(value), value


def _product(dice: random.Random, low: int, high: int, least: int, most: int) -> Term:
    left, right = dice.randint(low, high), dice.randint(least, most)
    return Term(f"{left} * {right}", left * right)


def _bracketed(dice: random.Random, reach: int) -> Term:
    left, right, factor = dice.randint(13, 9 * reach), dice.randint(13, 9 * reach), _factor(dice)
    if dice.random() < 0.5:
        return Term(f"({left} + {right}) * {factor}", (left + right) * factor)
    return Term(f"{factor} * ({left} - {right})", factor * (left - right))


def _factor(dice: random.Random) -> int:
    return dice.randint(6, 29)


def _quotient(dice: random.Random, reach: int) -> Term:
    result, divisor = dice.randint(11, 9 * reach), dice.randint(6, 19)
    return Term(f"{result * divisor} / {divisor}", result)


def _joined(terms: list[Term], signs: list[str]) -> Term:
    text, value = terms[0].text, terms[0].value
    for sign, term in zip(signs, terms[1:], strict=True):
        text += f" {sign} {term.text}"
        value = _OPERATIONS[sign](value, term.value)
    return Term(text, value)


def _story(dice: random.Random, level: int) -> Draft:
    name, other = dice.sample(NAMES, 2)
    things = dice.choice(THINGS)
    count = dice.randint(2, 5) if level == 1 else dice.randint(12, 30 * level)
    sentences = [dice.choice(_STARTS).format(name=name, start=amount(count, things))]
    for kind in _kinds(dice, level):
        kind, change = _change(dice, kind, count, level)
        count = _OPERATIONS[kind](count, change)
        said = dice.choice(_EVENTS[kind])
        sentences.append(said.format(name=name, other=other, change=change))
    for _ in range(level - 2):
        aside = dice.choice(_ASIDES).format(
            other=other, number=dice.randint(12, 90), amount=amount(dice.randint(12, 90), things)
        )
        sentences.insert(dice.randint(1, len(sentences)), aside)
    sentences.append(dice.choice(_QUESTIONS).format(name=name, things=things))
    return of_number(" ".join(sentences), count)


def _kinds(dice: random.Random, level: int) -> list[str]:
    if level == 1:
        return ["+"]
    if level == 2:
        return dice.sample(("+", "-", "*"), 2)
    kinds = ["+", "-", "*", "/", *(dice.choice("+-*/") for _ in range(level - 1))]
    dice.shuffle(kinds)
    return kinds


def _change(dice: random.Random, kind: str, count: int, level: int) -> tuple[str, int]:
    """Return an operation of about the kind that keeps the count a positive whole number."""
    divisors = [number for number in range(2, 13) if count % number == 0 and count // number > 1]
    if kind == "/" and divisors:
        return kind, dice.choice(divisors)
    if kind == "*" and count * 9 < 1000 * level:
        return kind, dice.randint(2, 3 if level == 2 else 9)
    if kind == "-" and count > 10:
        return kind, dice.randint(2, count - 2)
    return "+", dice.randint(1, 4) if level == 1 else dice.randint(11, 33 * level)
