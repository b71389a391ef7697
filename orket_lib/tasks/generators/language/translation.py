"""Translation into German and Spanish, from a small glossary and stated rules."""

from __future__ import annotations

import random
from collections.abc import Sequence

from orket_lib.tasks.generators.drafts import Draft, of_text
from orket_lib.tasks.generators.language.translation_words import (
    ADJECTIVES,
    BEINGS,
    NUMBERS,
    THINGS,
    VERBS,
    Noun,
    Phrase,
    Verb,
    english,
    german,
    spanish,
)
from orket_lib.tasks.generators.words import distinct

NAME = "translation"
SUMMARY = "Translate into German or Spanish with a glossary and rules for articles and endings."

_CLAUSES = (0, 0, 2, 3, 4, 5)  # of the sentence, by level
_LANGUAGES = ("German", "Spanish")
_JOINED = {"German": " und ", "Spanish": " y "}
_DETERMINERS = ("the", "the*", "a", *NUMBERS)
_RULES = {
    "German": (
        "Articles: der (m), die (f), das (n), plural die. An adjective comes before its noun and"
        " ends in -e, in the plural in -en."
    ),
    "Spanish": (
        "Articles: el (m), la (f), plural los (m), las (f). An adjective follows its noun;"
        " -o becomes -a for f, and the plural adds -s."
    ),
}
_MORE_RULES = {
    "German": (
        ' "a" is ein (m, n) or eine (f), and the adjective then ends in -er (m), -e (f), -es (n).'
        " For a masculine object in the singular, der becomes den, ein becomes einen, and the"
        " adjective ends in -en. After a number the adjective ends in -e."
    ),
    "Spanish": ' "a" is un (m) or una (f). A number takes the place of the article.',
}
_ASKS = (
    'Translate into {0}: "{1}"',
    'What is "{1}" in {0}?',
    'Write this in {0}: "{1}"',
    'Say "{1}" in {0}.',
    '"{1}" - put this into {0}.',
)


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    language = dice.choice(_LANGUAGES)
    if level == 1:
        return _looked_up(dice, language)
    if level == 2:
        return _phrase(dice, language)
    return _sentence(dice, language, _CLAUSES[level - 1])


def _translated(phrase: Phrase, language: str, is_object: bool = False) -> str:
    return german(phrase, is_object) if language == "German" else spanish(phrase)


def _looked_up(dice: random.Random, language: str) -> Draft:
    """Return a task whose answer is the one line of a glossary, to be read in either direction."""
    if dice.random() < 0.2:
        here = dice.choice(sorted(ADJECTIVES))
        there = ADJECTIVES[here][language]
    else:
        noun = dice.choice((*BEINGS, *THINGS))
        phrase = Phrase(dice.choice(("the", "the", "the*", "a")), "", noun)
        here, there = english(phrase), _translated(phrase, language)
    glossary, into = f"{here} = {there}", language
    if dice.random() < 0.3:
        here, there, into = there, here, "English"
    ask = dice.choice(_ASKS).format(into, here)
    return of_text(ask, there, f"English = {language}\n{glossary}", ignore_case=True)


def _phrase(dice: random.Random, language: str) -> Draft:
    """Return a task on a noun with its article and an adjective."""
    nouns = distinct(dice, (*BEINGS, *THINGS), 3)
    adjectives = distinct(dice, sorted(ADJECTIVES), 3)
    phrase = Phrase(dice.choice(("the", "the*")), adjectives[0], nouns[0])
    ask = dice.choice(_ASKS).format(language, english(phrase))
    problem = _glossary(dice, language, nouns, adjectives, (), _RULES[language])
    return of_text(ask, _translated(phrase, language), problem, ignore_case=True)


def _sentence(dice: random.Random, language: str, clauses: int) -> Draft:
    """Return a task on clauses of a subject, a verb and an object, each of any number."""
    beings, things = distinct(dice, BEINGS, clauses + 1), distinct(dice, THINGS, clauses + 2)
    adjectives = distinct(dice, sorted(ADJECTIVES), 2 * clauses + 1)
    verbs = distinct(dice, VERBS, clauses + 1)
    ours, theirs = [], []
    for at in range(clauses):
        subject = Phrase(dice.choice(_DETERMINERS), adjectives[2 * at], beings[at])
        thing = Phrase(dice.choice(_DETERMINERS), adjectives[2 * at + 1], things[at])
        number = int(subject.is_plural)
        verb = verbs[at]
        ours.append(f"{english(subject)} {verb.english[number]} {english(thing)}")
        theirs.append(
            f"{_translated(subject, language)} {verb.forms[language][number]} "
            f"{_translated(thing, language, is_object=True)}"
        )
    rules = _RULES[language] + _MORE_RULES[language]
    problem = _glossary(dice, language, [*beings, *things], adjectives, verbs, rules)
    right = _written(_JOINED[language].join(theirs))
    ask = dice.choice(_ASKS).format(language, _written(" and ".join(ours)))
    return of_text(ask, right, problem)


def _written(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _glossary(
    dice: random.Random,
    language: str,
    nouns: Sequence[Noun],
    adjectives: Sequence[str],
    verbs: Sequence[Verb],
    rules: str,
) -> str:
    """Return the words of a task among others, and the rules."""
    lines = []
    for noun in nouns:
        forms = noun.forms[language]
        lines.append(f"{noun.english} = {forms.singular} ({forms.gender}), plural {forms.plural}")
    lines += [f"{one} = {ADJECTIVES[one][language]}" for one in adjectives]
    for verb in verbs:
        one, several = verb.forms[language]
        lines.append(f"{verb.english[0]} = {one}, {verb.english[1]} = {several}")
    if verbs:
        lines += [f"{number} = {words[language]}" for number, words in NUMBERS.items()]
    dice.shuffle(lines)
    return "\n".join([f"English = {language}", *lines, f"Rules. {rules}"])
