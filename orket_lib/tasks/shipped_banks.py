"""Names of the shipped task banks and of the model that one of them was made for."""

from __future__ import annotations

GENERAL_BANK = "general"
REFERENCE_BANK = "reference"
SHIPPED_BANKS = (GENERAL_BANK, "logic", "mixed", "realworld", "refactor", REFERENCE_BANK)
REFERENCE_MODEL = "orket-nano"


def bank_file(named: str) -> str:
    """Return the path of a bank, as a config names it; a path is returned unchanged."""
    return f"config/task_banks/{named}.json" if named in SHIPPED_BANKS else named
