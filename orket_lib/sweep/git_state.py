"""The git commit of the working folder, which records the version of the user's configs."""

from __future__ import annotations

import subprocess


def checkout_state() -> tuple[str | None, bool | None]:
    """Return commit and dirtiness of the working folder; (None, None) outside a git checkout."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return None, None
    return commit, bool(_git("status", "--porcelain"))


def _git(*arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None
