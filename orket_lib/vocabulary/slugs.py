"""File-name-safe forms of model ids: `qwen2.5-coder:7b` is `qwen2.5-coder_7b` on disk.

`:`, `/` and spaces become `_`. A name that needs another change (other characters, a name reserved
by Windows, too long) gets a short hash of the original name, so that different names stay
different.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

# A folder's name may have 255 bytes, but a whole path on Windows only 260 characters.
LONGEST = 64
_HASH_LENGTH = 8
# Names that Windows reserves in every folder, with or without an extension.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")


def slug(name: str) -> str:
    """Return a valid path component for a name on every system; a slug is its own slug.

    Names that differ only in `:`, `/`, space and `_` share a slug; see `slugs` for those.
    """
    plain = re.sub(r"[:/ ]", "_", name)
    return plain if _is_safe(plain) else _hashed(name)


def unique_slug(name: str) -> str:
    """Return a path component that no other name has: safe names unchanged, others with a hash."""
    return name if _is_safe(name) else _hashed(name)


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Return the slug of each name, with a hash where several names would share a slug.

    Case is ignored, as file systems on Windows and macOS do.
    """
    plain = {name: slug(name) for name in names}
    users = Counter(found.lower() for found in plain.values())
    return {
        name: found if users[found.lower()] == 1 else _hashed(name) for name, found in plain.items()
    }


def _is_safe(name: str) -> bool:
    return (
        len(name) <= LONGEST
        and _SAFE.fullmatch(name) is not None
        and not name.endswith(".")
        and not _RESERVED.fullmatch(name)
    )


def _hashed(name: str) -> str:
    """Return the safe characters of a name, and a hash of all of it."""
    readable = re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip(".")
    if _RESERVED.fullmatch(readable):
        readable = f"_{readable}"  # a hash would not help `con.txt`: its stem is what is reserved
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    return f"{readable[: LONGEST - _HASH_LENGTH - 1] or '_'}-{digest}"
