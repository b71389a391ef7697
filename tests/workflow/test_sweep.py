"""What happens to sweeps: real Snakemake, real server, real model."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from sweep_workspace import Workspace

from orket_lib.stores.explorers import identity

Finished = Callable[[], Workspace]
Found = TypeVar("Found")


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Keep every core busy with other work."""
    spin = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(spin) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@pytest.mark.slow
def test_adding_a_quant_measures_only_it_and_bringing_it_back_nothing(finished: Finished) -> None:
    workspace = finished()
    before = workspace.sealed()
    assert len(before) == 2

    workspace.config["quants"] = ["F16", "Q4_K_M", "Q2_K"]
    assert workspace.planned()["write_spec"] == 1
    assert workspace.run().code == 0
    assert before < workspace.sealed()
    assert len(workspace.sealed()) == 3

    workspace.config["quants"] = ["F16", "Q2_K"]
    assert workspace.run().code == 0
    assert _quants(workspace) == ["F16", "Q2_K"]

    workspace.config["quants"] = ["F16", "Q4_K_M", "Q2_K"]
    assert workspace.run().code == 0
    assert _quants(workspace) == ["F16", "Q4_K_M", "Q2_K"]
    assert len(workspace.sealed()) == 3


@pytest.mark.slow
def test_the_verdict_is_always_that_of_the_first_quants_canary(finished: Finished) -> None:
    """Bringing a quant back makes the preflight due, too, which must not hide the verdict."""
    workspace = finished()
    assert workspace.run().code == 0  # whatever an earlier test left
    for quants in (["Q2_K", "F16"], ["F16"], ["Q2_K"]):
        workspace.config["quants"] = quants
        assert workspace.run().code == 0
        (canary,) = workspace.resolved().canaries
        verdict = workspace.json("results/small/canary/verdict.json")
        (measured,) = workspace.folder.glob(f"storage/canary/{canary.digest()}/*/canary.json")
        assert verdict["measured_at"] == json.loads(measured.read_text())["measured_at"]
        assert workspace.planned() == {}


@pytest.mark.slow
def test_missing_model_files_are_named_before_anything_starts(workspace: Workspace) -> None:
    workspace.config["quants"] = ["F16", "Q4_K_S", "Q5_0"]

    result = workspace.run("-n")

    assert result.code == 1
    assert "orket-nano-Q4_K_S.gguf" in result.text
    assert "orket-nano-Q5_0.gguf" in result.text


@pytest.mark.slow
def test_a_failed_canary_stops_before_any_cell_and_names_the_numbers(workspace: Workspace) -> None:
    workspace.config["canary"] = {"runs": 3, "latency_variance_threshold": 0}

    stopped = workspace.run()

    assert stopped.code == 1
    assert "LATENCY_VARIANCE_THRESHOLD_EXCEEDED" in stopped.text
    assert "Traceback" not in stopped.text
    assert workspace.runs() == []
    assert workspace.json("results/small/canary/verdict.json")["passed"] is False

    workspace.config["canary"] = {"runs": 3, "latency_variance_threshold": 100}
    assert "measure_canary" not in workspace.planned()
    assert workspace.run().code == 0
    assert len(workspace.runs()) == 2


