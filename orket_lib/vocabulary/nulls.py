"""The absence of a number, with its reason: never 0, never silent (trap T9)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Null:
    """No number, and why."""

    reason: str
