"""Looks from the run reports of a model's batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import NOW, probe, report, run, session, spec

from orket_lib.artifacts.io import read_model, write_json, write_model
from orket_lib.artifacts.row_settings import RowPolicy, RowSettings
from orket_lib.artifacts.views.look import Look, LookSettings, Started
from orket_lib.artifacts.views.receipt import Dropped
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.cli import main
from orket_lib.vocabulary.statuses import DropReason, Lane, Outcome, Prefer, RunStatus, VramProfile

QUANTS = ("F16", "Q4_K_M", "Q2_K")
CERTAIN = {"certain_early": 0.995, "certain_last": 0.975}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    policy = RowPolicy(
        max_missing_telemetry_rate=0,
        max_orchestration_overhead_ratio=1,
        max_cpu_saturation_rate=1,
        max_system_load_rate=1,
    )
    settings = RowSettings(
        policy=policy,
        execution_lane=Lane.CI,
        vram_profile=VramProfile.SAFE,
        provenance_ref="test",
        quant_bits={},
    )
    write_model(tmp_path / "row.json", settings)
    return tmp_path


def settings(**changes: Any) -> None:
    values: dict[str, Any] = {
        "models": {"nano": "nano"},
        "quants": {"nano": QUANTS},
        "baselines": {"nano": "F16"},
        "ends": (40, 80, 168),
        "runs_per_task": 1,
        "budget_seconds": None,
        "adherence_threshold": 0.95,
        "latency_ceiling": 10.0,
        "include_invalid": False,
        "prefer": Prefer.SMALLEST,
        "wants": {},
        "execution_lane": Lane.CI,
    }
    write_model(Path("looks.json"), LookSettings(**values | CERTAIN | changes))


def batch_of(quant: str, number: int, first: int, tasks: int, wrong: int = 0) -> RunReport:
    """Return the report of a batch: some tasks, the first of which are answered wrongly."""
    runs = [
        run(task, outcome=Outcome.FAIL if task < first + wrong else Outcome.PASS)
        for task in range(first, first + tasks)
    ]
    begun = NOW.replace("15:04", f"15:{number:02d}")
    return report(
        spec=spec(quant_tag=quant, runs_per_task=1),
        batch=number,
        sessions=(session(started_at=begun),),
        probes=(probe(0),) if number == 1 else (),
        test_runs=tuple(
            item.model_copy(update={"window_s": (place + 1.0, place + 2.0)})
            for place, item in enumerate(runs)
        ),
    )


def not_asked(quant: str, number: int) -> RunReport:
    dropped = Dropped(reason=DropReason.DECIDED, detail="LOST after 40 tasks", certain=0.995)
    nothing: dict[str, Any] = {"sessions": (), "hosts": (), "probes": (), "test_runs": ()}
    cell = spec(quant_tag=quant, runs_per_task=1)
    status = {"status": RunStatus.NOT_RUN, "status_reason": "DECIDED"}
    return report(spec=cell, batch=number, dropped=dropped, **nothing, **status)


def place(found: RunReport) -> None:
    part = "" if found.batch == 1 else f"/batch-{found.batch}"
    write_model(Path(f"cells/nano/{found.spec.quant_tag}{part}/run.json"), found)


def look_after(batch: int, *options: str) -> Look:
    command = ["look", "--settings", "looks.json", "--rows", "row.json", "--cells", "cells"]
    named = ["--model", "nano", "--batch", str(batch), "--out", "look.json"]
    assert main([*command, *named, *options]) == 0
    return read_model(Path("look.json"), Look)


def reasons(look: Look) -> dict[str, DropReason | None]:
    return {item.quant_tag: item.dropped.reason if item.dropped else None for item in look.quants}


@pytest.mark.usefixtures("folder")
def test_lost_quants_are_dropped_and_stay_so(capsys: pytest.CaptureFixture[str]) -> None:
    settings()
    for quant, wrong in zip(QUANTS, (0, 1, 30), strict=True):
        place(batch_of(quant, 1, 1, 40, wrong))
    first = look_after(1)
    assert (first.batch, first.batches, first.tasks, first.certain) == (1, 3, 40, 0.995)
    assert reasons(first) == {"F16": None, "Q4_K_M": None, "Q2_K": DropReason.DECIDED}
    gone = first.dropped("Q2_K")
    assert gone
    assert gone.detail.startswith("LOST after 40 tasks (P < 0.001; this look needs 0.995)")
    assert "Q2_K is asked no further: LOST after 40" in capsys.readouterr().err

    for quant in QUANTS[:2]:
        place(batch_of(quant, 2, 41, 40))
    place(not_asked("Q2_K", 2))
    second = look_after(2)
    asked = {item.quant_tag: item.tasks for item in second.quants}
    assert asked == {"F16": 80, "Q4_K_M": 80, "Q2_K": 40}
    assert reasons(second)["Q2_K"] is DropReason.DECIDED
    assert second.seconds is None


@pytest.mark.usefixtures("folder")
def test_after_the_baselines_first_batch_only_the_baseline_is_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings()
    place(batch_of("F16", 1, 1, 40, 39))
    look = look_after(0)
    assert reasons(look) == {"F16": DropReason.TASKS_TOO_HARD}
    assert look.dropped("Q4_K_M") is None
    said = capsys.readouterr().err
    assert "F16 answers 1 of the first 40 tasks: too few for a verdict, even with" in said


@pytest.mark.usefixtures("folder")
def test_a_budget_ends_before_a_batch_that_does_not_fit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each quant took 41 s for 40 tasks; the next 40 of two quants take about 80 s more."""
    write_model(Path("started.json"), Started(started_at=NOW.replace("15:04", "15:00")))
    for quant, wrong in zip(QUANTS, (0, 1, 30), strict=True):
        place(batch_of(quant, 1, 1, 40, wrong))
    settings(budget_seconds=220.0)
    assert reasons(look_after(1, "--started", "started.json"))["Q4_K_M"] is None
    settings(budget_seconds=200.0)
    look = look_after(1, "--started", "started.json")
    assert look.seconds == pytest.approx(3 * 41)
    assert reasons(look) == {
        "F16": DropReason.BUDGET_SPENT,
        "Q4_K_M": DropReason.BUDGET_SPENT,
        "Q2_K": DropReason.DECIDED,
    }
    said = capsys.readouterr().err
    assert "the next 40 tasks would take about 80 s, and 77 s of 3 min are left" in said


@pytest.mark.usefixtures("folder")
def test_what_was_measured_before_the_start_costs_nothing() -> None:
    write_model(Path("started.json"), Started(started_at=NOW.replace("2026", "2027")))
    settings(budget_seconds=100.0)
    for quant in QUANTS:
        place(batch_of(quant, 1, 1, 40))
    assert look_after(1, "--started", "started.json").seconds == 0


@pytest.mark.usefixtures("folder")
def test_a_missing_report_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    settings()
    write_json(Path("cells/none.json"), {})
    command = ["look", "--settings", "looks.json", "--rows", "row.json", "--cells", "cells"]
    assert main([*command, "--model", "nano", "--batch", "1", "--out", "look.json"]) == 1
    assert "cells/nano/F16/run.json" in capsys.readouterr().err
