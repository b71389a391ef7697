"""Names of the shipped task banks and of the model that one of them was made for."""

from __future__ import annotations

GENERAL_BANK = "general"
REFERENCE_BANK = "reference"
REFERENCE_MODEL = "orket-nano"


def bank_file(name: str) -> str:
    """Return the path of a shipped bank, as a config names it."""
    return f"config/task_banks/{name}.json"
