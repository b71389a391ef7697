"""What a sweep prints, and how Ctrl-C and SIGTERM end it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sweep_workspace import Workspace, jobs

from orket_lib.artifacts.progress import ProgressFile
from orket_lib.report.progress import progress_of

pytestmark = pytest.mark.slow
_DEADLINE_S = 300
_LONG = {"quants": ["F16"], "task_limit": 0, "runs_per_quant": 40, "canary": {"runs": 0}}


def test_a_sweep_prints_a_line_for_each_cell_and_snakemakes_log_has_the_rest(
    workspace: Workspace,
) -> None:
    done = workspace.run()
    assert done.code == 0, done.text
    lines = done.text.splitlines()
    assert len(lines) <= 40, done.text
    for quant in ("F16", "Q2_K"):
        assert [line for line in lines if line.startswith(f"orket-nano {quant}: score ")]
    (log,) = workspace.folder.glob(".snakemake/log/*.log")
    assert "rule measure_cell:" in log.read_text()
    progress = progress_of(workspace.folder / "logs/small/progress.jsonl")
    assert progress
    assert progress.count() == "3 of 3"
    assert progress.left_s(time.time()) == 0


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_sweep_goes_on_without_its_progress_file_and_without_its_reader(
    workspace: Workspace,
) -> None:
    workspace.config |= {"quants": ["F16"], "task_limit": 2, "canary": {"runs": 0}}
    # So it can't be written.
    Path(workspace.folder, "logs/small/progress.jsonl").mkdir(parents=True)
    process = subprocess.Popen(
        workspace.command(),
        cwd=workspace.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    process.stdout.readline()  # as `snakemake 2>&1 | head -1` does it
    process.stdout.close()
    assert process.wait(_DEADLINE_S) == 0
    assert workspace.runs()


def test_verbose_and_dry_runs_have_snakemakes_own_output(workspace: Workspace) -> None:
    workspace.config |= {"quants": ["F16"], "task_limit": 2, "canary": {"runs": 0}}
    planned = workspace.run("-n")
    assert "plan of sweep `small`" in planned.text
    assert jobs(planned.text)["measure_cell"] == 1
    assert "rule measure_cell:" in workspace.run("--verbose").text


def test_after_a_failed_canary_the_refused_cells_are_one_line(workspace: Workspace) -> None:
    workspace.config["canary"] = {"runs": 3, "latency_variance_threshold": 0}
    stopped = workspace.run()
    assert stopped.code == 1
    assert stopped.text.count("because the canary failed") == 1
    assert "2 measurements were not made, because the canary failed" in stopped.text
    box = stopped.text[stopped.text.index("failed: pass canary") :]
    assert "LATENCY_VARIANCE_THRESHOLD_EXCEEDED" in box
    assert "run: snakemake -R measure_canary --configfile small.yaml" in box


def working_in(folder: Path) -> list[str]:
    """Return the processes whose working folder this is."""
    found = []
    for process in psutil.process_iter(["cwd", "cmdline"]):
        if process.info["cwd"] == str(folder):
            found.append(" ".join(process.info["cmdline"] or ()))
    return found


@pytest.fixture
def measuring(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """Return a Snakemake whose job measures, in a session of its own."""
    workspace.config |= _LONG
    process = subprocess.Popen(
        workspace.command(),
        cwd=workspace.folder,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    path, begin_s = workspace.folder / "logs/small/progress.jsonl", time.monotonic()
    while (progress := progress_of(path)) is None or not (
        progress.current and progress.current.done
    ):
        assert time.monotonic() - begin_s < _DEADLINE_S
        assert process.poll() is None
        time.sleep(0.1)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("how", ["terminal", "SIGINT", "SIGTERM"])
def test_a_stopped_sweep_says_where_and_goes_on_from_there(
    measuring: subprocess.Popen[str], workspace: Workspace, how: str
) -> None:
    begin_s = time.monotonic()
    if how == "terminal":  # Ctrl-C reaches the jobs as well
        os.killpg(measuring.pid, signal.SIGINT)
    else:
        measuring.send_signal(getattr(signal, how))
    _, said = measuring.communicate(timeout=_DEADLINE_S)
    assert time.monotonic() - begin_s < 5
    assert measuring.returncode == 130
    *_, last = said.splitlines()
    assert last.startswith("stopped at orket-nano F16, ")
    assert last.endswith("; the same command goes on from there")
    assert "failed" not in said
    assert working_in(workspace.folder) == []

    workspace.config["runs_per_quant"] = 1
    assert workspace.run().code == 0
    file = ProgressFile(Path(workspace.folder, "logs/small/progress.jsonl"))
    plans = [event for event in file.new_events() if event.kind == "plan"]
    assert plans[0].done > 0
