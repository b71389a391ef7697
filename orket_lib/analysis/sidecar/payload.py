"""What a sidecar command printed: the JSON objects in its text, and the numbers in those.

A command that failed may say, too, that it lacks one of the tools that tell of GPUs.

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

_OPENING = re.compile(r'\{(?=\s*["}])')  # the members of a list are found singly
_MAX_TRIES = 10_000  # braces that open no JSON: a text of nothing else is no result

_TOOL = re.compile(r"(?<![\w.-])(nvidia-smi|rocm-smi|amd-smi)(?:\.exe)?(?![\w/\\-]|\.\w)", re.I)
_ABSENT = re.compile(  # in the words of shells, of Python, Go and Node, and of scripts
    r"not found|no such file|not recognized|not installed|(?:can ?not|can't|could ?n[o']t) find"
    r"|\bno \S+ in \(|errno 2\b|enoent|commandnotfound",
    re.I,
)
# Where these are seen, it is a command that is not there; which one, may stand in another line.
_NO_COMMAND_STATUS = (127, 9009)
_NO_COMMAND = "WinError 2]"


def objects_in(text: str) -> list[Payload]:
    """Return the JSON objects in a text, in order."""
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


def missing_tool(
    command: Sequence[str], error: str | None, exit_status: int | None, texts: Sequence[str]
) -> str | None:
    """Return which tool for GPUs a command that failed lacks, None when it doesn't say so.

    Args:
        command: As it was run.
        error: What kept it from ending by itself.
        exit_status: None when it did not end by itself.
        texts: What it printed, standard error included.
    """
    if error == "command_not_found":
        found = _TOOL.fullmatch(re.split(r"[/\\]", command[0])[-1])
        return found[1].lower() if found else None
    for text in texts:
        anywhere = exit_status in _NO_COMMAND_STATUS or _NO_COMMAND in text
        for line in text.splitlines():
            if (found := _TOOL.search(line)) and (anywhere or _ABSENT.search(line)):
                return found[1].lower()
    return None
