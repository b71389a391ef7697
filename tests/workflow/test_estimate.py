"""How long a sweep will take, before it begins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from config_folder import folder

from orket_lib.analysis.active_time import Pace
from orket_lib.artifacts.io import write_json
from orket_lib.sweep.cells import Cell
from orket_lib.sweep.load import load_sweep
from orket_lib.workflow.estimate import Estimates, estimates
from orket_lib.workflow.targets import Targets

__all__ = ["folder"]

pytestmark = pytest.mark.usefixtures("folder")
MIB = 2**20
PACE = Pace(session_s=10.0, run_s=2.0, probe_s=1.0, prompt_token_s=0.001)


def estimated(paces: dict[str, Pace], **config: Any) -> Estimates:
    """Return the estimates of a sweep of two quants, of 20 and 10 MiB, and four tasks."""
    for quant, size in (("Q8_0", 20), ("Q4_K_M", 10)):
        os.truncate(f"models/nano-{quant}.gguf", size * MIB)
    settings: dict[str, Any] = {
        "models": ["nano"],
        "quants": ["Q8_0", "Q4_K_M"],
        "artifact_template": "models/{model}-{quant}.gguf",
        "task_bank": "bank.json",
        "runs_per_quant": 2,
        "probe_runs": 3,
        "canary": {"runs": 0},
    }
    write_json(Path("mine.json"), settings | config)
    sweep = load_sweep(["mine.json"], {}, remember=False)

    def pace_here(cell: Cell) -> Pace | None:
        return paces.get(cell.quant_tag)

    return estimates(sweep, Targets(sweep), pace_here=pace_here)


def seconds(found: Estimates) -> dict[str, float | None]:
    return {path.removeprefix("results/mine/"): due.seconds for path, due in found.jobs.items()}


def test_a_cell_takes_a_session_and_its_steps_at_its_own_pace() -> None:
    found = estimated({"Q8_0": PACE, "Q4_K_M": PACE})
    assert seconds(found) == {
        "cells/nano/Q8_0/receipt.json": 10 + 3 * 1 + 8 * 2,
        "cells/nano/Q4_K_M/receipt.json": 10 + 3 * 1 + 8 * 2,
    }
    assert found.seconds == 2 * 29 + found.views_s
    assert found.basis.startswith("at the pace of earlier measurements")


def test_another_quant_has_the_pace_of_the_nearest_in_proportion_to_its_size() -> None:
    found = seconds(estimated({"Q8_0": PACE}))
    assert found["cells/nano/Q4_K_M/receipt.json"] == pytest.approx(10 + (3 * 1 + 8 * 2) / 2)


def test_before_anything_is_measured_there_is_the_size_of_the_file() -> None:
    found = estimated({})
    by_size = list(seconds(found).values())
    assert by_size[0] is not None
    assert by_size[1] is not None
    assert by_size[0] > by_size[1] > 0
    assert found.basis.startswith("by the size of the files alone (20 GB of weights per second")


def test_a_machine_that_is_not_ours_has_no_estimate_before_it_has_measured() -> None:
    found = estimated({}, machine="lab-7")
    assert set(seconds(found).values()) == {None}
    assert found.seconds is None


def test_canary_contexts_and_thermal_series_count() -> None:
    found = seconds(
        estimated(
            {"Q8_0": PACE, "Q4_K_M": PACE},
            canary={"runs": 3, "task_limit": 2, "closing": True},
            context={"sweep_contexts": [1024, 4096], "tasks_per_depth": 1},
            thermal={"repeats": 6, "generations": 10, "cooldown_timeout_sec": 0.001},
        )
    )
    assert found["canary/receipt.json"] == 10 + 6 * (2 + 1)
    assert found["canary/closing_receipt.json"] == 10 + 6 * (2 + 1)
    assert found["thermal/nano/receipt.json"] == pytest.approx(10 + 60 * 1, abs=0.1)
    context_s = found["context_sweep/nano/receipt.json"]
    assert context_s is not None
    assert context_s > 2 * 10 + 5 * 2


def test_probabilities_take_a_load_and_a_token_at_each_place_of_every_quant() -> None:
    found = estimated({"Q8_0": PACE, "Q4_K_M": PACE}, fidelity="kld")
    due = found.jobs["results/mine/fidelity/nano/receipt.json"]
    assert due.seconds == pytest.approx(3 * (10 + 2540 / 128)), "the baseline is measured twice"


def test_a_sweep_in_which_nothing_is_due_takes_no_time() -> None:
    found = estimated({"Q8_0": PACE, "Q4_K_M": PACE})
    done = {path: due.model_copy(update={"seconds": 0.0}) for path, due in found.jobs.items()}
    assert Estimates(done, found.views_s, "").seconds == 0
