"""`--storage-root`: where histories and baselines are kept."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import tell
from orket_lib.stores.files import history_files
from orket_lib.stores.roots import StoreName, holds_stores, storage_root
from orket_lib.vocabulary.errors import ArtifactError

_STORAGE = Path("storage")


def add_storage_root(parser: argparse.ArgumentParser) -> None:
    """Add `--storage-root` to a command that reads the stores."""
    parser.add_argument(
        "--storage-root",
        type=_root,
        default=_STORAGE,
        metavar="FOLDER",
        help="folder with the stores, or one of the stores (default: %(default)s)",
    )


def add_kept_below(parser: argparse.ArgumentParser) -> None:
    """Add `--storage-root` to a command that can also add its artifact to a history."""
    parser.add_argument(
        "--storage-root",
        type=_root,
        metavar="FOLDER",
        help="also add the artifact to its history in this folder (or store)",
    )


def say_if_empty(root: Path, store: StoreName) -> None:
    """Say that a store is empty, so that a mistyped folder does not pass for a new store.

    Raises:
        ArtifactError: The folder does not exist.
    """
    if root != _STORAGE and not root.is_dir():
        raise ArtifactError(f"--storage-root {root.as_posix()}: no such folder")
    place = root / store
    if not history_files(place):
        none = "" if holds_stores(root) else f"; {root.as_posix()} has no stores"
        names = f" ({', '.join(StoreName)})" if none else ""
        tell(f"{place.as_posix()}: no records{none}{names}")


def _root(text: str) -> Path:
    return storage_root(Path(text))
