"""A bank that a config describes: made anew each time, kept as a file, none of it shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from config_folder import ROOT

from orket_lib.artifacts.io import write_json
from orket_lib.config.loading.parse import parse
from orket_lib.config.model import SweepConfig
from orket_lib.sweep.load import load_sweep
from orket_lib.sweep.requests import asked_tasks
from orket_lib.sweep.task_bank import bank_of
from orket_lib.tasks.bank import load_bank, selected

pytestmark = pytest.mark.usefixtures("folder")
RAW: dict[str, Any] = {
    "models": ["nano"],
    "quants": ["Q8_0"],
    "artifact_template": "models/{model}-{quant}.gguf",
}


def config(**general: Any) -> SweepConfig:
    return parse(RAW | {"task_bank": {"general": general}})


def asked(settings: SweepConfig) -> list[str]:
    return [task.prompt for task in bank_of(settings).tasks]


def test_families_levels_and_number_are_as_asked() -> None:
    bank = bank_of(config(families="dates, spelling", levels="2-3", n=30, seed=4))
    assert len(bank.tasks) == 30
    assert {(task.family, task.tier) for task in bank.tasks} == {
        (family, level) for family in ("dates", "spelling") for level in (2, 3)
    }


def test_no_task_is_in_the_shipped_bank() -> None:
    shipped = {task.prompt for task in load_bank(ROOT / "config/task_banks/general.json").tasks}
    for seed in (1, 2):
        assert not shipped & set(asked(config(n=300, seed=seed)))


def test_the_same_settings_give_the_same_tasks_and_another_seed_others() -> None:
    assert asked(config(n=20)) == asked(config(n=20, levels=[1, 2, 3], seed=1))
    assert not set(asked(config(n=20))) & set(asked(config(n=20, seed=2)))
    assert config(n=20).task_bank == config(n=20, levels="1-3").task_bank


def test_nothing_but_the_word_takes_every_default() -> None:
    bare, empty = (parse({**RAW, "task_bank": {"general": it}}) for it in (None, dict[str, int]()))
    assert bare.task_bank == empty.task_bank
    again = parse(bare.model_dump(mode="json"))  # as a summary keeps it
    assert asked(again) == asked(bare)


def test_jobs_read_the_file_that_a_sweep_writes_and_a_dry_run_writes_none(folder: Path) -> None:
    write_json(folder / "mine.json", RAW | {"task_bank": {"general": {"n": 12}}})
    sweep = load_sweep(["mine.json"], {}, remember=False)
    request = asked_tasks(sweep)
    assert not Path(request.bank).exists()
    assert load_sweep(["mine.json"], {}, remember=True).bank_path == request.bank
    found = selected(load_bank(Path(request.bank)), request.tasks)
    assert found is not None
    assert [task.prompt for task in found] == [task.prompt for task in sweep.tasks]