@pytest.mark.slow
def test_a_busy_machine_in_lane_lab_ends_with_a_verdict_on_quality(
    workspace: Workspace,
) -> None:
    workspace.config |= {
        "execution_lane": "lab",
        "task_limit": 40,
        "canary": {
            "runs": 3,
            "latency_variance_threshold": 0,
            "on_latency": "quality_only",
        },
    }

    with busy():
        ended = workspace.run()
    said = ended.text

    assert ended.code == 0, said  # the KPI gate judges what was asked for
    session = workspace.json("results/small/quant_sweep/sweep_summary.json")["sessions"][0]
    judged = {item["quant_tag"]: item["probability"] for item in session["verdicts"]}
    assert judged["Q2_K"] is not None
    for row in session["per_quant"]:
        assert row["null_reasons"]["generation_tokens_per_second"] == "CANARY_LATENCY"
        assert row["null_reasons"]["total_latency"] == "CANARY_LATENCY"
    disturbed = r"don't count \((HIGH_CPU_SATURATION|CANARY_LATENCY): .*\(pid \d+.*; the answers do"
    assert re.search(disturbed, session["recommendation"])
    assert "snakemake --configfile small.yaml --config again=probes" in said

    # On a quiet machine only the probes are repeated, after the canary.
    workspace.config["canary"]["latency_variance_threshold"] = 100
    before = workspace.sealed()
    planned = workspace.planned("--config", "again=probes")
    assert (planned["measure_canary"], planned["measure_cell"]) == (1, 2)
    workspace.run("--config", "again=probes")
    assert len(workspace.sealed() - before) == 2
    session = workspace.json("results/small/quant_sweep/sweep_summary.json")["sessions"][0]
    for row in session["per_quant"]:
        assert row["generation_tokens_per_second"] is not None
        assert row["null_reasons"]["total_latency"] == "CANARY_LATENCY"


@pytest.mark.slow
def test_a_model_that_does_not_load_costs_one_row(workspace: Workspace) -> None:
    _write_unheard_of_architecture(workspace.folder / "unheard-of.gguf")
    workspace.config["artifacts"] = {"orket-nano": {"Q2_K": "unheard-of.gguf"}}

    result = workspace.run()

    assert result.code == 0, result.text
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    (failed,) = summary["failed_rows"]
    assert (failed["quant_tag"], failed["status"]) == ("Q2_K", "load_failed")
    row = summary["sessions"][0]["per_quant"][1]
    assert row["adherence_score"] is None
    assert row["null_reasons"]["adherence_score"] == "STATUS_LOAD_FAILED"


@pytest.mark.slow
def test_a_damaged_file_costs_its_own_row_and_no_other(workspace: Workspace) -> None:
    (workspace.folder / "broken.gguf").write_bytes(b"GGUF" + bytes(64))
    workspace.config["artifacts"] = {"orket-nano": {"Q2_K": "broken.gguf"}}
    result = workspace.run()
    assert result.code == 0, result.text
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    (row,) = summary["failed_rows"]
    assert (row["quant_tag"], row["status"]) == ("Q2_K", "load_failed")
    assert "broken.gguf: not a readable GGUF file" in row["status_reason"]


@pytest.mark.slow
def test_a_file_that_is_secretly_another_quant_pollutes_its_row(workspace: Workspace) -> None:
    workspace.config["artifacts"] = {
        "orket-nano": {"F16": "models/orket-nano/orket-nano-Q8_0.gguf"}
    }

    result = workspace.run()

    assert result.code == 1  # the KPI gate says no, and the report is there
    assert "polluted_run_rate=0.5 exceeds max_polluted_run_rate=0.1" in result.text
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    rows = {row["quant_tag"]: row for row in summary["sessions"][0]["per_quant"]}
    seen = rows["F16"]["run_quality_reasons"][0]  # a busy machine may add reasons that don't count
    assert seen["reason"] == "QUANT_IDENTITY_MISMATCH"
    assert "Q8_0" in seen["evidence"]
    assert rows["F16"]["valid"] is False
    assert rows["Q2_K"]["valid"] is True


