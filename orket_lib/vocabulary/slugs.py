"""File-name-safe forms of model ids: `qwen2.5-coder:7b` is `qwen2.5-coder_7b` on disk."""

from __future__ import annotations

import re

# Names that Windows reserves in every folder, with or without an extension.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def slug(name: str) -> str:
    """Return a name that is one path component on every system.

    Two different names can have one slug; whoever keeps both in one folder has to refuse that.
    """
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip(".")
    if not safe or _RESERVED.fullmatch(safe):
        safe = f"_{safe}"
    return safe
