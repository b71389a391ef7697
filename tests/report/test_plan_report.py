"""The plan as a person reads it."""

from __future__ import annotations

from typing import Any

from contract_examples import example

from orket_lib.artifacts.views.plan import Plan
from orket_lib.report.plan import plan_text


def facts(**changes: Any) -> dict[str, str]:
    """Return the plan's lines by the name that they begin with."""
    plan = Plan.model_validate(example(Plan, whole=True) | changes)
    lines = (line.split(maxsplit=1) for line in plan_text(plan).splitlines())
    return dict(lines)


def test_a_plan_says_how_cells_are_served_and_asked() -> None:
    serving = {
        "n_ctx": 4096,
        "temperature": 0.5,
        "max_output_tokens": 96,
        "task_timeout_sec": 30,
    }
    assert facts(serving=serving)["serving"] == (
        "n_ctx 4096, temperature 0.5, max_output_tokens 96, task_timeout_sec 30"
    )
    assert facts(serving=serving | {"n_ctx": None})["serving"].startswith("n_ctx the model's own,")


def test_a_plan_says_how_often_each_task_is_asked() -> None:
    changes: dict[str, Any] = {"runs_per_quant": 3, "rounds": 2, "expected_runs": 24, "cells": [], "batch_ends": []}
    assert facts(**changes)["runs"] == (
        "3 of each task x 2 rounds, every other one in reverse order: 24 graded runs in 0 cells, "
        "0 of them still to be measured"
    )
