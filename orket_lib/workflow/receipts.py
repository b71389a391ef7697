"""Reading single fields of receipts, without the cost of validating thousands of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from orket_lib.artifacts.io import json_value
from orket_lib.telemetry.allowance.memory import exceeds_limit

T = TypeVar("T")


def receipt_state(path: Path) -> tuple[int, bool]:
    """Return the attempt of a receipt, and whether its job has to try again.

    It has to after a temporary problem, if memory ran out under a limit that is gone (T35), and if
    a part that the receipt lists was deleted. A missing or damaged receipt counts as attempt 0: its
    job is due anyway.
    """

    def state(content: Any) -> tuple[int, bool]:
        lost = not all(Path(part["path"]).is_file() for part in content["parts"])
        again = bool(content["interrupted"]) or exceeds_limit(content.get("memory_limit_mib"))
        return int(content["attempt"]), lost or again

    return _read(path, state) or (0, False)


def taken_parts(path: Path) -> tuple[str, ...] | None:
    """Return the SHA-256 of each part that a receipt lists, in order; None without a receipt."""
    return _read(path, lambda it: tuple(str(part["sha256"]) for part in it["parts"]))


def interruptions(path: Path) -> tuple[str, ...]:
    """Return the temporary problems that a receipt lists; nothing without a receipt."""
    return _read(path, lambda it: tuple(map(str, it["interrupted"]))) or ()


def _read(path: Path, pick: Callable[[Any], T]) -> T | None:
    try:
        return pick(json_value(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
