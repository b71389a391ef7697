"""Where histories and baselines are kept, as an option, and what is said of a wrong place."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import tell
from orket_lib.stores.files import history_files
from orket_lib.stores.roots import StoreName, holds_stores, storage_root
from orket_lib.vocabulary.errors import ArtifactError

_STORAGE = Path("storage")


def add_storage_root(parser: argparse.ArgumentParser) -> None:
    """Add the place of the stores for a command that is about what is kept there."""
    parser.add_argument(
        "--storage-root",
        type=_root,
        default=_STORAGE,
        metavar="FOLDER",
        help="folder that holds the stores, or one of them (default: %(default)s)",
    )


def add_kept_below(parser: argparse.ArgumentParser) -> None:
    """Add the place of the stores for a command that makes an artifact and may also keep it."""
    parser.add_argument(
        "--storage-root",
        type=_root,
        metavar="FOLDER",
        help="also add it to its history; a folder that holds the stores, or one of them",
    )


def say_if_empty(root: Path, store: StoreName) -> None:
    """Say that nothing is kept in a place, so that a wrong one is not taken for a new one.

    Raises:
        ArtifactError: A folder was named that is not there.
    """
    if root != _STORAGE and not root.is_dir():
        raise ArtifactError(f"--storage-root {root.as_posix()}: there is no such folder")
    place = root / store
    if not history_files(place):
        none = "" if holds_stores(root) else f"; {root.as_posix()} has none of the stores"
        names = f" ({', '.join(StoreName)})" if none else ""
        tell(f"{place.as_posix()}: no record is kept there{none}{names}")


def _root(text: str) -> Path:

    return storage_root(Path(text))