@pytest.mark.slow
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
    finished = workspace.sealed()

    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=5)

    assert alive == []
    kept = len(journal.read_bytes().splitlines())
    result = workspace.run()
    assert result.code == 0, result.text
    assert "results/small: a sweep was killed here; this one goes on from there" in result.text
    (sealed,) = (
        workspace.sealed()
        - finished
        - {path for path in workspace.sealed() if journal.parent.parent not in path.parents}
    )
    lines = [json.loads(line) for line in (sealed / journal.name).read_bytes().splitlines()]
    assert sum(line["kind"] == "session" for line in lines) == 2
    assert len(lines) > kept
    asked = [(d["data"]["task_id"], d["data"]["run_index"]) for d in lines if d["kind"] == "answer"]
    assert len(asked) == len(set(asked)) == 336
    assert finished < workspace.sealed()
    assert len(workspace.sealed()) == 2


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
@pytest.mark.slow
def test_a_snakemake_killed_as_its_first_job_starts_leaves_nothing_behind(
    workspace: Workspace,
) -> None:
    process = subprocess.Popen(
        workspace.command(),
        cwd=workspace.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    family = _wait_for(lambda: _measuring(process), process)

    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=5)

    assert alive == []
    assert not _processes_in(workspace.folder)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["record lost", "by time only"])
def test_views_of_another_config_are_remade_whatever_snakemake_knows_of_them(
    finished: Finished, how: str
) -> None:
    workspace = finished()
    assert workspace.run().code == 0
    threshold = 0.2 if how == "record lost" else 0.3
    workspace.config["adherence_threshold"] = threshold
    if how == "record lost":
        shutil.rmtree(workspace.folder / ".snakemake")
    before = workspace.sealed()

    done = workspace.run(*(() if how == "record lost" else ("--rerun-triggers", "mtime")))

    assert done.code == 0, done.text
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    assert summary["matrix"]["adherence_threshold"] == threshold
    assert workspace.json("results/small/plan.json")["adherence_threshold"] == threshold
    assert workspace.sealed() == before


@pytest.mark.slow
def test_touching_is_refused(finished: Finished) -> None:
    refused = finished().run("--touch")
    assert refused.code == 1
    assert "error: --touch would mark results of another config as current" in refused.text
    assert "Traceback" not in refused.text


@pytest.mark.slow
def test_a_kpi_policy_that_fails_leaves_its_verdict_and_names_the_numbers(
    finished: Finished,
) -> None:
    workspace = finished()
    assert workspace.run().code == 0
    policy = workspace.folder / "strict.json"
    policy.write_text('{"min_frontier_success_rate": 1.0, "max_polluted_run_rate": 0}')
    # In lane ci no latency is too high.
    workspace.config |= {"kpi_policy": "strict.json", "latency_ceiling": 1e-6}
    workspace.config["execution_lane"] = "lab"

    for _ in range(2):  # the second time nothing but the gate is due
        failed = workspace.run()

        assert failed.code == 1
        said, how = failed.text.rsplit("KPI gate: FAIL\n", 1)
        assert "report: results/small/quant_sweep/sweep_report.html\n" in said
        assert "  frontier_success_rate=0 is below min_frontier_success_rate=1\n" in how
        assert "  after fixing this, measure again: snakemake -R measure_cell" in how
        assert how.endswith("  or change the limits in strict.json and rerun the same command\n")
        assert "Traceback" not in failed.text
    assert workspace.json("results/small/quant_sweep/kpi_gate.json")["verdict"] == "FAIL"
    policy.write_text('{"min_frontier_success_rate": 0.0, "max_polluted_run_rate": 1}')
    assert workspace.planned() == {"judge_kpis": 1, "pass_kpis": 1}
    assert workspace.run().code == 0


@pytest.mark.slow
def test_a_damaged_history_fails_clearly_and_costs_nothing_else(finished: Finished) -> None:
    workspace = finished()
    assert workspace.run().code == 0  # whatever an earlier test left
    (history,) = workspace.folder.glob("storage/frontiers/*__ci__*.json")
    explorer = "results/small/quant_sweep/frontier_explorer.json"
    before = _kept(history)
    assert before.count(identity(workspace.json(explorer))) == 1
    whole = history.read_bytes()
    history.write_bytes(whole[:-30])
    workspace.config["latency_ceiling"] = 9.875

    for _ in range(2):  # it stays a failure until it is put right
        failed = workspace.run()
        assert failed.code == 1
        assert f"{history.name}: not valid JSON" in failed.text
        assert f"{explorer} was written, but not added to its history" in failed.text
        assert "Traceback" not in failed.text
        assert history.read_bytes() == whole[:-30]
        summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
        assert summary["matrix"]["latency_ceiling"] == 9.875
        assert workspace.planned() == {"keep_frontier": 1}

    history.write_bytes(whole)
    assert workspace.run().code == 0
    assert _kept(history)[: len(before)] == before
    assert _kept(history).count(identity(workspace.json(explorer))) == 1


