"""The stores of frontiers, context ceilings and thermal profiles of earlier sweeps.

There is one file for each machine, lane and profile (and model and quant, where a record has them).
The file name is made of these, as far as file names allow; the records decide what fits a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orket_lib.artifacts.digest import digest_of, sha256_of
from orket_lib.artifacts.history import History
from orket_lib.artifacts.io import parse_model
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.frontier import Explorer, FrontierExplorer
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.stores.files import VERSION, Entry, HistoryFile, history_files
from orket_lib.stores.roots import StoreName
from orket_lib.vocabulary.errors import ArtifactError

HEADER: dict[str, str] = {VERSION: History.model_fields[VERSION].default}

# When and by whom an artifact was made is not part of its identity.
_NOT_CONTENT = ("generated_at", "provenance")
_MACHINE = ("hardware_fingerprint", "execution_lane", "vram_profile")
# A name may have 255 bytes; those of the temporary file and the lock are a little longer.
_LONGEST_NAME = 200
_HASH_LENGTH = 8
# Unknown fields are kept as they are. Deeply nested ones could exceed the recursion limit of a
# later reader, which may run deeper inside a program.
_DEEPEST = 50

Key = tuple[str | None, ...]


class _OtherKey(Exception):
    """A file with this name holds records of another key."""


@dataclass(frozen=True)
class Store:
    """A folder of histories.

    Args:
        folder: Its name in the storage root.
        record: Model of its records.
        key: Fields that all records of one file share.
    """

    folder: StoreName
    record: type[Explorer]
    key: tuple[str, ...]

    def files(self, root: Path) -> Iterator[HistoryFile]:
        """Yield the histories of the store, by name.

        Raises:
            ArtifactError: The folder can't be read.
        """
        for path in history_files(root / self.folder):
            yield HistoryFile(path, HEADER, self.record)

    def key_of(self, entry: Entry) -> Key:
        """Return the key of a record, which decides its file."""
        return tuple(entry[name] for name in self.key)


_CELL = (*_MACHINE, "model_id", "quant_tag")
FRONTIERS = Store(StoreName.FRONTIERS, FrontierExplorer, _MACHINE)
CONTEXT_CEILINGS = Store(StoreName.CONTEXT_CEILINGS, ContextCeiling, _CELL)
THERMAL_PROFILES = Store(StoreName.THERMAL_PROFILES, ThermalProfile, _CELL)

STORES = {store.folder: store for store in (FRONTIERS, CONTEXT_CEILINGS, THERMAL_PROFILES)}
_BY_VERSION = {store.record.model_fields[VERSION].default: store for store in STORES.values()}


def identity(entry: Entry) -> str:
    """Return the digest of an artifact's content: made twice, it is one record."""
    return digest_of({name: entry[name] for name in entry if name not in _NOT_CONTENT})


def append(root: Path, entry: Entry, source: object) -> tuple[Path, bool]:
    """Add an artifact to its history.

    Args:
        root: The storage root.
        entry: Content of the artifact's file.
        source: Where it comes from, for error messages.

    Returns:
        The history file, and whether the artifact was new.

    Raises:
        ArtifactError: There is no store for such an artifact, it does not fit its version, or the
            history is damaged or can't be written.
    """
    store = _store_of(entry, source)
    if _deeper_than(_DEEPEST, entry):
        raise ArtifactError(f"{source}: is nested more than {_DEEPEST} levels deep")
    parse_model(entry, store.record, source)
    key, new = store.key_of(entry), identity(entry)
    added = False

    def add(history: tuple[Entry, ...]) -> tuple[Entry, ...]:
        nonlocal added
        keys = {store.key_of(kept) for kept in history}
        if key in keys and len(keys) > 1:
            raise ArtifactError(
                f"{path}: holds records of different machines or models; it was left as it is"
            )
        if keys - {key}:
            raise _OtherKey
        added = all(identity(kept) != new for kept in history)
        return (*history, entry) if added else history

    for name in _names(key):
        path = root / store.folder / name
        try:
            HistoryFile(path, HEADER, store.record).update(add)
        except _OtherKey:
            continue
        return path, added
    raise ArtifactError(f"{path}: holds records of another machine or model; it was left as it is")


def _store_of(entry: Entry, source: object) -> Store:
    version = entry.get(VERSION) if isinstance(entry, dict) else None
    if not isinstance(version, str) or version not in _BY_VERSION:
        raise ArtifactError(
            f"{source}: there is no history for {version!r:.80}, only for {', '.join(_BY_VERSION)}"
        )
    return _BY_VERSION[version]


def _deeper_than(levels: int, content: Any) -> bool:
    inside = [content]
    for _ in range(levels):
        inside = [
            part
            for one in inside
            for part in (one.values() if isinstance(one, dict) else one)
            if isinstance(part, dict | list)
        ]
    return bool(inside)


def _names(key: Key) -> tuple[str, str]:
    """Return the file name for a key, and the one to use if another key has the first.

    Two keys get one name if they differ only in characters that file names can't hold, in case (on
    some systems), or in where one part ends and the next begins.
    """
    parts = (re.sub(r"[^A-Za-z0-9_.-]+", "_", part or "unknown") for part in key)
    plain = "__".join("_" if part in (".", "..") else part for part in parts)
    digest = sha256_of(key)[:_HASH_LENGTH]
    hashed = f"{plain[:_LONGEST_NAME]}-{digest}.json"
    return (hashed if len(plain) > _LONGEST_NAME else f"{plain}.json", hashed)
