"""Whether a file is still the one that a server of ours was given, when serving it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from orket_lib.providers.gguf.file import shards
from orket_lib.vocabulary.errors import ProviderError


@contextmanager
def watched_file(artifact: Path) -> Iterator[None]:
    """Note on every failure within the context whether the file was changed meanwhile.

    Args:
        artifact: That is served; all of its parts are looked at.
    """
    before = [_state(part) for part in shards(artifact)]
    try:
        yield
    except ProviderError as error:
        changed = before != [_state(part) for part in shards(artifact)]
        error.evidence = replace(error.evidence, file_changed=changed or None in before)
        raise


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what tells a file from another one in its place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
