"""Families of generated tasks, one module each."""

from __future__ import annotations

from types import ModuleType

from orket_lib.tasks.families import (
    comprehension,
    counting,
    functions,
    impossible,
    instructions,
    spelling,
    summary,
    text_editing,
    tool_calls,
    translation,
)

_MODULES = (
    comprehension,
    counting,
    functions,
    impossible,
    instructions,
    spelling,
    summary,
    text_editing,
    tool_calls,
    translation,
)
FAMILIES: dict[str, ModuleType] = {module.NAME: module for module in _MODULES}
