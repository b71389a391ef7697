"""The plan as a person reads it."""

from __future__ import annotations

from typing import Any

from contract_examples import example

from orket_lib.artifacts.views.plan import Plan
from orket_lib.report.plan import plan_text
from orket_lib.vocabulary.cpu_features import NATIVE_BUILD


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
    changes: dict[str, Any] = {"runs_per_quant": 3, "rounds": 2, "expected_runs": 24}
    changes |= {"cells": [], "batch_ends": []}
    assert facts(**changes)["runs"] == (
        "3 of each task x 2 rounds, every other one in reverse order: 24 graded runs in 0 cells, "
        "0 of them still to be measured"
    )


def test_a_plan_says_what_its_tasks_can_decide() -> None:
    tasks = {"path": "bank.json", "sha256": "0" * 64, "tasks": 168}
    whole = facts(task_bank=tasks, batch_ends=[], adherence_threshold=0.95)["can"]
    assert whole.startswith("decide")
    assert "168 tasks: a quant that keeps everything is proved in about 8 of 10 sweeps" in whole
    few = facts(task_bank=tasks | {"tasks": 14}, batch_ends=[])["can"]
    assert "14 tasks, too few for a verdict, which needs at least 20" in few


def test_a_plan_says_how_long_it_will_take() -> None:
    assert facts(expected_seconds=None)["takes"].startswith("unknown: no cell is measured yet")
    takes = facts(expected_seconds=1800.0, expected_from="by size", batch_ends=[])["takes"]
    assert takes == "about 30 min, by size"
    assert facts(expected_seconds=0.0)["takes"] == "no time: everything is measured"


def test_a_plan_says_how_tasks_are_asked_in_batches() -> None:
    found = facts(batch_ends=[40, 80, 168], budget="45m")["batches"]
    assert found == (
        "up to 40, 80, 168 tasks; quants that are decided after a batch are asked no further "
        "(needs P 0.995, after the last batch 0.975); at most 45m of loading and asking"
    )
    assert facts(batch_ends=[])["batches"] == "off: every quant is asked all tasks"


def test_a_plan_says_what_a_recommended_quant_has_to_meet() -> None:
    changes = {"adherence_threshold": 0.9, "latency_ceiling": 5, "include_invalid": False}
    wanted = {"prefer": "best", "wants": {"decode_tps": 30, "context": 16384}}
    assert facts(**changes, **wanted)["recommendation"] == (
        "the best quant with adherence >= 0.9 x baseline, latency <= 5 s, decode_tps 30, "
        "context 16384"
    )
    plain = facts(**changes, prefer="smallest", wants={})["recommendation"]
    assert plain == "the smallest quant with adherence >= 0.9 x baseline, latency <= 5 s"


def test_what_a_build_leaves_unused_of_the_cpu_is_said_in_lines_to_read_and_to_type() -> None:
    plan = Plan.model_validate(example(Plan, whole=True) | {"unused_cpu_features": ["AVX512"]})
    lines = [line.strip() for line in plan_text(plan).splitlines()]
    begin = next(n for n, line in enumerate(lines) if line.startswith("cpu features"))
    said, build, config = lines[begin : begin + 3]
    assert said.endswith("AVX512 of this CPU; a native llama-server may be faster")
    assert build.startswith("to build one") and build.endswith(NATIVE_BUILD)
    assert config.endswith("server_binary: llama.cpp/build/bin/llama-server")
    assert not any(line.startswith("cpu features") for line in _without_features())


def _without_features() -> list[str]:
    plan = Plan.model_validate(example(Plan, whole=True) | {"unused_cpu_features": []})
    return [line.strip() for line in plan_text(plan).splitlines()]
