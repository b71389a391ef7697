"""Validation of a file against the published schema of its artifact, in a stable order.

The schema decides, not our pydantic model: other readers of our files only have the schema, and a
model accepts `"1"` as a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from orket_lib.artifacts.base import Record
from orket_lib.artifacts.schemas import schema_of
from orket_lib.vocabulary.clock import parse_time
from orket_lib.vocabulary.validation import KINDS, shown

if TYPE_CHECKING:
    from jsonschema import FormatChecker, ValidationError

_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "greater than",
    "exclusiveMaximum": "less than",
}

Place = tuple[str | int, ...]


def violations(name: str, content: Any, model: type[Record]) -> list[str]:
    """Return all violations of the schema in a file.

    Args:
        name: Name of the file in messages: `frontier`.
        content: Content of the file.
        model: The model that the schema is published from.

    Returns:
        `<name>:missing:<place>` or `<name>:<place>:<what is wrong>`, sorted by place.
    """
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(schema_of(model), format_checker=_formats())
    errors = list(validator.iter_errors(content))
    # One error per place: a value of a wrong type is not one of the allowed values either.
    found: dict[Place, str] = {}
    for error in sorted(errors, key=lambda error: error.validator != "type"):
        for place, what in _problems(error):
            found.setdefault(place, what)
    ordered = sorted(found.items(), key=lambda one: [_order(part) for part in one[0]])
    return [
        f"{name}:missing:{_text(place)}" if not what else f"{name}:{_text(place)}:{what}"
        for place, what in ordered
    ]


def _problems(error: ValidationError) -> Iterator[tuple[Place, str]]:
    """Yield the places of an error, each with what is wrong there; "" means "missing"."""
    place: Place = tuple(error.absolute_path)
    value, rule = error.instance, error.validator_value
    if error.validator == "required":
        for name in rule:
            if name not in value:
                yield (*place, name), ""
    elif error.validator == "anyOf":
        yield from _of_alternatives(error, place)
    elif error.validator == "type":
        yield place, f"must be {KINDS[rule]}, is {shown(value)}"
    elif error.validator in ("enum", "const"):
        allowed = rule if error.validator == "enum" else [rule]
        if "propertyNames" in error.absolute_schema_path:
            yield (*place, value), "there is no such reading"
        else:
            yield place, f"must be {' or '.join(map(shown, allowed))}, is {shown(value)}"
    elif error.validator in _LIMITS:
        yield place, f"must be {_LIMITS[error.validator]} {rule}, is {shown(value)}"
    elif error.validator == "format":
        yield place, f"must be a time in UTC, ISO 8601 with a Z, is {shown(value)}"
    elif error.validator == "not":  # which only reasons of readings have
        yield place, "a reason, and the reading is not null"
    else:
        yield place, error.message[:200]


def _of_alternatives(error: ValidationError, place: Place) -> Iterator[tuple[Place, str]]:
    """Yield the errors of the only alternative of the right type, if there is one."""
    wrong_type = {
        sub.schema_path[0]
        for sub in error.context or ()
        if sub.validator == "type" and not sub.relative_path
    }
    others = [sub for sub in error.context or () if sub.schema_path[0] not in wrong_type]
    if len({sub.schema_path[0] for sub in others}) == 1:
        for sub in others:
            yield from _problems(sub)
        return
    allowed = " or ".join(_alternative(one) for one in error.validator_value)
    yield place, f"must be {allowed}, is {shown(error.instance)}"


def _alternative(rule: dict[str, Any]) -> str:
    return KINDS[rule["type"]] if "type" in rule else KINDS["object"]


def _formats() -> FormatChecker:
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())

    checker.checks("date-time", raises=ValueError)(_is_utc)
    return checker


def _is_utc(value: object) -> bool:
    """Tell whether a time is marked as UTC; raise ValueError if it is not a time."""
    return not isinstance(value, str) or (value.endswith("Z") and bool(parse_time(value)))


def _order(part: str | int) -> tuple[int, int, str]:
    return (0, part, "") if isinstance(part, int) else (1, 0, part)


def _text(place: Place) -> str:
    return ".".join(map(str, place)) or "(whole file)"
