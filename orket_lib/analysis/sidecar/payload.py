"""The output of a sidecar command: JSON objects in its text, and the numbers in them.

A tool may print its result between log lines, as several lines of JSON, or as the rows of
`llama-bench`. If a field occurs in several objects, the last usable number counts, because tools
print results after progress. The output of a failed command may also name a GPU tool that is
missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from orket_lib.artifacts.measurements.sidecar_fields import ALIASES, usable

Payload = Mapping[str, Any]

_OPENING = re.compile(r'\{(?=\s*["}])')  # finds the members of a list one by one
_MAX_TRIES = 10_000  # give up after this many braces that don't start a JSON object

_TOOL = re.compile(r"(?<![\w.-])(nvidia-smi|rocm-smi|amd-smi)(?:\.exe)?(?![\w/\\-]|\.\w)", re.I)
_ABSENT = re.compile(  # messages of shells, Python, Go, Node and common scripts
    r"not found|no such file|not recognized|not installed|(?:can ?not|can't|could ?n[o']t) find"
    r"|\bno \S+ in \(|errno 2\b|enoent|commandnotfound",
    re.I,
)
# These mean that a command was not found; another line may say which one.
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
    """Return a rate from the rows of `llama-bench`, which prints prompt and generation separately.

    Of several rows, the first with the shortest filled context counts, which is what a fresh probe
    sees.
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
    """Return the GPU tool that a failed command could not find; None if its output names none.

    Args:
        command: The command that was run.
        error: Why it did not exit by itself.
        exit_status: None if it did not exit by itself.
        texts: Its output, including standard error.
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
