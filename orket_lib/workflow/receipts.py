"""Receipts, as they are read by the thousand: only what is needed of each."""

from __future__ import annotations

import json
from pathlib import Path


def receipt_state(path: Path) -> tuple[int, bool]:
    """Return the attempt of a receipt, and whether its job is to try again.

    It is after a failure that may pass, and when a part that the receipt takes was deleted. A
    receipt that is not there, or can't be read, is of no attempt: its job is due anyway.
    """
    try:
        content = json.loads(path.read_bytes())
        lost = not all(Path(part["path"]).is_file() for part in content["parts"])
        return int(content["attempt"]), lost or bool(content["interrupted"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, False


def taken_parts(path: Path) -> tuple[str, ...] | None:
    """Return the SHA-256 of each part that a receipt takes, in order; None without a receipt."""
    try:
        return tuple(str(part["sha256"]) for part in json.loads(path.read_bytes())["parts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def interruptions(path: Path) -> tuple[str, ...]:
    """Return what went wrong that may pass, as a receipt says; nothing without a receipt."""
    try:
        return tuple(map(str, json.loads(path.read_bytes())["interrupted"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ()
