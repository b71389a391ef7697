"""Graders of text: compare what an answer says with what is expected.

They are strict: an answer that can't be shown to be right is wrong, and one whose content is
ambiguous is unparseable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from orket_lib.artifacts.views.run_report import Check
from orket_lib.reading.json_values import stated_json, strict_json
from orket_lib.reading.labels import stated_label
from orket_lib.reading.statements import Unparseable
from orket_lib.reading.texts import says, without_emphasis
from orket_lib.tasks.answers import composed, normalize, only_number
from orket_lib.tasks.grading.checks import compared, shown, verdicts
from orket_lib.tasks.grading.forms import form_kept
from orket_lib.tasks.grading.text_evaluation import (
    Choice,
    Contains,
    Exact,
    JsonList,
    JsonSchema,
    JsonValue,
    Label,
    Number,
    ReasoningGym,
    Regex,
    ToolCalls,
)

_DIGITS = 400  # a longer number is beyond the range of floats
_NINTH = Decimal("1e-9")


def exact(asked: Exact, answer: str) -> list[Check]:
    """Return the one check: the answer says the text."""
    found, expected = normalize(answer), normalize(asked.expected)
    right = found == expected if asked.form_counts else says(found, expected, asked.ignore_case)
    return [compared("exact", right, asked.expected, found)]


def number(asked: Number, answer: str) -> list[Check]:
    """Return the one check: the number is equal, or close enough."""
    found = only_number(answer)
    if found is None:
        raise Unparseable(f"no single number in {shown(normalize(answer))}")
    require_form(asked, answer)
    return [compared("number", _close(asked, found), asked.expected, found)]


def _close(asked: Number, found: Decimal) -> bool:
    if isinstance(asked.expected, int) and not asked.tolerance:
        return found == asked.expected
    if found.adjusted() > _DIGITS:
        return False
    expected = Decimal(asked.expected)
    tolerance = Decimal(asked.tolerance) or _NINTH * max(abs(expected), Decimal(1))
    return abs(found - expected) <= tolerance


def label(asked: Label, answer: str) -> list[Check]:
    """Return the one check: the answer names the right word.

    Raises:
        Unparseable: It names none, or several.
    """
    found = stated_label(normalize(answer), asked.labels)
    if found is None:
        raise Unparseable(f"no single one of the labels in {shown(normalize(answer))}")
    require_form(asked, answer)
    return [compared("label", found == asked.expected, asked.expected, found)]


def json_value(asked: JsonValue, answer: str) -> list[Check]:
    """Return the one check: the JSON value is equal."""
    found = parsed_json(asked, answer)
    return [compared("json", same_json(asked.expected, found), asked.expected, found)]


def json_list(asked: JsonList, answer: str) -> list[Check]:
    """Return a check for each element: the value at its place is equal.

    Raises:
        Unparseable: The answer is not a list of this length.
    """
    found = parsed_json(asked, answer)
    wanted = len(asked.expected)
    if not isinstance(found, list) or len(found) != wanted:
        raise Unparseable(f"no JSON list of {wanted} values: {shown(found)}")
    return [
        compared(name, same_json(*pair), *pair)
        for name, pair in zip(
            json_list_names(asked), zip(asked.expected, found, strict=True), strict=True
        )
    ]


def json_list_names(asked: JsonList) -> list[str]:
    """Return the names of the checks."""
    return _numbered(asked.type, asked.expected)


def json_schema(asked: JsonSchema, answer: str, violation: str | None) -> list[Check]:
    """Return the one check: the value is valid under the schema."""
    return [Check(name=asked.type, passed=violation is None, detail=violation or "")]


def regex(asked: Regex, answer: str, matched: bool) -> list[Check]:
    """Return the one check: the pattern matched."""
    detail = "" if matched else f"no match in {shown(normalize(answer))}"
    return [Check(name=asked.type, passed=matched, detail=detail)]


def scored(asked: ReasoningGym, answer: str, right: bool) -> list[Check]:
    """Return the one check: the scorer gives all points."""
    wanted = asked.entry.get("answer")
    return [compared(asked.type, right, wanted, normalize(answer))]


def contains(asked: Contains, answer: str) -> list[Check]:
    """Return a check for each required and each forbidden text, and one for the alternatives."""
    text = normalize(answer)
    if not text:
        raise Unparseable("the answer is empty")
    texts = {text, without_emphasis(text)}

    def occurs(part: str) -> bool:
        return any(_occurs(asked, composed(part), whole) for whole in texts)

    missing = [f"no {shown(part)}" * (not occurs(part)) for part in asked.all]
    if asked.any:
        found = any(map(occurs, asked.any))
        missing.append("" if found else f"none of {shown(list(asked.any))}")
    unwanted = [f"has {shown(part)}" * occurs(part) for part in asked.none]
    return verdicts(contains_names(asked), missing + unwanted)


def _occurs(asked: Contains, part: str, whole: str) -> bool:
    if asked.ignore_case:
        part, whole = part.casefold(), whole.casefold()
    if asked.whole_words:
        return re.search(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])", whole) is not None
    return part in whole


def contains_names(asked: Contains) -> list[str]:
    """Return the names of the checks."""
    return [
        *_numbered("contains.all", asked.all),
        *(["contains.any"] if asked.any else []),
        *_numbered("contains.none", asked.none),
    ]


def _numbered(name: str, parts: Sequence[object]) -> list[str]:
    return [f"{name}.{index}" for index in range(1, len(parts) + 1)]


def parsed_json(asked: JsonValue | JsonList | JsonSchema | ToolCalls, answer: str) -> Any:
    """Parse the JSON value that an answer states.

    Raises:
        Unparseable: There is none, or it is ambiguous.
    """
    return strict_json(json_text(asked, answer))


def json_text(asked: JsonValue | JsonList | JsonSchema | ToolCalls, answer: str) -> str:
    """Return the JSON text that an answer states; see `parsed_json`."""
    text = normalize(answer)
    try:
        if asked.form_counts:
            strict_json(text)
            return text
        return stated_json(text)
    except (ValueError, RecursionError) as error:
        raise Unparseable(f"not JSON: {error}"[:200]) from None


def require_form(asked: Choice | Label | Number, answer: str) -> None:
    """Check the form of an answer whose content was read.

    Raises:
        Unparseable: The form is part of what is asked, and the answer has another.
    """
    if asked.form_counts and not form_kept(asked, answer):
        raise Unparseable(f"not in the form that is asked: {shown(normalize(answer))}")


def same_json(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal, texts as NFC; unlike in Python, `true` is not 1."""
    if isinstance(one, str) and isinstance(other, str):
        return composed(one) == composed(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        mine, yours = ({composed(key): part for key, part in x.items()} for x in (one, other))
        return (
            len(one) == len(other)
            and mine.keys() == yours.keys()
            and all(same_json(mine[key], yours[key]) for key in mine)
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)
