"""Names of the shipped task banks."""

from __future__ import annotations

from orket_lib.config.shipped import shipped
from orket_lib.tasks.shipped_banks import SHIPPED_BANKS, bank_file


def test_every_shipped_bank_has_a_name() -> None:
    files = (shipped() / "config" / "task_banks").glob("*.json")
    banks = sorted(path.stem for path in files if not path.stem.endswith(".solutions"))
    assert list(SHIPPED_BANKS) == banks


def test_a_name_is_a_file_and_a_path_stays() -> None:
    assert bank_file("mixed") == "config/task_banks/mixed.json"
    assert bank_file("mine.json") == "mine.json"
    assert bank_file("mine") == "mine"
