"""A digest of the code that views are made with.

Snakemake doesn't notice a changed library. Rules that make views carry this digest as a parameter,
so an upgrade remakes views; measurements don't carry it, so an upgrade never measures again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import orket_lib

_PURE = ("analysis", "artifacts", "commands", "config", "report", "vocabulary")


def pure_code_digest() -> str:
    """Return the SHA-256 of all sources that decide what a view says, independent of line ends."""
    root = Path(orket_lib.__file__).parent
    digest = hashlib.sha256()
    for room in _PURE:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in (".py", ".j2"):
                digest.update(path.relative_to(root).as_posix().encode())
                digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
