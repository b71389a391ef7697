"""Text editing: words of a sentence replaced, deleted, moved and capitalised by stated rules."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from orket_lib.tasks.generators.drafts import Draft, of_text
from orket_lib.tasks.generators.sentences import clauses
from orket_lib.tasks.generators.words import NOUNS, distinct, ordinal

NAME = "text_editing"
SUMMARY = "Replace, delete, move and capitalise words by stated rules."

_CLAUSES = ((1, False), (1, True), (2, False), (2, True), (3, True), (4, True))  # by level
_RULES = (1, 2, 4, 5, 6, 7)
_Words = list[str]
_Edit = tuple[str, _Words]  # the rule in words, and the result
_Rule = Callable[[random.Random, _Words], _Edit]
_OPENINGS = (
    "Edit the sentence above.",
    "Change the text by the rules below.",
    "Rewrite the sentence as follows.",
    "Apply this to the text above.",
    "Correct the sentence with the steps given here.",
)
_CLOSINGS = ("Write only the new text.", "Give the edited text alone.", "Write nothing else.")


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    words = clauses(dice, *_CLAUSES[level - 1])
    before, said = " ".join(words), []
    for rule in _rules(dice, level):
        wording, words = rule(dice, words)
        said.append(wording)
    steps = (
        said[0] if level == 1 else "\n".join(f"{n}. {one}" for n, one in enumerate(said, start=1))
    )
    order = "" if level == 1 else " The steps are done one after the other."
    parts = [dice.choice(_OPENINGS) + order, steps, dice.choice(_CLOSINGS)]
    return of_text("\n".join(parts), " ".join(words), before)


def _rules(dice: random.Random, level: int) -> Sequence[_Rule]:
    """Return rules; one that changes case is the last, so that words are found as they are."""
    if level <= 2:
        return distinct(dice, _EASY if level == 1 else _MIDDLE, level)
    return [*distinct(dice, _HARD, _RULES[level - 1] - 1), dice.choice(_CASES)]


def _content(dice: random.Random, words: _Words) -> str:
    """Return a word that occurs once, where there is one; rather a noun than another."""
    once = [word for word in words if words.count(word) == 1] or words
    return dice.choice([word for word in once if word in NOUNS] or once)


def _replaced(dice: random.Random, words: _Words) -> _Edit:
    old, new = _content(dice, words), dice.choice(NOUNS)
    said = dice.choice(('Replace "{0}" by "{1}".', 'Write "{1}" instead of "{0}".'))
    return said.format(old, new), [new if word == old else word for word in words]


def _articles(dice: random.Random, words: _Words) -> _Edit:
    new = dice.choice(("this", "that", "one", "every", "each"))
    return f'Replace every "the" by "{new}".', [new if one == "the" else one for one in words]


def _deleted(dice: random.Random, words: _Words) -> _Edit:
    old = _content(dice, words)
    said = dice.choice(('Delete the word "{0}".', 'Leave out the word "{0}".')).format(old)
    return said, [word for word in words if word != old]


def _added(dice: random.Random, words: _Words) -> _Edit:
    new = dice.choice(NOUNS)
    said = dice.choice(('Add the word "{0}" at the end.', 'Put "{0}" behind the last word.'))
    return said.format(new), [*words, new]


def _led(dice: random.Random, words: _Words) -> _Edit:
    new = dice.choice(("today", "often", "maybe", "later", "soon", "again", "now", "here"))
    return f'Add the word "{new}" at the beginning.', [new, *words]


def _all_capitals(dice: random.Random, words: _Words) -> _Edit:
    said = dice.choice(("Write everything in capital letters.", "Turn all letters into capitals."))
    return said, [word.upper() for word in words]


def _copied(dice: random.Random, words: _Words) -> _Edit:
    return dice.choice(("Change nothing: copy it.", "Copy it word for word.")), words


def _backwards(dice: random.Random, words: _Words) -> _Edit:
    said = ("Reverse the order of the words.", "Put the words in the opposite order.")
    return dice.choice(said), words[::-1]


def _ends(dice: random.Random, words: _Words) -> _Edit:
    return "Swap the first and the last word.", [words[-1], *words[1:-1], words[0]]


def _to_front(dice: random.Random, words: _Words) -> _Edit:
    return "Move the last word to the front.", [words[-1], *words[:-1]]


def _one_deleted(dice: random.Random, words: _Words) -> _Edit:
    place = dice.randint(2, len(words) - 1)
    return f"Delete the {ordinal(place)} word.", [*words[: place - 1], *words[place:]]


def _inserted(dice: random.Random, words: _Words) -> _Edit:
    known = _content(dice, words)
    new, before = dice.choice(NOUNS), dice.random() < 0.5
    where = "before" if before else "after"
    pair = [new, known] if before else [known, new]
    parts = [pair if word == known else [word] for word in words]
    return f'Insert "{new}" directly {where} each "{known}".', [
        one for part in parts for one in part
    ]


def _length_deleted(dice: random.Random, words: _Words) -> _Edit:
    lengths = sorted({len(word) for word in words if len(word) > 3})
    length = dice.choice(lengths[1:] or lengths)
    left = [word for word in words if len(word) != length]
    return f"Delete every word of exactly {length} letters.", left


def _word_reversed(dice: random.Random, words: _Words) -> _Edit:
    place = dice.randint(1, min(9, len(words)))
    changed = words[place - 1][::-1]
    said = f"Spell the {ordinal(place)} word backwards."
    return said, [*words[: place - 1], changed, *words[place:]]


def _neighbours(dice: random.Random, words: _Words) -> _Edit:
    pairs = [words[at : at + 2][::-1] for at in range(0, len(words), 2)]
    said = "Swap the words of each pair (1st and 2nd, 3rd and 4th, and so on)."
    return said, [word for pair in pairs for word in pair]


def _moved(dice: random.Random, words: _Words) -> _Edit:
    count = dice.choice((3, 4))
    said = f"Move the first {count} words to the end, in the same order."
    return said, words[count:] + words[:count]


def _every_third(dice: random.Random, words: _Words) -> _Edit:
    step = dice.choice((2, 3))
    said = f"Write every {ordinal(step)} word in capitals, beginning with the {ordinal(step)}."
    return said, [one if at % step else one.upper() for at, one in enumerate(words, start=1)]


def _letter_capitals(dice: random.Random, words: _Words) -> _Edit:
    letter = dice.choice(sorted({word[0] for word in words}))
    said = f'Write in capitals each word that begins with "{letter}".'
    return said, [one.upper() if one[0] == letter else one for one in words]


def _title(dice: random.Random, words: _Words) -> _Edit:
    least = dice.choice((4, 5, 6))
    said = f"Write only the first letter as a capital in each word of {least} or more letters."
    return said, [one.capitalize() if len(one) >= least else one for one in words]


def _vowel_capitals(dice: random.Random, words: _Words) -> _Edit:
    said = "Write in capitals each word with exactly two vowels (a, e, i, o, u)."
    return said, [
        one.upper() if sum(map(one.count, "aeiou")) == 2 else one for one in words
    ]  # fmt: skip


_EASY: Sequence[_Rule] = (_replaced, _added, _led, _all_capitals, _copied)
_MIDDLE: Sequence[_Rule] = (_replaced, _articles, _deleted, _added, _led, _to_front)
_HARD: Sequence[_Rule] = (_replaced, _deleted, _ends, _backwards, _one_deleted, _inserted,
                          _length_deleted, _word_reversed, _neighbours, _moved)  # fmt: skip
_CASES: Sequence[_Rule] = (_every_third, _letter_capitals, _title, _vowel_capitals)