@pytest.mark.slow
def test_an_artifact_that_breaks_its_contract_fails_the_sweep(finished: Finished) -> None:
    workspace = finished()
    assert workspace.run().code == 0  # whatever an earlier test left
    explorer = workspace.folder / "results/small/quant_sweep/frontier_explorer.json"
    broken = workspace.json("results/small/quant_sweep/frontier_explorer.json")
    del broken["model_id"]
    broken["sessions"][0]["quant_rows"][1]["valid"] = "yes"
    explorer.write_text(json.dumps(broken), encoding="utf-8")

    failed = workspace.run()

    assert failed.code == 1
    assert "frontier:missing:model_id" in failed.text
    assert 'frontier:sessions.0.quant_rows.1.valid:must be true or false, is "yes"' in failed.text
    assert "Traceback" not in failed.text
    assert workspace.run("-R", "make_frontier").code == 0
    assert workspace.planned() == {}


def test_a_second_measurement_waits_for_the_device() -> None:
    code = (
        "import sys\n"
        "from orket_lib.processes.device_lock import device_lock\n"
        "with device_lock(sys.argv[2], sys.argv[1], lambda text: print(text, flush=True)):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )

    device = f"test-{uuid.uuid4()}"

    def start(purpose: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, purpose, device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    with start("one") as first, start("two") as second:
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdin is not None
        lines = [first.stdout.readline(), second.stdout.readline()]  # type: ignore[union-attr]
        holder, waiter = (first, second) if lines[0] == "held\n" else (second, first)
        holder.stdin.close()  # type: ignore[union-attr]
        lines.append(waiter.stdout.readline())  # type: ignore[union-attr]
        waiter.stdin.close()  # type: ignore[union-attr]
    assert lines.count("held\n") == 2
    assert f"waiting for the GPU {device}: " in "".join(lines)


def _kept(history: Path) -> list[str]:
    """Return the identities of the records in a history."""
    return [identity(entry) for entry in json.loads(history.read_text(encoding="utf-8"))["history"]]


def _quants(workspace: Workspace) -> list[str]:
    summary = workspace.json("results/small/quant_sweep/sweep_summary.json")
    return [row["quant_tag"] for row in summary["sessions"][0]["per_quant"]]


def _half_done_journal(workspace: Workspace) -> Path | None:
    for journal in workspace.folder.glob("storage/runs/*/*/*/open/journal.jsonl"):
        if 20 < len(journal.read_bytes().splitlines()) < 200:
            return journal
    return None


def _measuring(process: subprocess.Popen[bytes]) -> list[psutil.Process] | None:
    """Return Snakemake's descendants as soon as one of them is a measurement."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
        commands = [child.cmdline() for child in family]
    except psutil.NoSuchProcess:
        return None
    return (
        family
        if any("orket_lib" in words and "measure-canary" in words for words in commands)
        else None
    )


def _processes_in(folder: Path) -> list[psutil.Process]:
    """Return the processes whose working folder is the workspace."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd() == str(folder):
                found.append(process)
    return found


def _wait_for(find: Callable[[], Found | None], process: subprocess.Popen[bytes]) -> Found:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = find()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("the measurement never got so far")


def _write_unheard_of_architecture(path: Path) -> None:
    """Write a GGUF file that is whole, and that no runtime can load."""
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, "unheard_of")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q2_K)
    writer.add_tensor("token_embd.weight", np.zeros((32, 256), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
