"""The git commits of the working folder, with the user's configs, and of this code."""

from __future__ import annotations

import subprocess
from pathlib import Path


def checkout_state() -> tuple[str | None, bool | None]:
    """Return commit and dirtiness of the working folder; (None, None) outside a git checkout."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return None, None
    return commit, bool(_git("status", "--porcelain"))


def code_commit() -> str | None:
    """Return the commit of the checkout that this code runs from; None for an installed package."""
    here = Path(__file__)
    at = ("-C", str(here.parent))
    tracked = _git(*at, "ls-files", "--error-unmatch", here.name)
    return _git(*at, "rev-parse", "HEAD") if tracked else None


def _git(*arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None
