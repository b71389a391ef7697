"""What a short Python program prints."""

from __future__ import annotations

import random
from collections.abc import Callable

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.words import ANIMALS, COLOURS, FOODS, THINGS, TOOLS

NAME = "code_reading"
SUMMARY = "the one line that a Python program of a few lines prints"

Program = tuple[list[str], object]  # its lines and what the last one prints

_ASKED = (
    "What does this Python program print?",
    "What does this Python code print?",
    "Read this Python program and write what it prints.",
    "What is the output of this Python code?",
    "Run this Python code in your head: what is printed?",
)
_WORDS = (*ANIMALS, *FOODS, *TOOLS, *COLOURS, *THINGS)
_NAMES = ("a", "n", "x", "size", "total", "value", "count", "result", "number", "amount")


def make(dice: random.Random, level: int) -> Draft:
    """Return a task: a program of one or two lines, of one loop, or of nested ones."""
    makers: dict[int, tuple[Callable[[random.Random, int], Program], ...]] = {
        1: (_shown, _word, _added, _item, _joined),
        2: (_summed, _sliced, _branched, _grown, _filtered),
    }
    harder = (_nested, _tallied, _stepped, _shuffled, _called)
    lines, printed = dice.choice(makers.get(level, harder))(dice, level)
    number = isinstance(printed, int)
    evaluation = {"type": "number" if number else "exact", "expected": printed}
    program = "\n".join(["```python", *lines, "```"])
    return Draft(dice.choice(_ASKED), evaluation, str(printed), program)


def _shown(dice: random.Random, level: int) -> Program:
    word = dice.choice(_WORDS)
    return [f'print("{word}")'], word


def _word(dice: random.Random, level: int) -> Program:
    name, word = dice.choice(_NAMES), dice.choice(_WORDS)
    return [f'{name} = "{word}"', f"print({name})"], word


def _added(dice: random.Random, level: int) -> Program:
    name, left, right = dice.choice(_NAMES), dice.randint(1, 5), dice.randint(1, 4)
    return [f"{name} = {left}", f"print({name} + {right})"], left + right


def _item(dice: random.Random, level: int) -> Program:
    words, name = dice.sample(_WORDS, 3), dice.choice(_NAMES)
    return [f"{name} = {words!r}".replace("'", '"'), f"print({name}[0])"], words[0]


def _joined(dice: random.Random, level: int) -> Program:
    first, second = dice.sample(_WORDS, 2)
    return [f'print("{first}" + "-" + "{second}")'], f"{first}-{second}"


def _summed(dice: random.Random, level: int) -> Program:
    name, begin, end = dice.choice(_NAMES), dice.randint(2, 6), dice.randint(8, 12)
    lines = [f"{name} = 0", f"for i in range({begin}, {end}):", f"    {name} += i"]
    return [*lines, f"print({name})"], sum(range(begin, end))


def _sliced(dice: random.Random, level: int) -> Program:
    name, word = dice.choice(_NAMES), dice.choice([one for one in _WORDS if len(one) > 4])
    begin = dice.randint(1, 2)
    lines = [f'{name} = "{word}"', f"print({name}[{begin}:{begin + 3}] + {name}[-1])"]
    return lines, word[begin : begin + 3] + word[-1]


def _branched(dice: random.Random, level: int) -> Program:
    name, value, factor = dice.choice(_NAMES), dice.randint(3, 30), dice.randint(2, 5)
    limit, words = dice.randint(20, 60), dice.sample(_WORDS, 2)
    lines = [f"{name} = {value}", f"if {name} * {factor} > {limit}:", f'    print("{words[0]}")']
    return [*lines, "else:", f'    print("{words[1]}")'], words[value * factor <= limit]


def _grown(dice: random.Random, level: int) -> Program:
    name, value, factor = dice.choice(_NAMES), dice.randint(2, 9), dice.randint(2, 3)
    limit, steps = dice.randint(40, 90), value
    while steps < limit:
        steps = steps * factor + 1
    lines = [f"{name} = {value}", f"while {name} < {limit}:", f"    {name} = {name} * {factor} + 1"]
    return [*lines, f"print({name})"], steps


