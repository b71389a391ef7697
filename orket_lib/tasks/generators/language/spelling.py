"""Spelling: letters of words taken, moved and changed by stated rules."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from orket_lib.tasks.generators.drafts import Draft, of_text
from orket_lib.tasks.generators.words import NOUNS, WORDS, distinct, ordinal, words_of_length

NAME = "spelling"
SUMMARY = "Take, move and change the letters of words by stated rules."

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_Step = tuple[tuple[str, ...], str]  # ways to say it, and the result
_Rule = Callable[[random.Random, str], _Step]


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    if level == 1:
        return _one_step(dice, dice.choice(_EASY), dice.choice(words_of_length(3, 7)))
    if level == 2:
        if dice.random() < 0.2:
            return _initials(dice, 4, 1)
        return _one_step(dice, dice.choice(_MIDDLE), dice.choice(words_of_length(4, 6)))
    if dice.random() < 0.15:
        return _initials(dice, 4 + 2 * level, dice.choice((2, 3)))
    return dice.choice((_chain, _chain, _palindrome, _interleaved))(dice, level)


def _one_step(dice: random.Random, rule: _Rule, word: str) -> Draft:
    wordings, result = rule(dice, word)
    said = dice.choice(wordings)
    wording = dice.choice(("Take the word {w}. {s}", "{s} The word is: {w}", "Word: {w}\n{s}"))
    return of_text(wording.format(w=f'"{word}"', s=said), result)


def _first(dice: random.Random, text: str) -> _Step:
    return ("Write its first letter.", "What is the first letter?"), text[0]


def _last(dice: random.Random, text: str) -> _Step:
    return ("Write its last letter.", "What is the last letter?"), text[-1]


def _capitals(dice: random.Random, text: str) -> _Step:
    return ("Write it in capital letters.", "Write all its letters as capitals."), text.upper()


def _nth(dice: random.Random, text: str) -> _Step:
    place = dice.randint(2, len(text) - 1)
    said = (f"Write its {ordinal(place)} letter.", f"Which letter is number {place} in it?")
    return said, text[place - 1]


def _reversed(dice: random.Random, text: str) -> _Step:
    return ("Write the letters in reverse order.", "Spell it backwards."), text[::-1]


def _no_vowels(dice: random.Random, text: str) -> _Step:
    left = "".join(one for one in text if one not in "aeiou")
    return ("Remove every vowel (a, e, i, o, u).", "Leave out each a, e, i, o and u."), left


def _ends_swapped(dice: random.Random, text: str) -> _Step:
    return ("Swap the first and the last letter.",), text[-1] + text[1:-1] + text[0]


def _doubled(dice: random.Random, text: str) -> _Step:
    return ("Write every letter twice in a row.",), "".join(one * 2 for one in text)


def _shifted(dice: random.Random, text: str, most: int = 1) -> _Step:
    by = dice.randint(1, most)
    table = str.maketrans(_ALPHABET, _ALPHABET[by:] + _ALPHABET[:by])
    places = "1 place" if by == 1 else f"{by} places"
    said = (f"Replace each letter by the one {places} later in the alphabet (a follows z).",)
    return said, text.translate(table)


def _far_shifted(dice: random.Random, text: str) -> _Step:
    return _shifted(dice, text, 9)


def _sorted(dice: random.Random, text: str) -> _Step:
    said = ("Sort the letters alphabetically.", "Put the letters in order from a to z.")
    return said, "".join(sorted(text))


def _rotated(dice: random.Random, text: str) -> _Step:
    by = dice.randint(2, 4)
    return (f"Move the first {by} letters to the end, in the same order.",), text[by:] + text[:by]


def _halves(dice: random.Random, text: str) -> _Step:
    half = len(text) // 2
    said = "Swap the two halves (a middle letter belongs to the second half)."
    return (said,), text[half:] + text[:half]


def _next_vowels(dice: random.Random, text: str) -> _Step:
    said = ("Change each a to e, each e to i, each i to o, each o to u and each u to a.",)
    return said, text.translate(str.maketrans("aeiou", "eioua"))


def _every_second_up(dice: random.Random, text: str) -> _Step:
    changed = "".join(one.upper() if n % 2 else one for n, one in enumerate(text))
    return ("Write the 2nd, 4th, 6th letter and so on as capitals.",), changed


def _chain(dice: random.Random, level: int) -> Draft:
    """Several rules on two joined words; the rule that makes capitals is the last one, if any."""
    words = distinct(dice, words_of_length(4 + level // 3, 5 + level // 2), 2)
    text = "".join(words)
    rules = distinct(dice, _STEPS, level)
    if dice.random() < 0.3:
        rules[-1] = _every_second_up
    lines = []
    for place, rule in enumerate(rules, start=1):
        wordings, text = rule(dice, text)
        lines.append(f"{place}. {dice.choice(wordings)}")
    opening = dice.choice(
        (
            'Join "{0}" and "{1}" to one string. Then apply these steps in order:',
            'Start with "{0}" directly followed by "{1}". Do the following, step by step:',
            'Write "{0}{1}" and change it by these rules, one after the other:',
        )
    ).format(*words)
    closing = "Write only the final string."
    return of_text("\n".join([opening, *lines, closing]), text)


def _initials(dice: random.Random, count: int, place: int) -> Draft:
    words = distinct(dice, [word for word in WORDS if len(word) >= max(3, place)], count)
    which = "first" if place == 1 else ordinal(place)
    said = dice.choice(
        (
            f"Write the {which} letter of each of these words as one string of lower-case letters.",
            f"Join the {which} letters of the words, in their order, without spaces.",
        )
    )
    result = "".join(word[place - 1] for word in words)
    return of_text(said, result, " ".join(words))


def _palindrome(dice: random.Random, level: int) -> Draft:
    """One string of many reads the same backwards; the others fail by one pair of letters."""
    strings = []
    for number in range(3 * level):
        half = "".join(dice.choice(_ALPHABET) for _ in range(2 + level // 2))
        back = half[::-1]
        if number:
            place = dice.randrange(len(back))
            wrong = dice.choice([one for one in _ALPHABET if one != back[place]])
            back = back[:place] + wrong + back[place + 1 :]
        strings.append(half + dice.choice(_ALPHABET) + back)
    right = strings[0]
    dice.shuffle(strings)
    said = dice.choice(
        (
            "Exactly one of these strings reads the same forwards and backwards. Write it.",
            "Find the one palindrome among the strings.",
        )
    )
    backwards = "Then write its letters after the middle one, in capitals."
    result = right[len(right) // 2 + 1 :].upper()
    said = f"{said} {backwards} Write only these capitals."
    return of_text(said, result, " ".join(strings))


def _interleaved(dice: random.Random, level: int) -> Draft:
    length = dice.randint(4 + level // 3, 7)
    one, other = distinct(dice, [word for word in NOUNS if len(word) == length], 2)
    text = "".join(a + b for a, b in zip(one, other, strict=True))
    lines = []
    for rule in distinct(dice, _STEPS, level - 1):
        wordings, text = rule(dice, text)
        lines.append(dice.choice(wordings))
    opening = f'Take the letters of "{one}" and "{other}" in turns, beginning with "{one}".'
    said = " ".join([opening, *lines, "Write only the final string."])
    return of_text(said, text)


_EASY: Sequence[_Rule] = (_first, _first, _first, _last, _capitals)
_MIDDLE: Sequence[_Rule] = (_nth, _reversed, _no_vowels, _ends_swapped, _doubled, _shifted, _sorted)
_STEPS: Sequence[_Rule] = (_reversed, _ends_swapped, _sorted, _rotated, _halves, _next_vowels,
                           _far_shifted, _no_vowels)  # fmt: skip
