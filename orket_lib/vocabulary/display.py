"""Text that a stranger wrote, on one line and with no power over whoever looks at it.

What a model answers, a server reports or a file is called can hold escape sequences that move a
cursor, set a title or hide a line, marks that turn the reading direction, line breaks that forge a
line of ours, and no end. Everything that is not plainly visible is shown as what it is.
"""

from __future__ import annotations

import unicodedata

_CUT = "..."
# No script piles up more on one letter; a hundred would cover the lines above.
_MOST_MARKS = 3


def printable(text: str, limit: int) -> str:
    r"""Return text as one line of visible characters, at most `limit` of them.

    Invisible characters become escapes (`\n`, `\x1b`, `\u202e`), spaces stay, a backslash stays
    one. What is left out at the end is shown as `...`.

    Args:
        text: Anything, also what can't be encoded.
        limit: Characters of the result, at least 3.
    """
    pieces: list[str] = []
    length = marks = 0
    fits = 0  # pieces that leave room for the sign that something is missing
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter).startswith("M") else 0
        visible = letter.isprintable() and marks <= _MOST_MARKS
        piece = letter if visible else _escaped(letter)
        length += len(piece)
        if length > limit:
            return "".join(pieces[:fits]) + _CUT
        pieces.append(piece)
        if length <= limit - len(_CUT):
            fits = len(pieces)
    return "".join(pieces)


def _escaped(letter: str) -> str:
    code = ord(letter)
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(letter)
    if named:
        return named
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
