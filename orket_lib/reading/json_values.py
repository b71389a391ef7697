"""Reads the JSON value in an answer: all of it, its only code block, or the only one in prose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from orket_lib.reading.statements import fenced, statements

_MOST_STARTS = 50  # brackets at which a value is looked for
_MOST_CHARS = 200_000  # of an answer in which it is looked for


def strict_json(text: str) -> Any:
    """Parse a text as JSON.

    Raises:
        ValueError: It is not JSON, repeats a key, or holds NaN or an infinity.
    """
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("duplicate key")
    return mapping


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def stated_json(text: str) -> str:
    """Return the JSON text of the value that a normalized answer states.

    Raises:
        ValueError: There is none, or there are different ones.
        RecursionError: It is nested too deeply.
    """
    try:
        value = strict_json(text)
    except ValueError as error:
        if len(text) > _MOST_CHARS:
            raise
        found = _stated(text)
        if found is None:
            raise ValueError(str(error)) from None
        return found
    quoted = value.strip() if isinstance(value, str) else ""
    return quoted if quoted[:1] in ("{", "[") and _parsed(quoted) is not None else text


def _stated(text: str) -> str | None:
    final, other = statements(text)
    for places in (final, other):
        values = [_only(one.parts) for one in places if not one.is_denied]
        if values and None not in values:
            return _same(values)
    blocks = fenced(text)
    if blocks:
        return _same([_only((block,)) for block in blocks])
    return _same(list(_inner(text)))


def _only(texts: tuple[str, ...]) -> str | None:
    """Return the first text that is JSON, or else the only value in the last, longest one."""
    for text in texts:
        if _parsed(text) is not None:
            return text
    return _same(list(_inner(texts[-1])))


def _parsed(text: str) -> str | None:
    try:
        return json.dumps(strict_json(text), sort_keys=True)
    except (ValueError, RecursionError):
        return None


def _same(values: list[str | None]) -> str | None:
    """Return the only different value; None if there is none, or one is not JSON."""
    parsed = {None if value is None else _parsed(value) for value in values}
    return values[0] if len(parsed) == 1 and None not in parsed else None


def _inner(text: str) -> Iterator[str | None]:
    """Yield the objects and lists in a text; None for too many brackets."""
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
    at = tries = 0
    while starts := [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]:
        begin = min(starts)
        tries += 1
        if tries > _MOST_STARTS:
            yield None
            return
        try:
            _, at = decoder.raw_decode(text, begin)
            yield text[begin:at]
        except (ValueError, RecursionError):
            at = begin + 1
