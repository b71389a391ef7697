"""What a thinking model spends, measured on a real server that ends its thoughts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nano import measure, nano_file, nano_spec, row_of
from thinking_nano import thinking_nano

from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import ControlReadback
from orket_lib.vocabulary.reasons import Reason

LIMIT = 48


@pytest.fixture(scope="module")
def thinker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return thinking_nano(tmp_path_factory.mktemp("thinking"))


def measured(folder: Path, model: Path, **changes: Any) -> tuple[RowMetrics, list[ControlReadback]]:
    """Return the row of a small cell, and its read-backs of reasoning."""
    once = {"runs_per_task": 1, "probe_runs": 1, "max_output_tokens": LIMIT}
    report = measure(folder, nano_spec("Q4_K_M", model, **(once | changes)), model)
    controls = report.sessions[0].controls
    return row_of(report), [it for it in controls if it.name.startswith("thinking")]


def test_without_a_budget_every_thought_is_cut_by_the_limit(tmp_path: Path, thinker: Path) -> None:
    row, controls = measured(tmp_path, thinker)
    assert not controls
    assert row.thinking_cut_share == 1
    assert row.null_reasons["output_tokens_per_right_answer"] == "NO_CORRECT_ANSWER"
    # The server counts them with the answer, and its tokenizer counts what it sent.
    assert row.thinking_tokens_per_answer == pytest.approx(LIMIT, abs=3)


def test_a_budget_ends_them_and_is_seen_to(tmp_path: Path, thinker: Path) -> None:
    row, (switched, limited) = measured(tmp_path, thinker, thinking="on", thinking_budget=8)
    assert (switched.applied, switched.held) == ("on", True)
    assert (limited.requested, limited.applied, limited.held) == ("8", "8", True)
    assert row.thinking_cut_share == 0
    assert row.thinking_tokens_per_answer == pytest.approx(8, abs=3)
    assert Reason.MISSING_EXPERIMENTAL_CONTROLS not in {it.reason for it in row.run_quality_reasons}


def test_a_budget_for_a_model_that_does_not_think_is_said(tmp_path: Path) -> None:
    row, (limited,) = measured(tmp_path, nano_file("Q4_K_M"), thinking_budget=8)
    assert (limited.applied, limited.held) == (None, False)
    assert "without reasoning" in limited.source
    assert Reason.MISSING_EXPERIMENTAL_CONTROLS in {it.reason for it in row.run_quality_reasons}
    assert row.null_reasons["thinking_tokens_per_answer"] == "NO_THINKING_SENT"
    assert row.output_tokens_per_right_answer
