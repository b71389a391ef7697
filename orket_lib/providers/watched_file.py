"""Whether a model file is still the same when serving it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from orket_lib.providers.gguf.file import shards
from orket_lib.vocabulary.errors import ProviderError


@contextmanager
def watched_file(artifact: Path) -> Iterator[None]:
    """Record on every failure within the context whether the file was changed in the meantime.

    Args:
        artifact: The served file; all of its shards are checked.
    """
    before = [_state(part) for part in shards(artifact)]
    try:
        yield
    except ProviderError as error:
        changed = before != [_state(part) for part in shards(artifact)]
        error.evidence = replace(error.evidence, file_changed=changed or None in before)
        raise


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what distinguishes a file from one that replaced it; None when it is missing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
