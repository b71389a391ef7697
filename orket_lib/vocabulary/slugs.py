"""File-name-safe forms of model ids: `qwen2.5-coder:7b` is `qwen2.5-coder_7b` on disk.

What is readable stays as it is: `:`, `/` and spaces become `_`. Whatever else has to change (other
letters, names that Windows reserves, names that are too long) gets a short hash of the true name,
so that names which differ don't become one.
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
    """Return a name that is one path component on every system; a slug is its own slug.

    Only names that differ in `:`, `/`, space and `_` alone share a slug; see `slugs` for those.
    """
    plain = re.sub(r"[:/ ]", "_", name)
    return plain if _is_safe(plain) else _hashed(name)


def unique_slug(name: str) -> str:
    """Return a name that is one path component and stands for no other name.

    What is readable and safe stays as it is; everything else gets a hash.
    """
    return name if _is_safe(name) else _hashed(name)


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Return the slug of each name, with a hash where one would serve several of these names.

    Names that differ in nothing but case count as one: on Windows and macOS they are.
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
    """Return what is safe of a name, and a hash of all of it."""
    readable = re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip(".")
    if _RESERVED.fullmatch(readable):
        readable = f"_{readable}"  # a hash would not help `con.txt`: its stem is what is reserved
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    return f"{readable[: LONGEST - _HASH_LENGTH - 1] or '_'}-{digest}"
