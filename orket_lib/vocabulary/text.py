"""Untrusted text: made encodable, and shown on one line without control characters.

A model's answer, a server's message or a file name may hold escape sequences that move the cursor,
set a title or hide a line, marks that reverse the reading direction, line breaks that forge a log
line, and any amount of text.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence

_CUT = "..."
# No script needs more combining marks on one letter; hundreds would cover the lines above.
_MOST_MARKS = 3
_FORMULA = ("=", "+", "-", "@")  # how one begins in a spreadsheet
_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def well_formed(text: str) -> str:
    """Return text that UTF-8 can encode: a lone surrogate, which JSON allows, becomes U+FFFD.

    A pair whose halves arrived in two chunks is kept once the chunks are joined.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def visible(text: str, keep: str = "\n\t") -> str:
    r"""Return text whose invisible characters are escapes (`\x1b`, `\u202e`).

    Everything that is printed or written into a log or report passes through here, or through
    `printable`: a server, file or config may call itself anything. Spaces and backslashes are kept.

    Args:
        text: Any text, also one that can't be encoded.
        keep: Characters that are not escaped: the line breaks of our own texts.
    """
    if text.isascii():
        rest = text if text.isprintable() else text.translate(dict.fromkeys(map(ord, keep)))
        if rest.isprintable():
            return text
    return "".join(_pieces(text, keep))


def spreadsheet_text(text: str) -> str:
    """Return a text as the cell of a table: one line, and no formula for a spreadsheet."""
    return f"'{visible(text, '')}" if text.startswith(_FORMULA) else visible(text, "")


def visible_json(text: str) -> str:
    """Return a JSON text with the same values, whose invisible characters are JSON's escapes."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1]
        for letter in text
    )


def listed(names: Sequence[str], most: int | None = None) -> str:
    """Return `a, b and c`, or `a, b and 7 more` if only so many are to be named."""
    if most and len(names) > most:
        names = [*names[:most], f"{len(names) - most} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def printable(text: str, limit: int) -> str:
    r"""Return text as one line of visible characters, at most `limit` of them.

    Invisible characters become escapes (`\n`, `\x1b`, `\u202e`); spaces and backslashes are kept.
    Truncated text ends in `...`.

    Args:
        text: Any text, also one that can't be encoded.
        limit: Characters of the result, at least 3.
    """
    pieces: list[str] = []
    length = 0
    fits = 0  # pieces after which `...` still fits
    for piece in _pieces(text, ""):
        length += len(piece)
        if length > limit:
            return "".join(pieces[:fits]) + _CUT
        pieces.append(piece)
        if length <= limit - len(_CUT):
            fits = len(pieces)
    return "".join(pieces)


def _pieces(text: str, keep: str) -> Iterator[str]:
    """Yield each character, or its escape."""
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter).startswith("M") else 0
        shown = letter in keep or (letter.isprintable() and marks <= _MOST_MARKS)
        yield letter if shown else _escaped(letter)


def _escaped(letter: str) -> str:
    code = ord(letter)
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
