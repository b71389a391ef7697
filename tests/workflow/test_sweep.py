"""The whole way: real Snakemake, real server, real model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sweep_workspace import Workspace

Finished = Callable[[], Workspace]


def test_a_sweep_ends_with_a_table_a_recommendation_and_a_report(workspace: Workspace) -> None:
    result = workspace.run()

    assert result.code == 0, result.text
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    rows = summary["sessions"][0]["per_quant"]
    assert [row["quant_tag"] for row in rows] == ["F16", "Q2_K"]
    assert [row["status"] for row in rows] == ["measured", "measured"]
    assert all(row["test_runs"] == 28 for row in rows)
    assert rows[0]["artifact"]["sha256"] != rows[1]["artifact"]["sha256"]
    assert rows[0]["adherence_score"] > rows[1]["adherence_score"]
    assert "run F16" in result.text
    report = workspace.folder / "results/small/quant_sweep/sweep_report.md"
    assert str(report.relative_to(workspace.folder).as_posix()) in result.text
    assert "Q2_K" in report.read_text(encoding="utf-8")
    assert "Nothing to be done" in workspace.run().text


def test_adding_a_quant_measures_only_it_and_bringing_it_back_nothing(finished: Finished) -> None:
    workspace = finished()
    before = {path: path.stat().st_mtime_ns for path in workspace.runs()}

    workspace.config["quants"] = ["F16", "Q4_K_M", "Q2_K"]
    planned = workspace.planned()
    assert (planned["spec"], planned["run"]) == (1, 1)
    assert workspace.run().code == 0
    assert len(workspace.runs()) == 3

    workspace.config["quants"] = ["F16", "Q2_K"]
    assert "run" not in workspace.planned()
    assert workspace.run().code == 0
    tags = _quants(workspace)
    assert tags == ["F16", "Q2_K"]

    workspace.config["quants"] = ["F16", "Q4_K_M", "Q2_K"]
    assert "run" not in workspace.planned()
    assert workspace.run().code == 0
    assert _quants(workspace) == ["F16", "Q4_K_M", "Q2_K"]
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_threshold_remakes_views_and_measures_nothing(finished: Finished) -> None:
    workspace = finished()
    assert workspace.run().code == 0  # whatever an earlier test left
    workspace.config["adherence_threshold"] = 0.1

    planned = workspace.planned()

    assert {"summary", "kpis", "report", "frontier"} <= planned.keys()
    assert not {"run", "canary", "row"} & planned.keys()


def test_a_dry_run_prints_the_plan_and_writes_nothing(workspace: Workspace) -> None:
    result = workspace.run("-n")

    assert result.code == 0, result.text
    for word in ("commit_sha", "quants", "F16, Q2_K", "experimental_controls", "canary"):
        assert word in result.text
    assert not (workspace.folder / "storage").exists()
    assert not (workspace.folder / "results").exists()


def test_config_errors_are_all_shown_at_once_without_a_traceback(workspace: Workspace) -> None:
    workspace.config |= {"quants": ["F16", "Q4_K_S"], "runs_per_quant": 0, "adherence_treshold": 1}
    del workspace.config["task_bank"]

    result = workspace.run("-n")

    assert result.code == 1
    assert "Traceback" not in result.text
    for text in ("runs_per_quant: ", "did you mean `adherence_threshold`?", "task_bank: missing"):
        assert text in result.text


def test_missing_model_files_are_named_before_anything_starts(workspace: Workspace) -> None:
    workspace.config["quants"] = ["F16", "Q4_K_S", "Q5_0"]

    result = workspace.run("-n")

    assert result.code == 1
    assert "orket-nano-Q4_K_S.gguf" in result.text
    assert "orket-nano-Q5_0.gguf" in result.text


def test_a_failed_canary_stops_before_any_cell_and_names_the_numbers(workspace: Workspace) -> None:
    workspace.config["canary"] = {"runs": 3, "latency_variance_threshold": 0}

    stopped = workspace.run()

    assert stopped.code == 1
    assert "LATENCY_VARIANCE_THRESHOLD_EXCEEDED" in stopped.text
    assert "Traceback" not in stopped.text
    assert workspace.runs() == []
    assert workspace.json("results/canary/verdict.json")["passed"] is False

    workspace.config["canary"] = {"runs": 3, "latency_variance_threshold": 100}
    assert "canary" not in workspace.planned()
    assert workspace.run().code == 0
    assert len(workspace.runs()) == 2


def test_a_model_that_does_not_load_costs_one_row(workspace: Workspace) -> None:
    broken = workspace.folder / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(64))
    workspace.config["artifacts"] = {"orket-nano": {"Q2_K": "broken.gguf"}}

    result = workspace.run()

    assert result.code == 0, result.text
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    (failed,) = summary["failed_rows"]
    assert (failed["quant_tag"], failed["status"]) == ("Q2_K", "load_failed")
    row = summary["sessions"][0]["per_quant"][1]
    assert row["adherence_score"] is None
    assert row["null_reasons"]["adherence_score"] == "STATUS_LOAD_FAILED"


def test_a_file_that_is_secretly_another_quant_pollutes_its_row(workspace: Workspace) -> None:
    workspace.config["artifacts"] = {
        "orket-nano": {"F16": "models/orket-nano/orket-nano-Q8_0.gguf"}
    }

    assert workspace.run().code == 0

    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    rows = {row["quant_tag"]: row for row in summary["sessions"][0]["per_quant"]}
    reasons = [item["reason"] for item in rows["F16"]["run_quality_reasons"]]
    assert reasons == ["QUANT_IDENTITY_MISMATCH"]
    assert "Q8_0" in rows["F16"]["run_quality_reasons"][0]["evidence"]
    assert rows["F16"]["valid"] is False
    assert rows["Q2_K"]["valid"] is True


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_after_kill_9_no_server_survives_and_nothing_finished_is_measured_again(
    workspace: Workspace,
) -> None:
    workspace.config["task_limit"] = 0
    process = subprocess.Popen(
        workspace.command(),
        cwd=workspace.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journal = _wait_for(lambda: _half_done_journal(workspace), process)
    family = psutil.Process(process.pid).children(recursive=True)
    finished = set(workspace.runs())

    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=5)

    assert alive == []
    kept = len(journal.read_bytes().splitlines())
    assert workspace.run("--unlock").code == 0
    result = workspace.run()
    assert result.code == 0, result.text
    lines = [json.loads(line) for line in journal.read_bytes().splitlines()]
    assert sum(line["kind"] == "session" for line in lines) == 2
    assert len(lines) > kept
    asked = [(d["data"]["task_id"], d["data"]["run_index"]) for d in lines if d["kind"] == "run"]
    assert len(asked) == len(set(asked)) == 336
    for report in finished:
        assert len(list((report.parent / "attempts").iterdir())) == 1


def test_a_second_measurement_waits_for_the_device(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from orket_lib.measure.device_lock import device_lock\n"
        "with device_lock('test-device', sys.argv[1], lambda text: print(text, flush=True)):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )

    def start(purpose: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, purpose],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path)},
        )

    with start("one") as first, start("two") as second:
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdin is not None
        lines = [first.stdout.readline(), second.stdout.readline()]  # type: ignore[union-attr]
        holder, waiter = (first, second) if lines[0] == "held\n" else (second, first)
        assert "waiting for the test-device" in "".join(lines)
        holder.stdin.close()  # type: ignore[union-attr]
        assert waiter.stdout.readline() == "held\n"  # type: ignore[union-attr]
        waiter.stdin.close()  # type: ignore[union-attr]


def _quants(workspace: Workspace) -> list[str]:
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    return [row["quant_tag"] for row in summary["sessions"][0]["per_quant"]]


def _half_done_journal(workspace: Workspace) -> Path | None:
    for journal in workspace.folder.glob("storage/runs/*/*/*/journal.jsonl"):
        if 20 < len(journal.read_bytes().splitlines()) < 200:
            return journal
    return None


def _wait_for(find: Callable[[], Path | None], process: subprocess.Popen[bytes]) -> Path:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = find()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("the measurement never got so far")
