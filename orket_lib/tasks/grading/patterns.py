"""Regular expressions from a bank, applied to what a model wrote.

Runs in the child that `bounded` starts: Python's engine backtracks, and an innocent-looking pattern
such as `(a+)+b` takes for ever on thirty letters.
"""

from __future__ import annotations

import re

_FLAGS = {"ignorecase": re.IGNORECASE, "multiline": re.MULTILINE, "dotall": re.DOTALL}


def matches(pattern: str, text: str, flags: list[str], anywhere: bool) -> bool:
    """Tell whether a pattern matches all of a text, or something in it."""
    compiled = re.compile(pattern, sum((_FLAGS[flag] for flag in set(flags)), start=0))
    return bool(compiled.search(text) if anywhere else compiled.fullmatch(text))
