"""What the workflow prints at its end, of this config and no other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from contract_examples import example
from explorer_artifacts import context_ceiling
from report_summaries import polluted, summary

from orket_lib.artifacts.io import write_json, write_model
from orket_lib.artifacts.views.context_ceiling import ContextQuants
from orket_lib.artifacts.views.summary import Summary
from orket_lib.cli import main
from orket_lib.commands.closing_message import show_summary


def written(folder: Path, **matrix: Any) -> None:
    content = example(Summary, whole=True) | {"matrix": {"sweep": "small", **matrix}}
    content["sessions"][0]["model_id"] = "nano"
    write_json(folder / "quant_sweep" / "sweep_summary.json", content)
    for model in ("nano", "removed"):
        path = folder / "context_sweep" / model / "context_ceiling.json"
        write_json(path, context_ceiling(model_id=model, recommendation=f"{model}: up to 512"))


@pytest.mark.parametrize(
    "matrix",
    [{"context_sweep_contexts": [512]}, {"context_sweep_profile": "safe"}],
    ids=["contexts", "profile"],
)
def test_what_a_context_sweep_found_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], matrix: dict[str, Any]
) -> None:
    written(tmp_path, **matrix)
    show_summary(tmp_path, 0.0)
    said = capsys.readouterr().out
    assert "context: nano: up to 512\n" in said
    assert "removed" not in said


def test_what_an_older_config_found_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, context_sweep_contexts=None, context_sweep_profile=None)
    show_summary(tmp_path, 0.0)
    assert "up to 512" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("--configfile my.yaml", "snakemake --configfile my.yaml --config again=probes"),
        (
            "--configfile my.yaml --config seed=7",
            "snakemake --configfile my.yaml --config again=probes seed=7",
        ),
        ("", "snakemake --config again=probes"),
    ],
)
def test_disturbed_speeds_end_with_the_line_that_repeats_the_probes(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    line: str,
) -> None:
    monkeypatch.setenv("ORKET_COMMAND", typed)
    evidence = "first: probe 1: 30% of the samples"
    busy = polluted("Q8_0", 8.5, 0.9, evidence, quality_spoiled_by=(), speed_spoiled_by=(evidence,))
    write_model(tmp_path / "quant_sweep" / "sweep_summary.json", summary([busy]))
    show_summary(tmp_path, 0.0)
    said = capsys.readouterr().out
    assert f"THERMAL_THROTTLE: {evidence}" in said
    assert f"on a quiet machine: {line}\n" in said


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """Return the log of a gate that failed just now, over a sweep that is older than that."""
    busy = polluted("Q8_0", 8.5, 0.9, "hot", quality_spoiled_by=(), latency_spoiled_by=())
    found = summary([busy], matrix={"kpi_policy": "limits.json"})
    path = tmp_path / "quant_sweep" / "sweep_summary.json"
    write_model(path, found)
    os.utime(path, (1000.0, 1000.0))
    command = ("kpi-gate", "--summary", str(path), "--verdict-only")
    assert main([*command, "--out", str(tmp_path / "quant_sweep" / "kpi_gate.json")]) == 0
    log = tmp_path / "gate.log"
    log.write_text("error: KPI gate failed")
    os.utime(log, (3000.0, 3000.0))
    return log


def test_the_last_lines_say_which_kpi_stopped_the_sweep_and_what_to_do(
    tmp_path: Path,
    stopped: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORKET_COMMAND", "--configfile my.yaml")
    capsys.readouterr()
    show_summary(tmp_path, 2000.0, stopped)
    printed = capsys.readouterr()
    report = (tmp_path / "quant_sweep" / "sweep_report.html").as_posix()
    assert printed.out.splitlines()[-1] == f"report: {report}"
    said = printed.err.splitlines()
    assert said[:4] == [
        "failed: pass kpis",
        "KPI gate: FAIL",
        "  polluted_run_rate=1 exceeds max_polluted_run_rate=0.1",
        "    orket-nano Q8_0: run quality is POLLUTED",
    ]
    assert said[-2:] == [
        "  after fixing this, measure again: snakemake --configfile my.yaml --config again=probes",
        "  or change the limits in limits.json and rerun the same command",
    ]


def test_a_gate_that_did_not_fail_now_is_not_told_of(
    tmp_path: Path, stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    show_summary(tmp_path, 4000.0, stopped)  # something else failed, and the gate had no turn
    stopped.write_text("")  # as a job that starts leaves it
    show_summary(tmp_path, 2000.0, stopped)
    show_summary(tmp_path, 2000.0, tmp_path / "never.log")
    assert capsys.readouterr() == ("", "")
    show_summary(tmp_path, 0.0)  # the sweep succeeded, without its gate
    assert "KPI gate" not in capsys.readouterr().err


def test_a_result_that_can_not_be_read_is_a_line(
    tmp_path: Path, stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "quant_sweep" / "kpi_gate.json").write_text("{")
    capsys.readouterr()
    show_summary(tmp_path, 2000.0, stopped)
    assert capsys.readouterr().err.startswith("the result can't be shown: ")


@pytest.mark.parametrize(
    ("quants", "shown"),
    [(["all"], True), (["F16", "Q2_K"], True), (["pick"], False), (None, False)],
)
def test_what_comparing_contexts_found_is_shown_if_this_config_asks_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], quants: list[str] | None, shown: bool
) -> None:
    written(tmp_path, context_sweep_contexts=[512], context_quants=quants)
    compared = example(ContextQuants, whole=True)
    for model in ("nano", "removed"):
        path = tmp_path / "context_sweep" / model / "context_quants.json"
        write_json(
            path, compared | {"model_id": model, "conclusions": ["Context ceilings: F16 512."]}
        )
    show_summary(tmp_path, 0.0)
    said = capsys.readouterr().out
    assert ("nano: Context ceilings: F16 512.\n" in said) == shown
    assert "removed: " not in said
