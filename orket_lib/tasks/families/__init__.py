"""Families of generated tasks, one module each."""

from __future__ import annotations

from types import ModuleType

from orket_lib.tasks.families import (
    arithmetic,
    classification,
    code_reading,
    dates,
    deduction,
    extraction,
    ordering,
    table_reading,
    units,
)

_MODULES = (
    arithmetic,
    classification,
    code_reading,
    dates,
    deduction,
    extraction,
    ordering,
    table_reading,
    units,
)
FAMILIES: dict[str, ModuleType] = {module.NAME: module for module in _MODULES}
