"""A search in the text of a task that has to find something."""

from __future__ import annotations

import re


def match_in(pattern: str | re.Pattern[str], text: str, flags: int = 0) -> re.Match[str]:
    """Return the first match of a pattern in a text."""
    found = re.search(pattern, text, flags)
    assert found is not None, f"{pattern!r} is not in {text!r}"
    return found
