"""Families of generated tasks, one module each."""

from __future__ import annotations

from types import ModuleType

from orket_lib.tasks.families import (
    arithmetic,
    dates,
    units,
)

_MODULES = (
    arithmetic,
    dates,
    units,
)
FAMILIES: dict[str, ModuleType] = {module.NAME: module for module in _MODULES}
