"""Text that came from elsewhere, in a form that can be written down."""

from __future__ import annotations


def well_formed(text: str) -> str:
    """Return a text that UTF-8 can hold: half a surrogate pair, which JSON lets through, is U+FFFD.

    A pair whose halves came in two chunks is whole again once the chunks are joined.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
