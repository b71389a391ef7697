"""What a sidecar command printed: the JSON objects in its text, and the numbers in those.

A tool may print its result among log lines, as several lines of JSON, or as the rows of a
`llama-bench`. Where a field stands in several objects, the last usable number counts: tools print
results after progress.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from orket_lib.vocabulary.sidecar import ALIASES, usable

Payload = Mapping[str, Any]

_OPENING = re.compile(r'\{(?=\s*")')  # the members of a list are found singly
_MAX_TRIES = 10_000  # braces that open no JSON: a text of nothing else is no result


def objects_in(text: str) -> list[Payload]:
    """Return the JSON objects in a text that hold anything, in order."""
    decoder = json.JSONDecoder()
    found: list[Payload] = []
    position = tries = 0
    while tries < _MAX_TRIES and (opening := _OPENING.search(text, position)):
        try:
            value, position = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            position, tries = opening.end(), tries + 1
        else:
            found.append(value)
    return found


def printed_number(objects: Sequence[Payload], field: str) -> float | None:
    """Return the number of a field, under its own name or an alias, or None."""
    for item in reversed(objects):
        for name in (field, *ALIASES.get(field, ())):
            number = usable(field, item.get(name))
            if number is not None:
                return number
    return _bench_rate(objects, field)


def _bench_rate(objects: Sequence[Payload], field: str) -> float | None:
    """Return a rate from the rows of a `llama-bench`: prompt and generation have rows of their own.

    Of several rows the first with the shortest filled context counts: what a fresh probe sees.
    """
    length, other = {
        "prefill_tps": ("n_prompt", "n_gen"),
        "decode_tps": ("n_gen", "n_prompt"),
    }.get(field, ("", ""))
    rows = [
        (usable("n_depth", item.get("n_depth")) or 0.0, rate)
        for item in objects
        if usable(length, item.get(length))
        and not usable(other, item.get(other))
        and (rate := usable(field, item.get("avg_ts"))) is not None
    ]
    return min(rows, key=lambda row: row[0])[1] if rows else None
