"""The JSON Schema of task banks, for editors. It is generated from the models and checked in.

`python -m orket_lib.tasks.schema` regenerates it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from orket_lib.artifacts.io import write_json
from orket_lib.tasks.bank import TaskBank
from orket_lib.tasks.task import AnyTask

SCHEMA_FILE = Path("docs/schemas/task_bank.schema.json")


def bank_schema() -> dict[str, Any]:
    """Return the schema of a bank: an object with a version, or an array of tasks."""
    generated = TypeAdapter(TaskBank | list[AnyTask]).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Orket Quant Sweep task bank",
        "description": "Tasks and their graders. Generated; see docs/reference/tasks.md.",
        "anyOf": generated["anyOf"],
        "$defs": generated["$defs"],
    }


if __name__ == "__main__":
    write_json(SCHEMA_FILE, bank_schema())
