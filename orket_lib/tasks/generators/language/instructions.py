"""Instructions: a text of the model's own, under constraints that can be counted."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.judging import has_word, holds, lacks_letter, word_count
from orket_lib.tasks.generators.words import NOUNS, WORDS, distinct, ordinal

NAME = "instructions"
SUMMARY = "Write a text that keeps countable constraints: length, words, letters, case, bullets."

_ASKS = (
    "Write a text about a {0}.",
    "Say something about a {0}.",
    "Write about the following: a {0}.",
    "A {0} is your subject; write about it.",
    "Describe a {0}.",
)
_Rule = tuple[str, str]  # in words, and as a condition of a regular expression
_Asked = tuple[list[_Rule], str]  # the rules, and a text that keeps them


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    subject = dice.choice([noun for noun in NOUNS if noun[0] not in "aeiou"])
    kinds = _EASY if level == 1 else _MIDDLE if level == 2 else _HARD
    rules, answer = dice.choice(kinds)(dice, level)
    said = f"{dice.choice(_ASKS).format(subject)} {rules[0][0]}"
    if level > 1:
        ask = f"{dice.choice(_ASKS).format(subject)} Keep to these rules:"
        said = "\n".join([ask, *(f"- {line}" for line, _ in rules)])
    return Draft(said, holds(*(condition for _, condition in rules)), answer)


def _has(word: str) -> _Rule:
    return f'Use the word "{word}".', has_word(word)


def _begins(word: str) -> _Rule:
    return f'The first word is "{word}".', rf"(?=\W*(?i:{word})\b)"


def _ends(word: str) -> _Rule:
    return f'The last word is "{word}".', rf"(?=.*\b(?i:{word})\W*\Z)"


def _counted(count: int) -> _Rule:
    return f"The text has exactly {count} words.", word_count(count)


def _sentences(count: int) -> _Rule:
    said = f"Write exactly {count} sentences; each ends with a full stop."
    return said, rf"(?=(?:[^.!?]*\w[^.!?]*\.(?=\s|\Z)){{{count}}}\Z)"


def _lower() -> _Rule:
    return "Use no capital letters.", "(?!.*[A-Z])"


def _upper() -> _Rule:
    return "Use capital letters only.", "(?!.*[a-z])(?=.*[A-Z])"


def _without(letter: str) -> _Rule:
    return f'The letter "{letter}" does not occur.', lacks_letter(letter)


def _plain() -> _Rule:
    return "Use only letters and spaces: no punctuation, no line breaks.", r"(?=[A-Za-z ]+\Z)"


def _at(place: int, word: str) -> _Rule:
    said = f'The {ordinal(place)} word is "{word}".'
    return said, rf"(?=\s*(?:\S+\s+){{{place - 1}}}\W*(?i:{word})\b)"


def _bullets(count: int, words: int) -> _Rule:
    each = f" of exactly {words} words" if words else ""
    line = r"- \S+" + (rf"(?: \S+){{{words - 1}}}" if words else "[^\n]*")
    said = f'Write exactly {count} lines that each begin with "- ", followed by a text{each}.'
    return said, rf"(?=(?:{line}(?:\n|\Z)){{{count}}}\Z)"


def _easy_word(dice: random.Random, level: int) -> _Asked:
    word, other = distinct(dice, NOUNS, 2)
    return [_has(word)], f"The {other} and the {word} are old."


def _easy_begin(dice: random.Random, level: int) -> _Asked:
    word = dice.choice(
        ("Today", "Look", "Once", "Maybe", "Often", "Here", "Yesterday", "Sometimes")
    )
    return [_begins(word)], f"{word} there is a {dice.choice(NOUNS)}."


def _easy_question(dice: random.Random, level: int) -> _Asked:
    word = dice.choice(NOUNS)
    said = f'Write it as one question that has the word "{word}" in it.'
    return [(said, rf"{has_word(word)}(?=[^?]*\?\s*\Z)")], f"Where is the {word}?"


def _easy_bullets(dice: random.Random, level: int) -> _Asked:
    count = dice.choice((2, 3))
    return [_bullets(count, 0)], _listed(distinct(dice, NOUNS, count))


def _easy_repeat(dice: random.Random, level: int) -> _Asked:
    word, count = dice.choice(NOUNS), dice.choice((2, 3))
    said = f'Write nothing but the word "{word}", {count} times, with spaces between.'
    return [(said, rf"(?=(?i:{word}(?: {word}){{{count - 1}}})\Z)")], " ".join([word] * count)


def _middle_count(dice: random.Random, level: int) -> _Asked:
    words = distinct(dice, NOUNS, dice.randint(4, 7))
    return [_counted(len(words)), _has(dice.choice(words))], " ".join(words)


def _middle_case(dice: random.Random, level: int) -> _Asked:
    words = distinct(dice, NOUNS, 5)
    text, upper = " ".join(words), dice.random() < 0.5
    rule = _upper() if upper else _lower()
    return [rule, _has(words[2])], text.upper() if upper else text


def _middle_ends(dice: random.Random, level: int) -> _Asked:
    words = distinct(dice, NOUNS, 5)
    return [_begins(words[0]), _ends(words[-1])], " ".join(words)


def _middle_sentences(dice: random.Random, level: int) -> _Asked:
    count = dice.choice((2, 3))
    words = distinct(dice, NOUNS, count)
    return [_sentences(count), _has(words[-1])], " ".join(f"A {word} is here." for word in words)


def _middle_bullets(dice: random.Random, level: int) -> _Asked:
    words = distinct(dice, NOUNS, dice.randint(3, 5))
    return [_bullets(len(words), 0), _has(words[1])], _listed(words)


def _free(dice: random.Random, letter: str, count: int) -> list[str]:
    """Return words without a letter."""
    return distinct(dice, [word for word in WORDS if letter not in word], count)


def _hard_places(dice: random.Random, level: int) -> _Asked:
    letter = dice.choice("eaoritn"[: 9 - level] if level < 5 else "ea")
    words = _free(dice, letter, dice.randint(3 * level, 4 * level))
    case, text = (_lower(), " ".join(words))
    if dice.random() < 0.4:
        case, text = _upper(), text.upper()
    places = sorted(distinct(dice, range(2, len(words) - 1), level - 1))
    rules = [_counted(len(words)), _without(letter), case, _plain(), _ends(words[-1])]
    rules += [_at(place, words[place - 1]) for place in places]
    return dice.sample(rules, len(rules)), text


def _hard_bullets(dice: random.Random, level: int) -> _Asked:
    letter, each = dice.choice("eaosr"), dice.randint(3, 2 + level // 2 + 1)
    lines = [" ".join(_free(dice, letter, each)) for _ in range(level + dice.randint(1, 2))]
    rules = [_bullets(len(lines), each), _without(letter)]
    for at in sorted(distinct(dice, range(len(lines)), level - 1)):
        word = lines[at].split()[-1]
        condition = rf"(?=(?:[^\n]*\n){{{at}}}[^\n]*\b(?i:{word})\W*?(?:\n|\Z))"
        rules.append((f'The last word of line {at + 1} is "{word}".', condition))
    return rules, _listed(lines)


def _hard_initials(dice: random.Random, level: int) -> _Asked:
    long = [word for word in WORDS if level + 2 <= len(word) <= level + 5]
    spelled = dice.choice([one for one in long if all(map(_starts, one))])
    words = [dice.choice(_starts(letter)) for letter in spelled]
    longest, last = max(map(len, words)), words[-1]
    initials = r"\s+".join(rf"{letter}\w*" for letter in spelled)
    rules = [
        (f'The first letters of the words, in order, spell "{spelled}".', rf"(?={initials}\Z)"),
        _plain(),
        _lower(),
        (f"No word has more than {longest} letters.", rf"(?!.*\w{{{longest + 1}}})"),
        (f"The last word has {len(last)} letters.", rf"(?=.*\b\w{{{len(last)}}}\Z)"),
    ]
    return rules, " ".join(words)


def _starts(letter: str) -> list[str]:
    return [word for word in WORDS if word[0] == letter]


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


_Kind = Callable[[random.Random, int], _Asked]
_EASY: Sequence[_Kind] = (_easy_word, _easy_begin, _easy_question, _easy_bullets, _easy_repeat)
_MIDDLE: Sequence[_Kind] = (_middle_count, _middle_case, _middle_ends, _middle_sentences,
                            _middle_bullets)  # fmt: skip
_HARD: Sequence[_Kind] = (_hard_places, _hard_places, _hard_bullets, _hard_initials)
