"""A storage folder of the older layout: its answers and probes count, nothing is measured again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builders import report, spec, task

from orket_lib.artifacts.io import write_json
from orket_lib.stores.parts import CellStore, Wanted
from orket_lib.tasks.bank import load_bank, selection
from orket_lib.workflow.migration import migrate


def test_a_report_of_the_older_layout_becomes_parts_of_its_cell(tmp_path: Path) -> None:
    content: dict[str, Any] = {
        "schema_version": "orket.task_bank.v1",
        "bank_id": "bank",
        "tasks": [task(number).model_dump(mode="json") for number in (1, 2)],
    }
    write_json(tmp_path / "bank.json", content)
    bank = load_bank(tmp_path / "bank.json")
    tasks = selection(bank, bank.tasks, False)
    asked = spec(tasks=tasks)
    older = report(spec=asked.model_copy(update={"tasks": tasks.model_copy(update={"keys": ()})}))
    storage = tmp_path / "storage"
    attempt = storage / "runs" / "nano" / "Q4_K_M" / "0123456789ab" / "attempts" / "20251101T000000"
    write_json(attempt / "run.json", older.model_dump(mode="json", exclude={"parts"}))
    said: list[str] = []
    migrate(storage, [tmp_path / "bank.json"], said.append)
    assert said == ["storage/ has the layout of an older version: migrated 1 measurements"]
    store = CellStore(storage / asked.folder)
    assert not store.find(Wanted.of(asked)).missing
    assert len(store.parts()) == 2  # answers and probes
    said.clear()
    migrate(storage, [tmp_path / "bank.json"], said.append)
    assert said == []
