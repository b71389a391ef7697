"""Families of generated tasks, one module each."""

from __future__ import annotations

from types import ModuleType

from orket_lib.tasks.generators.language import (
    comprehension,
    extraction,
    instructions,
    spelling,
    summary,
    text_editing,
    translation,
)
from orket_lib.tasks.generators.numbers import arithmetic, counting, dates, table_reading, units
from orket_lib.tasks.generators.reasoning import (
    classification,
    code_reading,
    deduction,
    functions,
    impossible,
    native_tool_calls,
    ordering,
    tool_calls,
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
    native_tool_calls,
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
