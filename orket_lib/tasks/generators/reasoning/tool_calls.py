"""Tool calls: one of the offered tools is chosen, and the call is written as JSON."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.words import NAMES, OBJECTS, PLACES, TOWNS, distinct

NAME = "tool_calls"
SUMMARY = "Choose one of 1, 5 or 20 tools that are offered as JSON and write the call as JSON."

_OFFERED = (1, 5, 20, 24, 28, 32)  # tools, by level
_TAKEN = (1, 2, 3, 4, 5, 5)  # arguments of a tool
_CALLS = (1, 1, 1, 2, 2, 3)
_Value = tuple[str, Any]  # as the request says it, and as the call has it


@dataclass(frozen=True)
class _Argument:
    """One argument of a tool: its name, and how a request says it."""

    name: str
    phrase: str
    value: Callable[[random.Random, int], _Value]


def _one_of(values: Sequence[str]) -> Callable[[random.Random, int], _Value]:
    def draw(dice: random.Random, level: int) -> _Value:
        value = dice.choice(values)
        return value, value

    return draw


def _whole(dice: random.Random, level: int) -> _Value:
    value = dice.randint(2, 9) if level == 1 else dice.randint(11, 95)
    dozens = dice.randint(2, 7)
    return (str(value), value) if level < 3 else (f"{dozens} dozen", 12 * dozens)


def _minutes(dice: random.Random, level: int) -> _Value:
    value = dice.choice((10, 20, 40, 50))
    hours = dice.randint(2, 5)
    return (
        (f"{value} minutes", value) if level < 3 else (f"{hours} and a half hours", 60 * hours + 30)
    )


def _clock(dice: random.Random, level: int) -> _Value:
    hour, minute = dice.randint(1, 11), dice.choice((15, 30, 45))
    if level < 3:
        return f"{hour + 12}:{minute}", f"{hour + 12}:{minute}"
    words = {15: f"a quarter past {hour}", 30: f"half past {hour}", 45: f"a quarter to {hour + 1}"}
    return f"{words[minute]} in the afternoon or evening", f"{hour + 12}:{minute}"


def _urgency(dice: random.Random, level: int) -> _Value:
    if dice.random() < 0.5:
        return dice.choice(("as something urgent", "urgently")), True
    return dice.choice(("with no urgency", "without any hurry")), False


_FIRST = (
    _Argument("person", "for {0}", _one_of(NAMES)),
    _Argument("town", "in {0}", _one_of(TOWNS)),
    _Argument("item", 'with the item "{0}"', _one_of(OBJECTS)),
    _Argument("place", 'at the place "{0}"', _one_of(PLACES)),
)
_FURTHER = (
    _Argument("count", "with a count of {0}", _whole),
    _Argument("minutes", "lasting {0}", _minutes),
    _Argument("time", "at {0}", _clock),
    _Argument("urgent", "{0}", _urgency),
)
_THINGS = (
    "order",
    "invoice",
    "meeting",
    "ticket",
    "parcel",
    "report",
    "alarm",
    "booking",
    "lesson",
)
_VERBS = {
    "create": ("create", "set up", "add"),
    "cancel": ("cancel", "call off", "withdraw"),
    "move": ("move", "reschedule", "shift"),
    "find": ("look up", "search for", "find"),
    "copy": ("copy", "duplicate", "make a second one of"),
    "print": ("print", "put on paper", "make a printout of"),
}
_TYPES = (
    "Types: count, minutes: whole numbers; urgent: true or false; time: HH:MM, 24 hours; "
    "others: text."
)
_OPENINGS = (
    "Please {0}",
    "I need you to {0}",
    "You are asked to {0}",
    "My request: {0}",
    "Now {0}",
)
Tool = tuple[str, tuple[_Argument, ...]]


def make(dice: random.Random, level: int) -> Draft:
    """Return a task of a level from 1 to 6."""
    tools = tools_on_offer(dice, level)
    calls = [call_of(dice, level, tool) for tool in distinct(dice, tools, _CALLS[level - 1])]
    wanted = [call for _, call in calls]
    expected = wanted[0] if len(wanted) == 1 else wanted
    said = " After that: ".join(text for text, _ in calls)
    form = "as JSON: " + _skeleton(wanted[0] if level == 1 else None)
    how = "Write the call of the right tool" if len(calls) == 1 else "Write a list of all calls"
    offered = _offered(tools, level)
    return Draft(
        f"Request: {said}\n{how} {form}",
        {"type": "tool_call", "expected": expected},
        json.dumps(expected),
        f"Tools:\n{offered}\n{_TYPES}" if len(tools) > 1 else f"Tool: {offered}",
    )


def _skeleton(call: dict[str, Any] | None) -> str:
    """Return the form of a call; of a known one without the values."""
    if call is None:
        return '{"name": ..., "arguments": {...}}. Leave out arguments that are not given.'
    empty = dict.fromkeys(call["arguments"], "...")
    return f"{json.dumps(call | {'arguments': empty})}. Put the value in place of the dots."


def tools_on_offer(dice: random.Random, level: int) -> list[Tool]:
    """Return tools; they are pairs of few verbs and few things, so that all are alike."""
    count = _OFFERED[level - 1]
    verbs = distinct(dice, sorted(_VERBS), min(len(_VERBS), 2 + count // 5))
    things = distinct(dice, _THINGS, -(-count // len(verbs)) + 1)
    names = distinct(dice, [f"{verb}_{thing}" for verb in verbs for thing in things], count)
    # All tools of one thing take the same arguments, which keeps long lists short.
    arguments = {
        thing: (dice.choice(_FIRST), *distinct(dice, _FURTHER, _TAKEN[level - 1] - 1))
        for thing in things
    }
    return [(name, arguments[name.partition("_")[2]]) for name in names]


def _offered(tools: Sequence[Tool], level: int) -> str:
    """Return the offer: a line for each tool, or for all that take the same arguments."""
    if level == 1:  # in the form of a call: a small model copies whatever form it sees
        ((name, (only,)),) = tools
        return json.dumps({"name": name, "arguments": {only.name: "text"}})
    if level == 2:
        return "\n".join(_line("name", name, arguments) for name, arguments in tools)
    alike: dict[str, list[Tool]] = {}
    for tool in tools:
        alike.setdefault(tool[0].partition("_")[2], []).append(tool)
    return "\n".join(_line("names", [name for name, _ in them], them[0][1])
                     for them in alike.values())  # fmt: skip


def _line(key: str, value: str | list[str], arguments: Sequence[_Argument]) -> str:
    content = {key: value, "arguments": [one.name for one in arguments]}
    return json.dumps(content, separators=(",", ":"))


def call_of(dice: random.Random, level: int, tool: Tool) -> tuple[str, dict[str, Any]]:
    """Return what is asked for, and the call that does it; hard ones correct themselves."""
    name, arguments = tool
    verb, _, thing = name.partition("_")
    given = list(arguments)
    if level > 2:
        given.remove(dice.choice(arguments))
    values = [(one, *one.value(dice, level)) for one in given]
    written = _VERBS[verb][0 if level == 1 else dice.randrange(3)]
    parts = [one.phrase.format(said) for one, said, _ in values]
    if level > 2:
        at = dice.randrange(len(parts))
        first = given[at].phrase.format(given[at].value(dice, level)[0])
        parts[at] = f"{first} (no, that was wrong: {parts[at]})"
    dice.shuffle(parts)
    start = dice.choice(_OPENINGS).format(f"{written} the {thing}")
    call = {one.name: value for one, _, value in values}
    return f"{' '.join([start, *parts])}.", {"name": name, "arguments": call}
