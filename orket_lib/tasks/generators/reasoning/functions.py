"""Functions: a short Python function is written to a description and called with examples."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.words import ADJECTIVES, OBJECTS, distinct

NAME = "functions"
SUMMARY = "Write a short Python function; needs a sandbox, in which it is called."

_STEPS = (0, 2, 6, 8, 10, 12)  # of a list function, by level
_JUDGED = 6  # examples; one more is shown
_SCENES = ("temperatures", "prices", "scores", "heights", "balances", "readings", "stock levels")
_ASKS = (
    "Write a Python function {0} that {1}.",
    "Implement {0} in Python: it {1}.",
    "Define the function {0}, which {1}.",
    "A function {0} is needed that {1}.",
    "Code the Python function {0}. It {1}.",
)
_Step = tuple[str, str]  # what is done to the list `values`, in words and as code


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    name = f"{dice.choice(ADJECTIVES)}_{dice.choice(OBJECTS)}"
    if level == 1:
        said, source, inputs = _small(dice, name)
    else:
        said, source, inputs = _steps(dice, name, level)
    function = _defined(source, name)
    results = [function(*given) for given in inputs]
    if len(set(map(repr, results))) < (2 if level == 1 else 5):  # a constant would pass too often
        return make(dice, level)
    shown = f"For example, {name}({', '.join(map(repr, inputs[0]))}) returns {results[0]!r}."
    examples = [
        {"args": list(given), "expected": result}
        for given, result in zip(inputs[1:], results[1:], strict=True)
    ]
    evaluation = {"type": "function_examples", "function_name": name, "examples": examples}
    return Draft(f"{said}\n{shown}", evaluation, f"```python\n{source}```")


def _defined(source: str, name: str) -> Callable[..., Any]:
    """Return the function that our own source defines."""
    scope: dict[str, Any] = {}
    exec(source, scope)
    function: Callable[..., Any] = scope[name]
    return function


_Small = tuple[str, str, tuple[str, ...]]  # what it does, the expression, names of the arguments


def _small(dice: random.Random, name: str) -> tuple[str, str, list[tuple[Any, ...]]]:
    """Return a function of one expression."""
    number, suffix = dice.randint(2, 30), dice.choice(OBJECTS)
    kinds: tuple[_Small, ...] = (
        (f"returns n plus {number}", f"n + {number}", ("n",)),
        (f"returns {number} times n", f"{number} * n", ("n",)),
        (f"returns n minus {number}", f"n - {number}", ("n",)),
        (f"tells whether n is greater than {number}", f"n > {number}", ("n",)),
        (f"returns the sum of a, b and {number}", f"a + b + {number}", ("a", "b")),
        (f'returns the text followed by "{suffix}"', f'text + "{suffix}"', ("text",)),
        (f'returns "{suffix}" followed by the text', f'"{suffix}" + text', ("text",)),
        ("returns the text in capital letters", "text.upper()", ("text",)),
        (f"returns the number of letters of the text plus {number}",
         f"len(text) + {number}", ("text",)),
        (f"returns the larger one of n and {number}", f"max(n, {number})", ("n",)),
    )  # fmt: skip
    does, expression, arguments = dice.choice(kinds)
    call = f"{name}({', '.join(arguments)})"
    said = dice.choice(_ASKS).format(f"`{call}`", does)
    inputs = [tuple(dice.choice(OBJECTS) if one == "text" else dice.randint(-40, 60)
                    for one in arguments) for _ in range(_JUDGED + 1)]  # fmt: skip
    return said, f"def {call}:\n    return {expression}\n", inputs


def _steps(dice: random.Random, name: str, level: int) -> tuple[str, str, list[tuple[Any, ...]]]:
    """Return a function that does several steps with a list of whole numbers."""
    makers = distinct(dice, _EASY if level == 2 else _HARD, _STEPS[level - 1])
    steps = [maker(dice) for maker in makers]
    end, result = dice.choice(_ENDS if level == 2 else (*_ENDS, *_LISTS))
    scene = dice.choice(_SCENES)
    does = f"takes a list of {scene} (whole numbers) and does this, step by step"
    said = dice.choice(_ASKS).format(f"`{name}(values)`", does).rstrip(".") + ":"
    lines = [f"{number}. {text}" for number, (text, _) in enumerate(steps, start=1)]
    source = "\n    ".join(
        [f"def {name}(values):", *(code for _, code in steps), f"return {result}"]
    )
    inputs: list[tuple[Any, ...]] = [
        ([dice.randint(-20, 30) for _ in range(dice.randint(6, 9))],) for _ in range(_JUDGED)
    ]
    # Values that are equal, or few, are where wrong functions differ from right ones.
    few = dice.choice(([], [dice.randint(-9, 9)], [4, 4, -4, 4, 8]))
    return "\n".join([said, *lines, f"{len(steps) + 1}. {end}"]), f"{source}\n", [*inputs, (few,)]


def _keep_above(dice: random.Random) -> _Step:
    limit = dice.randint(-8, 4)
    text = f"Keep only the values greater than {limit}."
    return text, f"values = [x for x in values if x > {limit}]"


def _keep_parity(dice: random.Random) -> _Step:
    rest, word = dice.choice(((0, "even"), (1, "odd")))
    return f"Drop all {word} values.", f"values = [x for x in values if x % 2 != {rest}]"


def _scale(dice: random.Random) -> _Step:
    factor = dice.randint(2, 5)
    return f"Multiply each value by {factor}.", f"values = [{factor} * x for x in values]"


def _raise(dice: random.Random) -> _Step:
    by = dice.randint(2, 9)
    return f"Add {by} to each value.", f"values = [x + {by} for x in values]"


def _floor(dice: random.Random) -> _Step:
    return "Replace each negative value by 0.", "values = [max(x, 0) for x in values]"


def _positions(dice: random.Random) -> _Step:
    text = "Add to each value its position in the list, counted from 0."
    return text, "values = [x + i for i, x in enumerate(values)]"


def _first_ones(dice: random.Random) -> _Step:
    text = "Remove values that occurred before; the first of equal ones stays in its place."
    return text, "values = list(dict.fromkeys(values))"


def _backwards(dice: random.Random) -> _Step:
    return "Reverse the list.", "values = values[::-1]"


def _running(dice: random.Random) -> _Step:
    text = "Replace each value by the sum of all values up to and including it."
    return text, "values = [sum(values[:i + 1]) for i in range(len(values))]"


def _before(dice: random.Random) -> _Step:
    text = "Subtract from each value but the first the one that was before it in the list."
    return text, "values = [x - values[i - 1] if i else x for i, x in enumerate(values)]"


def _peaks(dice: random.Random) -> _Step:
    text = "Double each value that is greater than all of its direct neighbours; an only value too."
    near = "values[max(i - 1, 0):i] + values[i + 1:i + 2]"
    return text, f"values = [2 * x if all(x > y for y in {near}) else x "\
        "for i, x in enumerate(values)]"  # fmt: skip


def _third(dice: random.Random) -> _Step:
    step = dice.randint(3, 4)
    text = f"Drop every {step}th value (the {step}th, the {2 * step}th and so on)."
    text = text.replace("3th", "3rd")
    return text, f"values = [x for i, x in enumerate(values, 1) if i % {step}]"


def _turned(dice: random.Random) -> _Step:
    by = dice.randint(1, 3)
    said = "first value" if by == 1 else f"first {by} values"
    return f"Move the {said} to the end, in order.", f"values = values[{by}:] + values[:{by}]"


def _pairs(dice: random.Random) -> _Step:
    text = "Swap the values of each pair (1st and 2nd, 3rd and 4th); an odd last one stays."
    return text, "values = [y for i in range(0, len(values), 2) for y in values[i:i + 2][::-1]]"


def _mirror(dice: random.Random) -> _Step:
    limit = dice.randint(15, 25)
    text = f"Replace each value x above {limit} by {2 * limit} minus x."
    return text, f"values = [{2 * limit} - x if x > {limit} else x for x in values]"


_EASY = (_keep_above, _keep_parity, _scale, _raise, _floor, _backwards)
_HARD = (*_EASY, _positions, _first_ones, _running, _before, _peaks, _third, _turned, _pairs,
         _mirror)  # fmt: skip
_ENDS: Sequence[_Step] = (
    ("Return the sum of the values.", "sum(values)"),
    ("Return how many values there are.", "len(values)"),
    ("Return the largest value, or 0 if there is none.", "max(values, default=0)"),
    ("Return the smallest value, or 0 if there is none.", "min(values, default=0)"),
)
_LISTS: Sequence[_Step] = (("Return the list.", "values"),) * 4
