"""Which looks and batches a sweep has, and which job waits for which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, task
from config_folder import folder

from orket_lib.artifacts.io import write_json
from orket_lib.artifacts.views.look import LookSettings
from orket_lib.config.loading.parse import parse
from orket_lib.sweep.cells import Cell, Sweep, resolve
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.plan import make_plan
from orket_lib.sweep.schedule import priorities
from orket_lib.workflow.forced import Forced
from orket_lib.workflow.targets import Targets, round_of

__all__ = ["folder"]
pytestmark = pytest.mark.usefixtures("folder")
QUANTS = ("Q4_K_M", "Q8_0")  # the smaller one first: the baseline is not the first of the config
CELLS = "results/sweep/cells/nano"


def sweep(tasks: int = 100, **changes: Any) -> Sweep:
    bank = {
        "schema_version": "orket.task_bank.v1",
        "bank_id": "bank",
        "tasks": [task(number).model_dump(mode="json") for number in range(1, tasks + 1)],
    }
    write_json(Path("bank.json"), bank)
    config: dict[str, Any] = {
        "models": ["nano"],
        "quants": list(QUANTS),
        "task_bank": "bank.json",
        "artifact_template": "models/{model}-{quant}.gguf",
    }
    return resolve(parse(config | changes), HashCache(Path("cache.json")), MACHINE)


def test_the_batches_of_a_cell_are_all_of_its_tasks_and_no_other_measurement() -> None:
    whole, found = sweep(), sweep(until="decided")
    cell = found.cells[0]
    assert cell.parts == ["", "/batch-2", "/batch-3"]
    assert [len(batch.ids) for batch in cell.batches] == [40, 40, 20]
    assert sorted(key for batch in cell.batches for key in batch.keys) == sorted(
        cell.spec.tasks.keys
    )
    assert cell.digest == whole.cells[0].digest
    asked = [wanted.answers for wanted in cell.wanted]
    assert frozenset[Any]().union(*asked) == whole.cells[0].wanted[0].answers
    # Speed is measured with the first batch.
    assert [len(wanted.probes) for wanted in cell.wanted] == [3, 0, 0]


def test_a_baseline_that_is_asked_once_repeats_some_tasks_for_the_noise_floor() -> None:
    def asked(**changes: Any) -> dict[str, list[int]]:
        cells = sweep(**changes).cells
        return {it.quant_tag: [len(wanted.answers) for wanted in it.wanted] for it in cells}

    assert asked(runs_per_quant=1) == {"Q4_K_M": [100], "Q8_0": [130]}
    in_batches = asked(runs_per_quant=1, until="decided")
    assert in_batches == {"Q4_K_M": [40, 40, 20], "Q8_0": [70, 40, 20]}
    assert asked(runs_per_quant=1, fidelity="off") == {"Q4_K_M": [100], "Q8_0": [100]}
    assert asked(runs_per_quant=2) == {"Q4_K_M": [200], "Q8_0": [200]}
    assert asked(runs_per_quant=1, quants=["Q8_0"]) == {"Q8_0": [100]}
    assert make_plan(sweep(runs_per_quant=1), None, None).expected_runs == 230


def test_the_baseline_comes_first_and_every_batch_waits_for_a_look() -> None:
    batches = Targets(sweep(until="decided")).batches
    assert batches.look_before("nano", "Q8_0", "") == []
    assert batches.look_before("nano", "Q4_K_M", "") == ["results/sweep/looks/nano/0.json"]
    for quant in QUANTS:
        assert batches.look_before("nano", quant, "/batch-2") == ["results/sweep/looks/nano/1.json"]
    assert batches.reports_before("nano", 0) == [f"{CELLS}/Q8_0/run.json"]
    assert batches.reports_before("nano", 2) == [
        f"{CELLS}/{quant}{part}/run.json" for quant in QUANTS for part in ("", "/batch-2")
    ]
    assert batches.all_files() == [f"results/sweep/looks/nano/{batch}.json" for batch in range(4)]
    assert batches.batch_option("/batch-3") == "--batch 3"
    assert round_of("/batch-3") == 1


def test_quants_take_turns_within_a_batch() -> None:
    ranks = priorities(sweep(until="decided").cells)
    order = sorted(ranks, key=lambda turn: -ranks[turn])
    assert [part for _, _, part in order] == [
        "",
        "",
        "/batch-2",
        "/batch-2",
        "/batch-3",
        "/batch-3",
    ]


def test_without_batches_there_is_no_look() -> None:
    targets = Targets(sweep())
    assert targets.batches.all_files() == []
    assert targets.batches.look_before("nano", "Q4_K_M", "") == []
    assert targets.batches.batch_option("") == ""
    assert "batches" not in json.loads(targets.policy_json("tasks"))
    assert not any("look" in path for path in targets.all_files())


def test_every_product_of_the_batches_is_a_target() -> None:
    targets = Targets(sweep(budget="45m"))
    files = set(targets.all_files())
    assert {f"{CELLS}/{quant}/batch-3/receipt.json" for quant in QUANTS} <= files
    assert {f"{CELLS}/{quant}/batch-3/run.json" for quant in QUANTS} <= files
    assert set(targets.batches.all_files()) <= files
    assert {"results/sweep/started.json", "results/sweep/policy/looks.json"} <= files


def test_looks_know_the_batches_the_certainties_and_the_share_of_the_budget() -> None:
    template = "models/nano-{quant}.gguf"
    targets = Targets(sweep(budget="1h30m", models=["a", "b"], artifact_template=template))
    found = LookSettings.model_validate_json(targets.policy_json("looks"))
    assert found.ends == (40, 80, 100)
    assert found.baselines == {"a": "Q8_0", "b": "Q8_0"}
    assert (found.certain_early, found.certain_last) == (0.995, 0.975)
    assert found.budget_seconds == 2700


def test_a_quick_sweep_asks_60_tasks_once_and_nothing_else() -> None:
    found = sweep(quick=True, runs_per_quant=3, thermal_repeats=6, context_sweep_contexts=[512])
    assert len(found.tasks) == 60
    assert found.config.budget_seconds == 60
    # So small a model is asked all at once; any other can't be loaded for a few tasks more.
    assert [len(batch.ids) for batch in found.cells[0].batches] == [60]
    assert make_plan(found, None, None).expected_runs == 120
    assert not (found.config.sweeps_contexts or found.config.thermal_repeats)
    assert sweep(quick=True, budget="5m").config.budget_seconds == 300
    assert not sweep(quick=True, wants={"context": 512}).config.sweeps_contexts


def test_a_quick_sweep_begins_with_the_easiest_tasks() -> None:
    tagged: dict[str, Any] = {"provider": "ollama", "tag_template": "m:{quant}"}
    tagged["artifact_template"] = None
    found = sweep(quick=True, task_bank="general", task_limit=0, **tagged)
    levels = {task.id: task.tier for task in found.tasks}
    tools = {task.id for task in found.tasks if task.tools}
    first, rest = ([levels[it] for it in batch.ids] for batch in found.cells[0].batches)
    assert first == [1] * 20
    assert (len(rest), set(rest)) == (40, {1, 2, 3})
    assert not tools & set(found.cells[0].batches[0].ids)


def test_a_quick_sweep_asks_only_what_the_whole_one_asks_too() -> None:
    quick, whole = sweep(quick=True, task_limit=50), sweep(task_limit=50)
    assert {task.id for task in quick.tasks} <= {task.id for task in whole.tasks}
    asked = quick.cells[0].wanted[0].answers
    assert asked <= whole.cells[0].wanted[0].answers


def test_a_batch_that_is_not_asked_needs_no_measurement() -> None:
    cell = sweep(until="decided").cells[0]
    assert not cell.measured("results/sweep")
    for part in cell.parts:
        receipt = Path(f"{CELLS}/{cell.quant_tag}{part}/receipt.json")
        receipt.parent.mkdir(parents=True, exist_ok=True)
        write_json(receipt, {"dropped": {"detail": "LOST"}})
    assert cell.measured("results/sweep")


class _Inside:
    """An invocation that is no module of another workflow."""

    path = staticmethod(str)
    rule = staticmethod(str)


@pytest.mark.parametrize(
    ("again", "repeated"),
    [(None, [0, 0, 0]), ("probes", [1, 0, 0]), ("runs", [1, 1, 1]), ("all", [1, 1, 1])],
)
def test_only_a_batch_with_the_part_is_measured_again(
    again: Any, repeated: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sweep(until="decided", again=again)
    cell = found.cells[0]
    receipts = [f"{CELLS}/{cell.quant_tag}{part}/receipt.json" for part in cell.parts]
    forced, plain = (
        Forced(None, it, _Inside())  # type: ignore[arg-type]
        for it in (found, sweep(until="decided"))
    )
    gained = [forced.attempt(receipt) - plain.attempt(receipt) for receipt in receipts]
    assert gained == repeated
    assert [bool(wanted.again(again)) for wanted in cell.wanted] == list(map(bool, repeated))
    monkeypatch.setattr(Cell, "_has", lambda cell, wanted: True)
    assert cell.measured(found.results, again) == (again is None)
