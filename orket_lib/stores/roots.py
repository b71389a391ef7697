"""The storage root: users may name it, or one of the stores in it."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path


class StoreName(StrEnum):
    """Names of the stores' folders."""

    BASELINES = "baselines"
    FRONTIERS = "frontiers"
    CONTEXT_CEILINGS = "context_ceilings"
    THERMAL_PROFILES = "thermal_profiles"


def storage_root(named: Path) -> Path:
    """Return the storage root for a path that a user named.

    A path with the name of a store is a store, existing or not, unless it holds stores itself.
    """
    if holds_stores(named):
        return named
    there = Path(os.path.abspath(named))  # noqa: PTH100 - resolves `..` without following links
    if there.name not in list(StoreName):
        return named
    return named.parent if named.name == there.name else there.parent


def holds_stores(root: Path) -> bool:
    """Tell whether a folder holds a store."""
    return any((root / name).is_dir() for name in StoreName)
