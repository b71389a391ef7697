"""The bank `mixed` is a selection from the other three, and this is the rule that makes it.

    python tests/tasks/mixed_bank.py      writes it again, after a change in one of the three

Ten rounds, each with one task of every tier; the round says from which bank. Within a bank and a
tier the category that was taken least so far comes first, then the order of the bank.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "config" / "task_banks"
MIXED = FOLDER / "mixed.json"
ROUNDS = (
    *("realworld", "logic", "refactor", "realworld", "logic"),
    *("realworld", "logic", "realworld", "refactor", "realworld"),
)
TIERS = (1, 2, 3, 4, 5, 6)


def mixed() -> dict[str, Any]:
    """Return the content of the bank."""
    left = {name: _tasks(name) for name in dict.fromkeys(ROUNDS)}
    taken: Counter[str] = Counter()
    tasks: list[dict[str, Any]] = []
    for name in ROUNDS:
        for tier in TIERS:
            of_tier = [task for task in left[name] if task["tier"] == tier]
            chosen = min(of_tier, key=lambda task: taken[task["category"]])
            left[name].remove(chosen)
            taken[chosen["category"]] += 1
            tasks.append(chosen | {"id": len(tasks) + 1})
    return {
        "schema_version": "orket.task_bank.v1",
        "bank_id": "mixed",
        "description": "Selected from realworld, logic and refactor; see docs/reference/tasks.md.",
        "tasks": tasks,
    }


def _tasks(name: str) -> list[dict[str, Any]]:
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    tasks: list[dict[str, Any]] = content["tasks"]
    return tasks


def written(content: dict[str, Any]) -> str:
    """Return the text of the file."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    MIXED.write_text(written(mixed()), encoding="utf-8", newline="\n")
