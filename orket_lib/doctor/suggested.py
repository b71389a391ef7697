"""What the doctor suggests, for those who write or print it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LeftOut:
    """Something that was found and can't, or need not, be swept."""

    name: str
    reason: str


@dataclass(frozen=True)
class Suggestion:
    """A config with explanations.

    Attributes:
        why: Which model was chosen.
        config: Keys and values, in reading order.
        comments: Explanations of values, by key.
        left_out: What was found and is not in it.
    """

    why: str
    config: dict[str, Any]
    comments: dict[str, str]
    left_out: tuple[LeftOut, ...] = ()
