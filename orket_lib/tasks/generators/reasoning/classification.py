"""Few labels, with the rules for them in the prompt."""

from __future__ import annotations

import random

from orket_lib.tasks.generators.drafts import Draft, of_json, of_label
from orket_lib.tasks.generators.reasoning.message_rules import (
    Condition,
    Message,
    condition,
    message_of,
)
from orket_lib.tasks.generators.words import (
    ANIMALS,
    FOODS,
    NAMES,
    THINGS,
    TOOLS,
    TOWNS,
    amount,
    singular,
    with_article,
)

NAME = "classification"
SUMMARY = "reviews, words and messages put under one of a few labels by rules in the prompt"

_PRAISED = (
    "I love it.",
    "It is wonderful.",
    "Great quality.",
    "It works perfectly.",
    "I am very happy with it.",
    "The best one I ever had.",
)
_BLAMED = (
    "I hate it.",
    "It is terrible.",
    "Awful quality.",
    "It broke on the first day.",
    "I am very angry about it.",
    "The worst one I ever had.",
)
_REVIEWS = (
    "Review of {a_thing}: {said} {more}",
    "{name} writes about {a_thing}: {said} {more}",
    "I bought this {thing} in {town}. {said} {more}",
    "{said} {more} My {thing} came from {town}.",
    "This is my new {thing}. {said} {more}",
)
_FEELING = (
    "Is this review positive or negative? Answer with one of these two words.",
    "Is this review positive or negative?",
    "Is this a positive or a negative review?",
    "Positive or negative: which of the two is this review?",
    "Does the writer give a positive or a negative review?",
)
_FEELINGS = ("positive", "negative")
_SORTS = {"animal": ANIMALS, "food": FOODS, "tool": TOOLS}
_TOPIC = (
    "What is {a_word}: animal, food or tool? Answer with one of these three words.",
    "{name} drew {a_word}. Is that an animal, a food or a tool? Answer with one word.",
    "Put the word {word} under one of the labels animal, food, tool.",
    "In {town} there is a picture of {a_word}. Which label fits: animal, food or tool?",
    "{name} from {town} thinks of {a_word}. Label it with one word: animal, food or tool.",
)
_SCALES = (
    ("parcel", "weighs {} kilograms", ("light", "normal", "heavy"), "kilograms"),
    ("fault", "affects {} people", ("low", "medium", "high"), "people"),
    ("order", "is over {} euros", ("small", "standard", "large"), "euros"),
    ("trip", "is {} kilometres long", ("short", "average", "far"), "kilometres"),
    ("oven", "is at {} degrees", ("cool", "warm", "hot"), "degrees"),
    ("queue", "has {} people in it", ("quiet", "usual", "crowded"), "people"),
)
_SCALED = (
    "The {subject} of {name} {said}. Which label fits?",
    "In {town}, {a_subject} {said}. Give its label.",
    "{name} from {town} reports: the {subject} {said}. How is it labelled?",
    "Label this: {a_subject} in {town} {said}.",
    "Today the {subject} of {name} in {town} {said}. Which of the labels does it get?",
)
_LABELS = ("billing", "repair", "sales", "legal", "support", "storage", "export", "archive")
_MESSAGES = (
    "{name} from {town} wrote on {day} about {amount}.",
    "On {day}, {name} asked for {amount} to be sent to {town}.",
    "{amount}, says {name} of {town} in a note of {day}.",
    "From {town}, {day}: {name} has a question on {amount}.",
    "{day}: {amount} for {name} in {town}.",
)


def make(dice: random.Random, level: int) -> Draft:
    """Return a task: a feeling or a topic, a scale, or messages under rules in an order."""
    if level == 1:
        return dice.choice((_feeling, _feeling, _feeling, _topic))(dice)
    return _scale(dice) if level == 2 else _messages(dice, level)


def _feeling(dice: random.Random) -> Draft:
    feeling = dice.choice(_FEELINGS)
    said, more = dice.sample(_PRAISED if feeling == "positive" else _BLAMED, 2)
    thing, owner, town = singular(dice.choice(THINGS)), dice.choice(NAMES), dice.choice(TOWNS)
    facts = {"thing": thing, "a_thing": with_article(thing), "name": owner, "town": town}
    facts |= {"said": said, "more": more}
    review = dice.choice(_REVIEWS).format(**facts)
    return of_label(dice.choice(_FEELING), feeling, _FEELINGS, review)


def _topic(dice: random.Random) -> Draft:
    sort = dice.choice(tuple(_SORTS))
    word = dice.choice(_SORTS[sort])
    facts = {"name": dice.choice(NAMES), "town": dice.choice(TOWNS), "word": word}
    asked = dice.choice(_TOPIC).format(a_word=with_article(word), **facts)
    return of_label(asked, sort, _SORTS)


def _scale(dice: random.Random) -> Draft:
    subject, said, labels, unit = dice.choice(_SCALES)
    low = dice.randint(10, 60)
    high = low + dice.randint(15, 90)
    place = dice.randrange(3)
    value = dice.randint(*((2, low - 1), (low, high), (high + 1, high + 60))[place])
    rule = (
        f"The label is {labels[0]} for less than {low} {unit}, {labels[1]} for {low} to {high} "
        f"{unit}, and {labels[2]} for more than {high} {unit}."
    )
    facts = {"subject": subject, "a_subject": with_article(subject), "said": said.format(value)}
    facts |= {"name": dice.choice(NAMES), "town": dice.choice(TOWNS)}
    return of_label(dice.choice(_SCALED).format(**facts), labels[place], labels, rule)


def _messages(dice: random.Random, level: int) -> Draft:
    """Return messages, each of which gets the label of the first rule that fits."""
    messages = [message_of(dice) for _ in range(level + 2)]
    labels = dice.sample(_LABELS, level + 2)
    rules = [condition(dice, messages) for _ in labels[1:]]
    found = [_label(message, rules, labels) for message in messages]
    if len(set(found)) < 3:
        return _messages(dice, level)
    lines = ["The first rule that fits a message gives its label:"]
    numbered = [f"{test.words}: {one}" for test, one in zip(rules, labels, strict=False)]
    lines += [f"{place}. {line}" for place, line in enumerate(numbered, 1)]
    lines += [f"{level + 2}. any other message: {labels[-1]}", "", "Messages:"]
    lines += [_shown(dice, message) for message in messages]
    asked = "Write the labels of the messages, in their order, as a JSON list of texts."
    return of_json(asked, found, "\n".join(lines))


def _label(message: Message, rules: list[Condition], labels: list[str]) -> str:
    fits = (one for test, one in zip(rules, labels, strict=False) if test.holds(message))
    return next(fits, labels[-1])


def _shown(dice: random.Random, message: Message) -> str:
    shown = amount(message.count, message.things)
    facts = {"name": message.name, "town": message.town, "day": message.day, "amount": shown}
    return f"- {dice.choice(_MESSAGES).format(**facts)}"
