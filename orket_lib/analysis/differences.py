"""Differences between a file as it was and as it was made again."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from orket_lib.vocabulary.validation import shown

_TOLERANCE = 1e-9  # another build of the same library may add numbers in another order
# When, from which bytes, in which sandbox and at which attempt a file was made.
_NOT_CONTENT = {"generated_at", "provenance", "attempt", "commit_sha", "sandbox"}
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC)?")
_PICTURE = re.compile(r"data:image/[^\"')\s]+")
_LONGEST = 60


def json_differences(was: Any, made: Any, place: str = "") -> Iterator[str]:
    """Yield a line for each value that differs, with its place.

    Args:
        was: Content of the file.
        made: Content of the same file, made again.
        place: Path of the two in their files.
    """
    if isinstance(was, dict) and isinstance(made, dict):
        for key in sorted(was.keys() | made.keys() - _NOT_CONTENT):
            if key not in _NOT_CONTENT:
                inner = f"{place}.{key}" if place else key
                yield from json_differences(was.get(key), made.get(key), inner)
    elif isinstance(was, list) and isinstance(made, list) and len(was) == len(made):
        for index, (one, other) in enumerate(zip(was, made, strict=True)):
            yield from json_differences(one, other, f"{place}[{index}]")
    elif not _same(was, made):
        where = place or "(whole file)"
        yield f"{where}: {_both(was, made)}"


def text_differences(was: str, made: str) -> Iterator[str]:
    """Yield a line for each line that differs; times and embedded pictures don't count."""
    one, other = _plain(was), _plain(made)
    for number, (before, after) in enumerate(zip(one, other, strict=False), start=1):
        if before != after:
            yield f"line {number}: {_both(before, after)}"
    if len(one) != len(other):
        yield f"{len(one)} lines, recomputed {len(other)}"


def _both(was: Any, made: Any) -> str:
    """Return both values, cut; long texts from a little before their first difference."""
    if isinstance(was, str) and isinstance(made, str):
        same = takewhile(lambda pair: pair[0] == pair[1], zip(was, made, strict=False))
        start = sum(1 for _ in same) - _LONGEST // 2
        if start > 0:
            was, made = f"...{was[start:]}", f"...{made[start:]}"
    return f"{shown(was, _LONGEST)}, recomputed {shown(made, _LONGEST)}"


def _plain(text: str) -> list[str]:
    return _PICTURE.sub("PICTURE", _TIME.sub("TIME", text)).splitlines()


def _same(one: Any, other: Any) -> bool:
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    if not numbers or isinstance(one, bool) or isinstance(other, bool):
        return type(one) is type(other) and bool(one == other)
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
