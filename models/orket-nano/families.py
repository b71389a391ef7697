"""The fourteen synthetic task families that orket-nano was trained on.

This module is the record of the training data: what the model can do follows from these phrasings
and value ranges, and the task bank must stay outside them. Each family therefore asks its random
generator for values in a fixed order. Reordering two draws would look harmless and would turn this
file into the record of some other data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Final, NamedTuple

__all__ = [
    "CITIES",
    "FAMILIES",
    "FUNCTIONS",
    "NAMES",
    "VARIABLES",
    "WORDS",
    "Example",
    "Family",
    "ask_add",
    "ask_count",
    "ask_dedupe",
    "ask_even",
    "ask_extreme",
    "ask_json",
    "ask_marked",
    "ask_python",
    "ask_repeat",
    "ask_reverse",
    "ask_sequence",
    "ask_sort",
    "ask_sub",
    "ask_upper",
    "draw",
    "hide_word",
    "join",
    "python_function",
]

WORDS: Final = (
    *("red", "blue", "green", "black", "white", "gold", "silver", "pink", "brown", "grey"),
    *("apple", "pear", "plum", "lemon", "melon", "grape", "berry", "fig", "lime", "peach"),
    *("cat", "dog", "fox", "owl", "bee", "ant", "cow", "hen", "pig", "rat"),
    *("sun", "moon", "star", "rain", "snow", "wind", "fire", "wood", "iron", "salt"),
    *("lake", "hill", "road", "tree", "leaf", "rock", "sand", "wave", "door", "lamp"),
    *("book", "page", "desk", "bell", "ring", "coin", "rope", "boat", "ship", "sail"),
)
NAMES: Final = (
    *("ada", "bob", "cleo", "dan", "eve", "finn", "gina", "hugo", "iris", "jack"),
    *("kim", "leo", "mia", "nils", "olga", "paul", "quinn", "rosa", "sam", "tara"),
)
CITIES: Final = (
    *("oslo", "rome", "paris", "cairo", "lima"),
    *("tokyo", "delhi", "berlin", "madrid", "athens"),
)
VARIABLES: Final = ("a", "b", "c", "n", "x", "y", "k", "m")
FUNCTIONS: Final = (
    *("area", "total", "score", "cost", "delta"),
    *("blend", "ratio", "shift", "price", "gain"),
)
FILLER: Final = (
    "the lamp stands by the door",
    "a boat lies on the lake",
    "the owl sleeps in the tree",
    "rain falls on the hill",
    "the book is on the desk",
    "wind moves the sail",
    "a coin rolls down the road",
    "the bell rings at noon",
)
_TRAINED_SENTENCES: Final = (1, 2, 3, 4, 6, 8, 12, 16)

# From a row of this many tokens on, training mixes in long retrieval texts.
_LONG_ROW_TOKENS: Final = 256
# One filler sentence costs about this many tokens of the model's own vocabulary.
_TOKENS_PER_SENTENCE: Final = 8.6


class Example(NamedTuple):
    """One instruction and the only reply that counts as right."""

    instruction: str
    answer: str


Family = Callable[[Random], Example]


def join(items: Iterable[object]) -> str:
    """Return the items as one line, separated by single spaces."""
    return " ".join(map(str, items))


def _numbers(random: Random) -> list[int]:
    return [random.randint(0, 99) for _ in range(random.randint(3, 6))]


def _words(random: Random, fewest: int, most: int) -> list[str]:
    return [random.choice(WORDS) for _ in range(random.randint(fewest, most))]


def hide_word(random: Random, sentences: int) -> tuple[str, str]:
    """Return a text of filler sentences around one word between stars, and that word."""
    lines = [random.choice(FILLER) for _ in range(sentences)]
    word = random.choice(WORDS + NAMES + CITIES)
    lines.insert(random.randrange(len(lines) + 1), f"* {word} *")
    return ". ".join(lines), word


def python_function(name: str, first: str, second: str, expression: str) -> str:
    """Return the source of a two-argument function that returns the expression."""
    return f"def {name}({first}, {second}):\n    return {expression}"


def ask_sort(random: Random) -> Example:
    """Ask for 3 to 6 numbers in ascending order."""
    values = _numbers(random)
    return Example(
        f"Sort these numbers from smallest to largest: {join(values)}", join(sorted(values))
    )


def ask_reverse(random: Random) -> Example:
    """Ask for 3 to 7 words in the opposite order."""
    words = _words(random, 3, 7)
    return Example(f"Reverse this list: {join(words)}", join(reversed(words)))


def ask_extreme(random: Random) -> Example:
    """Ask for the largest or the smallest of 3 to 6 numbers."""
    values = _numbers(random)
    word, answer = ("largest", max(values)) if random.random() < 0.5 else ("smallest", min(values))
    return Example(f"What is the {word} of these numbers: {join(values)}", str(answer))


def ask_add(random: Random) -> Example:
    """Ask for the sum of two numbers below 100."""
    first, second = random.randint(0, 99), random.randint(0, 99)
    return Example(f"What is {first} + {second}?", str(first + second))


def ask_sub(random: Random) -> Example:
    """Ask for the difference of two numbers below 100, the larger one first."""
    smaller, larger = sorted((random.randint(0, 99), random.randint(0, 99)))
    return Example(f"What is {larger} - {smaller}?", str(larger - smaller))


def ask_marked(random: Random, sentences: int | None = None) -> Example:
    """Ask for the word between stars in a text.

    Args:
        random: Source of the draws.
        sentences: Number of filler sentences around the word; drawn from the trained lengths if
            it is left out.
    """
    text, word = hide_word(random, sentences or random.choice(_TRAINED_SENTENCES))
    return Example(f"Text: {text}. Which word stands between stars?", word)


def ask_json(random: Random) -> Example:
    """Ask for a JSON object with three given values."""
    name, age, city = random.choice(NAMES), random.randint(1, 99), random.choice(CITIES)
    return Example(
        f"Write a JSON object with name {name}, age {age} and city {city}.",
        f'{{"name": "{name}", "age": {age}, "city": "{city}"}}',
    )


def ask_python(random: Random) -> Example:
    """Ask for a Python function of two arguments that returns a given expression."""
    name = random.choice(FUNCTIONS)
    first, second = random.sample(VARIABLES, 2)
    inner, outer = random.choice("+-*"), random.choice("+-*")
    expression = f"{first} {inner} {second} {outer} {random.randint(2, 99)}"
    return Example(
        f"Write a Python function named {name} that takes {first} and {second}"
        f" and returns {expression}.",
        python_function(name, first, second, expression),
    )


def ask_count(random: Random) -> Example:
    """Ask how often a word occurs in a list of 3 to 9 words of three kinds."""
    kinds = random.sample(WORDS, 3)
    words = [random.choice(kinds) for _ in range(random.randint(3, 9))]
    return Example(
        f"How many times does {kinds[0]} appear in this list: {join(words)}",
        str(words.count(kinds[0])),
    )


def ask_dedupe(random: Random) -> Example:
    """Ask for the distinct words of a list of 4 to 8, in order of first occurrence."""
    kinds = random.sample(WORDS, 4)
    words = [random.choice(kinds) for _ in range(random.randint(4, 8))]
    return Example(f"Remove duplicates from this list: {join(words)}", join(dict.fromkeys(words)))


def ask_sequence(random: Random) -> Example:
    """Ask for the fifth number of a rising arithmetic sequence."""
    start, step = random.randint(0, 20), random.randint(1, 9)
    shown = range(start, start + 4 * step, step)
    return Example(f"What number comes next: {join(shown)}", str(start + 4 * step))


def ask_even(random: Random) -> Example:
    """Ask for the even ones of 3 to 6 numbers; the answer is "none" if there are none."""
    values = _numbers(random)
    return Example(
        f"Keep only the even numbers from this list: {join(values)}",
        join(value for value in values if value % 2 == 0) or "none",
    )


def ask_upper(random: Random) -> Example:
    """Ask for 1 to 3 words in capital letters."""
    words = join(_words(random, 1, 3))
    return Example(f"Write this in capital letters: {words}", words.upper())


def ask_repeat(random: Random) -> Example:
    """Ask for 3 to 9 words just as they are."""
    words = join(_words(random, 3, 9))
    return Example(f"Repeat this list: {words}", words)


# The order counts: `draw` picks by position.
FAMILIES: Final[dict[str, Family]] = {
    "sort": ask_sort,
    "reverse": ask_reverse,
    "extreme": ask_extreme,
    "add": ask_add,
    "sub": ask_sub,
    "marked": ask_marked,
    "json": ask_json,
    "python": ask_python,
    "count": ask_count,
    "dedupe": ask_dedupe,
    "sequence": ask_sequence,
    "even": ask_even,
    "upper": ask_upper,
    "repeat": ask_repeat,
}

# How often a family is shown; those left out weigh 1.
_EXTRA_WEIGHTS: Final = {"marked": 5, "count": 4, "dedupe": 3, "sort": 2, "even": 2}
_WEIGHTS: Final = [_EXTRA_WEIGHTS.get(name, 1) for name in FAMILIES]


def draw(random: Random, row_tokens: int) -> Example:
    """Return the next training example for a row of the given length.

    Rows longer than 256 tokens mostly receive retrieval texts that fill 20 to 93 % of the row, so
    that the model sees distances that no other family has.
    """
    if row_tokens > _LONG_ROW_TOKENS and random.random() < 0.7:
        tokens = row_tokens * random.uniform(0.2, 0.93)
        return ask_marked(random, max(1, int(tokens / _TOKENS_PER_SENTENCE)))
    (name,) = random.choices(list(FAMILIES), _WEIGHTS)
    return FAMILIES[name](random)
