"""Places in lists, sorting by one key and by two, and queues that change."""

from __future__ import annotations

import random

from orket_lib.tasks.generators.drafts import Draft, of_json, of_label, of_level, of_number
from orket_lib.tasks.generators.words import ANIMALS, COLOURS, FOODS, NAMES, THINGS, TOWNS

NAME = "ordering"
SUMMARY = "first and last, largest and smallest, sorted lists, ranks, and queues that change"

_LISTS = (NAMES, TOWNS, COLOURS, ANIMALS, FOODS, THINGS)
_PLACE = (
    "What is the {place} word of this list: {words}?",
    "Which word is the {place} one in the list {words}?",
    "{name} reads out {words}. What is the {place} word?",
    "There is a list with {words}. Which word in it is the {place}?",
    "Which of these words is the {place} in the list: {words}?",
)
_LARGEST = (
    "Which of these numbers is the {most}: {numbers}?",
    "{name} has the cards {numbers}. What is the {most} number?",
    "Write the {most} of these numbers: {numbers}",
    "Here are some numbers: {numbers}. Which one is the {most}?",
    "In {town} the numbers {numbers} are drawn. What is the {most} one?",
)
_SORTED = (
    "Sort these numbers, the {most} first: {items}. Write them as a JSON list.",
    "Put {items} in order, beginning with the {most}. Write a JSON list.",
    "Write these numbers as a JSON list that begins with the {most} and is in order: {items}",
    "{name} puts the cards {items} in order, the {most} first. Write that order as a JSON list.",
    "Order the numbers {items} from the {most} on. Answer as a JSON list.",
)
_ALPHABET = (
    "Sort these words by the alphabet: {items}. Write them as a JSON list of texts.",
    "Put {items} in alphabetical order. Write a JSON list of texts.",
    "Write {items} as a JSON list of texts in alphabetical order.",
    "{name} files the cards {items} by the alphabet. Write their order as a JSON list of texts.",
    "In which order do {items} follow each other in a dictionary? Write a JSON list of texts.",
)
_RESULTS = (
    "The results of a contest in {town}: {rows}.",
    "{rows}: these are the points of a game in {town}.",
    "In {town} the following points were reached. {rows}.",
    "A quiz in {town} ended like this: {rows}.",
    "The board in the hall of {town} reads: {rows}.",
)
_RANKED = (
    "Rank them by points, the {most} first. Those with equal points are ranked by {tie}. Write the "
    "first {count} names as a JSON list of texts."
)
_TIES = {"their names, from A to Z": False, "their names, from Z to A": True}
_QUEUE = (
    "In {town}, these people wait in a queue, the first one first: {names}.",
    "A queue in {town}, from the front to the back: {names}.",
    "From front to back, {names} wait at a counter in {town}.",
    "At a gate in {town} there is this queue, front first: {names}.",
    "The order at a bus stop in {town} is {names}, the front named first.",
)
_QUEUED = (
    "Who is in the queue in the end? Write the names from front to back as a JSON list of texts."
)


def make(dice: random.Random, level: int) -> Draft:
    """Return a task: a place, a sorted list, a ranking with ties or a queue that changes."""
    easy, hard = (_place, _place, _largest), (_ranking, _queue)
    return dice.choice(of_level(level, easy, (_numbers, _words), hard))(dice, level)


def _place(dice: random.Random, level: int) -> Draft:
    words = dice.sample(dice.choice(_LISTS), dice.randint(3, 4))
    place = dice.choice(("first", "first", "last"))
    answer = words[0 if place == "first" else -1]
    asked = dice.choice(_PLACE).format(place=place, words=", ".join(words), name=dice.choice(NAMES))
    return of_label(asked, answer, words)


def _largest(dice: random.Random, level: int) -> Draft:
    numbers = [dice.randint(low, high) for low, high in ((2, 9), (10, 50), (60, 99))]
    dice.shuffle(numbers)
    most = dice.choice(("largest", "largest", "smallest"))
    answer = max(numbers) if most == "largest" else min(numbers)
    facts = {"name": dice.choice(NAMES), "town": dice.choice(TOWNS)}
    shown = ", ".join(map(str, numbers))
    asked = dice.choice(_LARGEST).format(most=most, numbers=shown, **facts)
    return of_number(asked, answer)


def _numbers(dice: random.Random, level: int) -> Draft:
    numbers = dice.sample(range(2, 100), dice.randint(5, 6))
    most = dice.choice(("largest", "smallest"))
    asked = dice.choice(_SORTED).format(
        most=most, items=", ".join(map(str, numbers)), name=dice.choice(NAMES)
    )
    return of_json(asked, sorted(numbers, reverse=most == "largest"))


def _words(dice: random.Random, level: int) -> Draft:
    words = dice.sample(dice.choice(_LISTS), dice.randint(4, 5))
    asked = dice.choice(_ALPHABET).format(items=", ".join(words), name=dice.choice(NAMES))
    return of_json(asked, sorted(words))


def _ranking(dice: random.Random, level: int) -> Draft:
    """Return a ranking in which several have equal points."""
    count = 10 + 3 * (level - 3)
    names = dice.sample(NAMES, count)
    points = [dice.randint(30, 30 + count // 2) for _ in names]
    most, tie = dice.choice(("highest", "lowest")), dice.choice(tuple(_TIES))
    order = sorted(names, reverse=_TIES[tie])
    order.sort(key=lambda name: points[names.index(name)], reverse=most == "highest")
    rows = ", ".join(f"{name} {point}" for name, point in zip(names, points, strict=True))
    results = dice.choice(_RESULTS).format(town=dice.choice(TOWNS), rows=rows)
    asked = _RANKED.format(most=most, tie=tie, count=level + 3)
    return of_json(f"{results} {asked}", order[: level + 3])


def _queue(dice: random.Random, level: int) -> Draft:
    """Return a queue in which people leave, come, and change places."""
    people = dice.sample(NAMES, level + 10)
    queue, later = people[: level + 3], people[level + 3 :]
    lines = [dice.choice(_QUEUE).format(town=dice.choice(TOWNS), names=", ".join(queue))]
    for move in _moves(dice, level):
        lines.append(_moved(dice, move, queue, later))
    return of_json(f"{' '.join(lines)} {_QUEUED}", list(queue))


def _moves(dice: random.Random, level: int) -> list[str]:
    moves = ["swap", "leave", "join", "front", "back", "ahead", "turn"][: level + 2]
    moves += [dice.choice(("swap", "front", "back", "ahead")) for _ in range(level)]
    dice.shuffle(moves)
    return moves


def _moved(dice: random.Random, move: str, queue: list[str], later: list[str]) -> str:
    """Change the queue and return the sentence that says how."""
    first, second = dice.sample(queue, 2)
    match move:
        case "swap":
            left, right = queue.index(first), queue.index(second)
            queue[left], queue[right] = second, first
            return f"{first} and {second} change places."
        case "leave":
            queue.remove(first)
            return dice.choice(("{} goes home.", "{} leaves the queue.")).format(first)
        case "join":
            queue.append(later.pop())
            return f"{queue[-1]} joins the queue at its back."
        case "turn":
            queue.reverse()
            return "The queue turns around, so that the last one is the first now."
        case "ahead":
            queue.remove(first)
            queue.insert(queue.index(second), first)
            return f"{first} moves to the place directly in front of {second}."
        case _:
            queue.remove(first)
            queue.insert(0 if move == "front" else len(queue), first)
            return f"{first} goes to the {move} of the queue."
