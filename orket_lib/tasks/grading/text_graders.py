"""Graders of text: compare an answer with the expected one.

They are strict: an answer that can't be shown to be right is wrong, and one without the required
form is unparseable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from orket_lib.artifacts.views.run_report import Check
from orket_lib.tasks.grading.answers import (
    Unparseable,
    composed,
    normalize,
    only_number,
    parse_json,
)
from orket_lib.tasks.grading.text_evaluation import (
    Choice,
    Contains,
    Exact,
    JsonList,
    JsonSchema,
    JsonValue,
    Number,
    Regex,
)

_DIGITS = 400  # a longer number is beyond the range of floats
_NINTH = Decimal("1e-9")
_SHOWN = 60  # characters of an answer that a check's detail quotes
_DECORATION = " \t\n*_`()[].:\"'"
_STATED = re.compile(r"(?i:\banswer\b\s*(?:is|:)|\banswer\s+is\s*:)[\s*_`(\[]*([A-Za-z0-9]{1,3})\b")
# A second label after a first: `B or C`, `(B)/(C)`, `B, C`. After a comma, and for labels that are
# words (`A`, `I`), text that goes on in lower case is a sentence and not a list.
_NEXT_LABEL = re.compile(
    r"[\s*_`)\].,]{0,9}(?:[/&|+]|\b(?:or|and)\b)[\s*_`(\[]{0,9}"
    r"(?![AI][ '][a-z])([A-Za-z0-9]{1,3})\b"
    r"|[\s*_`)\]]{0,9},[\s*_`(\[]{0,9}([A-Za-z0-9]{1,3})\b(?![ '](?!(?:or|and) )[a-z])"
)
_MOST_AFTER = 500  # characters after a label that may be the text of an option
_LED = re.compile(r"[\s*_`(]*([A-Za-z0-9]{1,3})[*_`]*[).:][*_`]*[ \t].*")


def exact(asked: Exact, answer: str) -> list[Check]:
    """Return the one check: the text is equal."""
    found = normalize(answer)
    return [compared("exact", found == normalize(asked.expected), asked.expected, found)]


def number(asked: Number, answer: str) -> list[Check]:
    """Return the one check: the number is equal, or close enough."""
    found = only_number(answer)
    if found is None:
        raise Unparseable(f"no single number in {shown(normalize(answer))}")
    return [compared("number", _close(asked, found), asked.expected, found)]


def _close(asked: Number, found: Decimal) -> bool:
    if isinstance(asked.expected, int) and not asked.tolerance:
        return found == asked.expected
    if found.adjusted() > _DIGITS:
        return False
    expected = Decimal(asked.expected)
    tolerance = Decimal(asked.tolerance) or _NINTH * max(abs(expected), Decimal(1))
    return abs(found - expected) <= tolerance


def json_value(asked: JsonValue, answer: str) -> list[Check]:
    """Return the one check: the JSON value is equal."""
    found = parsed_json(answer)
    return [compared("json", same_json(asked.expected, found), asked.expected, found)]


def json_list(asked: JsonList, answer: str) -> list[Check]:
    """Return a check for each element: the value at its place is equal.

    Raises:
        Unparseable: The answer is not a list of this length.
    """
    found = parsed_json(answer)
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


def contains(asked: Contains, answer: str) -> list[Check]:
    """Return a check for each required and each forbidden text, and one for the alternatives."""
    text = normalize(answer)
    if not text:
        raise Unparseable("the answer is empty")

    def occurs(part: str) -> bool:
        part, whole = composed(part), text
        if asked.ignore_case:
            part, whole = part.casefold(), whole.casefold()
        if asked.whole_words:
            return re.search(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])", whole) is not None
        return part in whole

    missing = [f"no {shown(part)}" * (not occurs(part)) for part in asked.all]
    if asked.any:
        found = any(map(occurs, asked.any))
        missing.append("" if found else f"none of {shown(list(asked.any))}")
    unwanted = [f"has {shown(part)}" * occurs(part) for part in asked.none]
    return verdicts(contains_names(asked), missing + unwanted)


def contains_names(asked: Contains) -> list[str]:
    """Return the names of the checks."""
    return [
        *_numbered("contains.all", asked.all),
        *(["contains.any"] if asked.any else []),
        *_numbered("contains.none", asked.none),
    ]


def _numbered(name: str, parts: Sequence[object]) -> list[str]:
    return [f"{name}.{index}" for index in range(1, len(parts) + 1)]


def choice(asked: Choice, answer: str) -> list[Check]:
    """Return the one check: the chosen label is the right one."""
    text = normalize(answer)
    found = _chosen(asked.options, text)
    if len(found) != 1:
        raise Unparseable(f"{len(found) or 'no'} choices in {shown(text)}")
    return [compared("choice", found == {asked.expected}, asked.expected, *found)]


def _chosen(options: Mapping[str, str], text: str) -> set[str]:
    """Return the labels that a text chooses: it is the label, or it states the answer."""
    labels = {label.casefold(): label for label in options}
    plain = text.strip(_DECORATION).casefold()
    if plain in labels:
        return {labels[plain]}
    same = {label for label, option in options.items() if _plain(option) == plain}
    # "The answer is a" may go on with a noun, so in a sentence the case of a label must match.
    led = _LED.fullmatch(text)
    named = [*_STATED.finditer(text), *([led] if led else [])]
    return same.union(*(_named(options, text, match) for match in named))


def _named(options: Mapping[str, str], text: str, match: re.Match[str] | None) -> set[str]:
    """Return the label in a statement, those listed after it, and that of a quoted option."""
    found: set[str] = set()
    end, following = 0, match
    while following and (label := following[following.lastindex or 1]) in options:
        found.add(label)
        end = following.end(following.lastindex or 1)
        following = _NEXT_LABEL.match(text, end)
    said = _plain(text[end : end + _MOST_AFTER].lstrip(",")) if found else ""
    if not said or len(text) - end > _MOST_AFTER:
        return found
    with_text = {label for label, option in options.items() if _plain(option) == said}
    return found if found & with_text else found | with_text


def _plain(option: str) -> str:
    return composed(option).strip(_DECORATION).casefold()


def parsed_json(answer: str) -> Any:
    """Parse the whole answer as JSON.

    Raises:
        Unparseable: It is not JSON.
    """
    try:
        return parse_json(answer)
    except (ValueError, RecursionError) as error:
        raise Unparseable(f"not JSON: {error}"[:200]) from None


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


def verdicts(names: Sequence[str], details: Sequence[str]) -> list[Check]:
    """Return a check for each name; it fails if it has a detail."""
    return [
        Check(name=name, passed=not detail, detail=detail)
        for name, detail in zip(names, details, strict=True)
    ]


def compared(name: str, passed: bool, expected: object, found: object) -> Check:
    """Return a check that says what was expected and found, if it failed."""
    detail = "" if passed else f"expected {shown(expected)}, got {shown(found)}"
    return Check(name=name, passed=passed, detail=detail)


def shown(value: object) -> str:
    """Return a value for a check's detail: escaped, on one line, and short."""
    try:
        cut = value[: _SHOWN + 1] if isinstance(value, str) else value
        text = str(cut) if isinstance(cut, Decimal) else repr(cut)
    except (RecursionError, ValueError):  # nested too deeply, or more digits than Python prints
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
