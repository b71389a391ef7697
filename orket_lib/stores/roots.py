"""Where the stores are: a person may name the folder that holds them, or one of them."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path


class StoreName(StrEnum):
    """The folders of the stores."""

    BASELINES = "baselines"
    FRONTIERS = "frontiers"
    CONTEXT_CEILINGS = "context_ceilings"
    THERMAL_PROFILES = "thermal_profiles"


def storage_root(named: Path) -> Path:
    """Return the folder that holds the stores, or will, for one that a person named.

    A folder that is called like a store and holds none is a store, whether it is there or not.
    """
    if holds_stores(named):
        return named
    there = Path(os.path.abspath(named))  # noqa: PTH100 - of `.` and `..`, and no link is followed
    if there.name not in list(StoreName):
        return named
    return named.parent if named.name == there.name else there.parent


def holds_stores(root: Path) -> bool:
    """Tell whether one of the stores is in a folder."""
    return any((root / name).is_dir() for name in StoreName)
