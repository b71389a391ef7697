"""Checks, and the words of their details."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from orket_lib.artifacts.views.run_report import Check

_SHOWN = 60  # characters of an answer that a check's detail quotes


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
