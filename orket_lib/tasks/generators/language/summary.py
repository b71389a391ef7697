"""Summaries: a short text made shorter under constraints that can be counted."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.judging import exact, has_word, holds, word_count
from orket_lib.tasks.generators.sentences import draw_sentences
from orket_lib.tasks.generators.words import NAMES, OBJECTS, PLACES, distinct, listing, ordinal

NAME = "summary"
SUMMARY = "Shorten a text: its first words, some sentences, a headline of its own words."

_SENTENCES = (2, 4, 6, 8, 10, 12)  # of a text, by level
_UNIQUE = (*NAMES, *OBJECTS)  # no sentence shares one with another
_KEY_TERMS = (*_UNIQUE, *PLACES)
_Sentence = list[str]
_Asked = tuple[str, dict[str, object], str]  # the instruction, the grader, an answer


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    sentences = draw_sentences(dice, _SENTENCES[level - 1])
    text = " ".join(f"{' '.join(words)}." for words in sentences)
    kinds = _EASY if level == 1 else _MIDDLE if level == 2 else _HARD
    said, evaluation, answer = dice.choice(kinds)(dice, sentences, level)
    return Draft(said, evaluation, answer, text)


def _said(words: Sequence[str]) -> str:
    return f"{' '.join(words)}."


def _quoted(words: Sequence[str]) -> str:
    return listing([f'"{word}"' for word in words])


def _bare(words: Sequence[str]) -> list[str]:
    return [word.strip(",") for word in words]


def _first_sentence(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    said = dice.choice(("Shorten the text to its first sentence.", "Copy only the first sentence."))
    return said, exact(_said(text[0])), _said(text[0])


def _last_sentence(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    said = dice.choice(("Copy only the last sentence.", "Shorten the text to its last sentence."))
    return said, exact(_said(text[-1])), _said(text[-1])


def _first_word(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    said = dice.choice(("What is the first word of the text?", "Write the word that comes first."))
    return said, exact(text[0][0]), text[0][0]


def _last_word(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    said = dice.choice(("What is the last word of the text?", "Write the word that comes last."))
    return f"{said} Leave out the full stop.", exact(text[-1][-1]), text[-1][-1]


def _key_term(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    term = dice.choice([word for word in text[0] if word in NAMES])
    length = sum(map(len, text))
    said = f'Sum up the text in fewer than {length} words, with the word "{term}" among them.'
    shorter = rf"(?!\s*\S+(?:\s+\S+){{{length - 1}}})"
    return said, holds(has_word(term), shorter), _said(text[0])


def _first_words(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    every = [word for words in text for word in _bare(words)]
    count = dice.randint(4, 9)
    said = f"Write the first {count} words of the text, without punctuation."
    return said, exact(" ".join(every[:count])), " ".join(every[:count])


def _one_about(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    chosen = dice.choice(text)
    term = dice.choice([word for word in chosen if word in _UNIQUE])
    said = dice.choice(
        (
            'Copy the one sentence that mentions "{0}".',
            'Shorten the text to what it says of "{0}": one sentence, word for word.',
        )
    )
    return said.format(term), exact(_said(chosen)), _said(chosen)  # fmt: skip


def _one_dropped(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    place = dice.randrange(len(text))
    rest = " ".join(_said(words) for at, words in enumerate(text) if at != place)
    said = f"Drop the {ordinal(place + 1)} sentence, and write the others as they are."
    return said, exact(rest), rest


def _nth_sentence(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    place = dice.randint(2, len(text))
    said = f"Write only the {ordinal(place)} sentence of the text."
    return said, exact(_said(text[place - 1])), _said(text[place - 1])


def _lasts(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    result = " ".join(words[-1] for words in text)
    said = "Write the last word of each sentence, in order, with spaces between and no full stops."
    return said, exact(result), result


def _both_ends(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    second = dice.randint(2, 4)
    words = [word for one in text for word in (_bare(one)[second - 1], one[-1])]
    said = (
        f"Take from each sentence its {ordinal(second)} and its last word. Write all of them in the"
        " order of the text, with spaces between and without punctuation."
    )
    return said, exact(" ".join(words)), " ".join(words)


def _stretch(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    every = [word for words in text for word in _bare(words)]
    first, count = dice.randint(9, 9 * (level - 1)), dice.randint(5, 9)
    result = " ".join(every[first - 1 : first - 1 + count])
    said = (
        f"Number all words of the text from 1. Write the words {first} to {first + count - 1}, "
        "without punctuation."
    )
    return said, exact(result), result


def _by_name(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    by_name = sorted(text, key=lambda words: next(one for one in words if one in NAMES))
    result = " ".join(words[-1] for words in by_name)
    said = (
        "Each sentence has the name of one person. Put the sentences in the alphabetical order of "
        "these names, and write only the last word of each: spaces between, no full stops."
    )
    return said, exact(result), result


def _by_length(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    """Sentences of an odd or an even number of words, reduced to names or last words."""
    odd = len(dice.choice(text)) % 2
    chosen = [words for words in text if len(words) % 2 == odd]
    number = "an odd" if odd else "an even"
    result = " ".join(f"{len(words)} {words[-1]}" for words in reversed(chosen))
    said = (
        f"Look only at the sentences that have {number} number of words. Going from the last of "
        "them to the first, write how many words the sentence has, and then its last word. Put "
        "spaces between, and no punctuation."
    )
    return said, exact(result), result


def _headline(dice: random.Random, text: list[_Sentence], level: int) -> _Asked:
    """Some words of the text in their order, among them given ones and none of others.

    The pattern takes each word where it occurs first, so it never has to go back.
    """
    every = [word for words in text for word in _bare(words)]
    count = dice.randint(4 + 2 * level, 6 + 2 * level)
    kept = sorted(distinct(dice, range(len(every)), count))
    answer = [every[at] for at in kept]
    terms = [word for word in answer if word in _KEY_TERMS][: level + 1]
    if len(terms) < 3:
        return _headline(dice, text, level)
    unwanted = [word for word in dict.fromkeys(every) if word.islower() and word not in answer]
    banned = distinct(dice, unwanted, min(2, len(unwanted)))
    order = "(?=(?>" + "".join(rf"(?:{one}\b ?)?" for one in every) + r")\Z)"
    said = (
        f"Write a headline of exactly {count} words. Every word is taken from the text, as it is "
        "written there, and no word of the text is used more often than it occurs. The words keep "
        f"the order that they have in the text. {_quoted(terms)} occur in "
        f"it; {_quoted(banned)} do not. No punctuation."
    )
    conditions = [word_count(count), order, *map(has_word, terms)]
    conditions += [rf"(?!.*\b{one}\b)" for one in banned]
    return said, holds(*conditions), " ".join(answer)


_Kind = Callable[[random.Random, list[_Sentence], int], _Asked]
_EASY: Sequence[_Kind] = (_first_sentence, _last_sentence, _first_word, _last_word, _key_term)
_MIDDLE: Sequence[_Kind] = (_first_words, _one_about, _one_dropped, _nth_sentence, _lasts)
_HARD: Sequence[_Kind] = (_both_ends, _by_length, _by_name, _stretch, _headline)
