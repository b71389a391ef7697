"""Fenced code blocks: CommonMark's rules, and what models put behind a closing fence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

_OPENING = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*(.*)", re.DOTALL)
_DEEPEST = 3  # columns that a closing fence may be indented more than its opening one
_SPECIAL = ("<|", "<\uff5c", "</s>", "<end_of_turn>", "<eos>")  # a leaked end of the answer


class Place(Enum):
    """Where a line is."""

    OUTSIDE = "outside of fences"
    OPENING = "an opening fence"
    INSIDE = "between fences"
    CLOSING = "a closing fence"


class Line(NamedTuple):
    """A line of a text.

    Attributes:
        start: Index of its first character in the text.
        text: Without the line break.
        place: Where it is.
        mark: The fence of an opening line, such as three backticks; else empty.
        info: What follows on an opening line.
    """

    start: int
    text: str
    place: Place
    mark: str = ""
    info: str = ""


def scan(text: str) -> Iterator[Line]:
    """Yield the lines of a text; line breaks are `\\n`."""
    start = 0
    fence: tuple[str, int] | None = None
    for line in text.split("\n"):
        if fence is None:
            opened = _OPENING.fullmatch(line) if "```" in line or "~~~" in line else None
            if opened and not (opened[1][0] == "`" and "`" in opened[2]):
                fence = opened[1], _indent(line)
                yield Line(start, line, Place.OPENING, opened[1], opened[2].strip())
            else:
                yield Line(start, line, Place.OUTSIDE)
        elif _closes(line, *fence):
            fence = None
            yield Line(start, line, Place.CLOSING)
        else:
            yield Line(start, line, Place.INSIDE)
        start += len(line) + 1


def _indent(line: str) -> int:
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip())


def _closes(line: str, mark: str, indent: int) -> bool:
    """Return whether a line ends a block.

    A fence in the docstring of the code is indented further and doesn't. Words or a leaked token
    after the fence are the model's and not the code's.
    """
    plain = line.strip()
    rest = plain.lstrip(mark[0])
    if len(plain) - len(rest) < len(mark) or _indent(line) > indent + _DEEPEST:
        return False
    said = rest.split()
    return (
        not said
        or rest.startswith(_SPECIAL)
        or (rest[0] in " \t" and (len(said) > 1 or said[0][-1] in ".!?"))
    )
