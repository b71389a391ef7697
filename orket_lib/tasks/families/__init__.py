"""Families of generated tasks, one module each."""

from __future__ import annotations

from types import ModuleType

from orket_lib.tasks.families import (
    arithmetic,
    classification,
    code_reading,
    comprehension,
    counting,
    dates,
    deduction,
    extraction,
    functions,
    impossible,
    instructions,
    ordering,
    spelling,
    summary,
    table_reading,
    text_editing,
    tool_calls,
    translation,
    units,
)

_MODULES = (
    arithmetic,
    classification,
    code_reading,
    comprehension,
    counting,
    dates,
    deduction,
    extraction,
    functions,
    impossible,
    instructions,
    ordering,
    spelling,
    summary,
    table_reading,
    text_editing,
    tool_calls,
    translation,
    units,
)
FAMILIES: dict[str, ModuleType] = {module.NAME: module for module in _MODULES}
