"""Counting: letters, words, items and characters."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from orket_lib.tasks.generators.drafts import Draft, of_number
from orket_lib.tasks.generators.sentences import sentence_words
from orket_lib.tasks.generators.words import NOUNS, OBJECTS, WORDS, distinct, words_of_length

NAME = "counting"
SUMMARY = "How many letters, words, items or characters are there?"

_SIZES = (3, 8, 26, 40, 60, 90)  # words or items of a task, by level
_LEAST = (1, 2, 10, 12, 15, 20)  # of what is to be counted
_Counted = tuple[str, tuple[str, ...], int]  # the text, ways to ask, the count


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    kinds = _EASY if level == 1 else _MIDDLE if level == 2 else _HARD
    while True:
        kind = dice.choice(kinds)
        text, questions, count = kind(dice, _SIZES[level - 1])
        if count >= _LEAST[level - 1]:
            asked = dice.choice(questions)
            if level == 1:
                one, other = dice.sample((count, count + dice.randint(9, 20)), 2)
                asked = f"{asked} Is it {one} or {other}?"
            return of_number(asked, count, text)


def _items(dice: random.Random, size: int) -> _Counted:
    items = distinct(dice, OBJECTS, dice.randint(max(2, size - 1), size + 1))
    questions = (
        "How many items are in this list?",
        "How many things does the list above name?",
        "Count the entries of the list.",
    )
    return ", ".join(items), questions, len(items)


def _marks(dice: random.Random, size: int) -> _Counted:
    mark, count = dice.choice("*#@+%"), dice.randint(2, size + 2)
    label = dice.choice(WORDS)
    questions = (f"How many times does {mark} occur?", f"Count the {mark} signs above.")
    return f"{label}: {' '.join(mark * count)}", questions, count


def _words(dice: random.Random, size: int) -> _Counted:
    words = sentence_words(dice, dice.randint(max(2, size - 2), size + 1))
    questions = (
        "How many words does the text above have?",
        "Count the words of this text.",
        "What is the number of words in the text?",
    )
    return " ".join(words), questions, len(words)


def _repeats(dice: random.Random, size: int) -> _Counted:
    wanted, *others = distinct(dice, NOUNS, 4)
    often = dice.randint(max(1, size // 3), max(2, size * 2 // 3))
    # A plural holds the word, and is another word.
    near = [f"{wanted}s", *others] if size > 3 else others
    words = [wanted] * often + [dice.choice(near) for _ in range(max(1, size - often))]
    dice.shuffle(words)
    questions = (
        f'How many times does the word "{wanted}" occur in this list?',
        f'Count how often exactly "{wanted}" is in the list.',
    )
    return ", ".join(words), questions, often


def _word_letters(dice: random.Random, size: int) -> _Counted:
    shortest = 3 if size <= 3 else 7
    word = dice.choice(words_of_length(shortest, shortest + 2))
    questions = (
        f'How many letters does the word "{word}" have?',
        f'The word "{word}" has how many letters?',
    )
    return "", questions, len(word)


def _letter(dice: random.Random, size: int) -> _Counted:
    text = " ".join(sentence_words(dice, size))
    letter = dice.choice(sorted(set("aeorntisl") & set(text)) or ["e"])
    questions = (
        f'How many times does the letter "{letter}" occur in the text above?',
        f'Count every "{letter}" in this text.',
        f'The letter "{letter}" appears how many times in the text?',
    )
    return text, questions, text.count(letter)


def _digits(dice: random.Random, size: int) -> _Counted:
    code = "".join(dice.choice("ABCDEFGHKLMNPRSTXYZ0123456789") for _ in range(size))
    digits = sum(one.isdigit() for one in code)
    questions = (
        "How many digits are in this code?",
        "Count the digits of the code, and not the letters.",
    )
    return f"Code: {code}", questions, digits


def _long_words(dice: random.Random, size: int) -> _Counted:
    words, least = sentence_words(dice, size), dice.choice((5, 6))
    questions = (
        f"How many words of the text have {least} or more letters?",
        f"Count the words above that have at least {least} letters.",
    )
    return " ".join(words), questions, sum(len(word) >= least for word in words)


def _different(dice: random.Random, size: int) -> _Counted:
    pool = distinct(dice, NOUNS, max(3, size * 2 // 3))
    words = [dice.choice(pool) for _ in range(size)]
    questions = (
        "How many different words are in this list?",
        "If every word is counted only once, how many words does the list have?",
    )
    return ", ".join(words), questions, len(set(words))


def _two_rules(dice: random.Random, size: int) -> _Counted:
    words = [dice.choice(WORDS) for _ in range(size)]
    first, last = dice.choice("bcpst"), dice.choice("elrty")
    questions = (
        f'How many words begin with "{first}" or end with "{last}"? With both, one counts once.',
        f'Count the words that start with "{first}" or have "{last}" as their last letter; '
        "count a word with both only once.",
    )
    found = sum(word[0] == first or word[-1] == last for word in words)
    return ", ".join(words), questions, found


def _not_both(dice: random.Random, size: int) -> _Counted:
    words = [dice.choice(WORDS) for _ in range(size)]
    letter, limit = dice.choice("aeor"), dice.choice((5, 6))
    questions = (
        f'How many words contain "{letter}" and have more than {limit} letters, or do neither?',
        f"Count the words for which both or none of these is true: it contains "
        f'"{letter}"; it has more than {limit} letters.',
    )
    found = sum((letter in word) == (len(word) > limit) for word in words)
    return ", ".join(words), questions, found


_Kind = Callable[[random.Random, int], _Counted]
_EASY: Sequence[_Kind] = (_items, _marks, _words, _repeats, _word_letters)
_MIDDLE: Sequence[_Kind] = (_items, _words, _repeats, _letter, _digits, _word_letters, _long_words)
_HARD: Sequence[_Kind] = (
    _letter,
    _digits,
    _repeats,
    _long_words,
    _different,
    _two_rules,
    _not_both,
)