def _filtered(dice: random.Random, level: int) -> Program:
    numbers, limit = dice.sample(range(2, 60), 6), dice.randint(15, 40)
    lines = [f"numbers = {numbers}", f"print(len([n for n in numbers if n > {limit}]))"]
    return lines, sum(number > limit for number in numbers)


def _nested(dice: random.Random, level: int) -> Program:
    outer, inner, step = dice.randint(4, 4 + level), dice.randint(3, 3 + level), dice.randint(3, 7)
    factor, rest, total = dice.randint(2, 9), dice.randint(0, 2), 0
    for i in range(1, outer):
        for j in range(i, i + inner):
            total += i * factor - j if (i * j) % step == rest else j
    lines = ["total = 0", f"for i in range(1, {outer}):", f"    for j in range(i, i + {inner}):"]
    lines += [f"        if (i * j) % {step} == {rest}:", f"            total += i * {factor} - j"]
    return [*lines, "        else:", "            total += j", "print(total)"], total


def _tallied(dice: random.Random, level: int) -> Program:
    words = dice.sample(_WORDS, level + 1)
    text = [dice.choice(words) for _ in range(4 * level)]
    seen: dict[str, int] = {}
    for place, word in enumerate(text):
        seen[word] = seen.get(word, 0) + place
    order = sorted(seen, key=lambda word: (-seen[word], word))
    lines = [f'text = "{" ".join(text)}".split()', "seen = {}"]
    lines += ["for place, word in enumerate(text):", "    seen[word] = seen.get(word, 0) + place"]
    lines += ["order = sorted(seen, key=lambda word: (-seen[word], word))"]
    return [*lines, 'print(order[0], seen[order[0]], order[-1], sep="/")'], "/".join(
        (order[0], str(seen[order[0]]), order[-1])
    )


def _stepped(dice: random.Random, level: int) -> Program:
    start, modulus = dice.randint(11, 60), dice.randint(70, 70 + 60 * level)
    factor, rounds, divisor = (
        dice.randint(3, 9),
        dice.randint(2 * level, 3 * level),
        dice.randint(2, 4),
    )
    value, odd = start, 0
    for _ in range(rounds):
        if value % divisor:
            value, odd = (value * factor + 7) % modulus, odd + 1
        else:
            value = value // divisor + 5
    lines = [f"value, odd = {start}, 0", f"for _ in range({rounds}):", f"    if value % {divisor}:"]
    lines += [f"        value = (value * {factor} + 7) % {modulus}", "        odd += 1"]
    lines += ["    else:", f"        value = value // {divisor} + 5", "print(value * 10 + odd)"]
    return lines, value * 10 + odd


def _shuffled(dice: random.Random, level: int) -> Program:
    letters = list(dice.choice([word for word in _WORDS if len(word) > 5]))
    lines = [f'letters = list("{"".join(letters)}")', f"for i in range({2 * level}):"]
    step, offset = dice.randint(2, 5), dice.randint(1, 3)
    lines += [f"    j = (i * {step} + {offset}) % len(letters)"]
    for place in range(2 * level):
        other = (place * step + offset) % len(letters)
        letters[0], letters[other] = letters[other], letters[0]
        letters.append(letters.pop(1))
    lines += ["    letters[0], letters[j] = letters[j], letters[0]"]
    lines += ["    letters.append(letters.pop(1))", 'print("".join(letters))']
    return lines, "".join(letters)


def _called(dice: random.Random, level: int) -> Program:
    numbers, limit = dice.sample(range(3, 99), 3 * level), dice.randint(20, 60)
    factor, divisor = dice.randint(2, 6), dice.randint(3, 7)

    def change(value: int) -> int:
        return change(value // divisor) + factor if value > limit else value * factor % 10

    lines = ["def change(value):", f"    if value > {limit}:"]
    lines += [f"        return change(value // {divisor}) + {factor}"]
    lines += [f"    return value * {factor} % 10", f"numbers = {numbers}"]
    lines += ["print(sum(change(n) * (i + 1) for i, n in enumerate(numbers)))"]
    return lines, sum(change(number) * place for place, number in enumerate(numbers, 1))
