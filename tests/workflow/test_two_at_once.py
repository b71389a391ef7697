"""Two sweeps at once: the second says what it waits for, or why it stops."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sweep_workspace import Workspace

_LONG = {"quants": ["F16"], "task_limit": 0, "runs_per_quant": 40, "canary": {"runs": 0}}
_SHORT = {"quants": ["F16"], "task_limit": 3, "probe_runs": 1, "canary": {"runs": 0}}
_DEADLINE_S = 120


@contextmanager
def started(workspace: Workspace, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a sweep and end it with the context, however far it got."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            workspace.command(),
            cwd=workspace.folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            interrupt(process)
            process.wait(timeout=_DEADLINE_S)


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Do what Ctrl-C in its terminal does: its jobs hear of it, too."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, and fail when it does not come."""
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not seen in {_DEADLINE_S} s: {what}"
        time.sleep(0.05)


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[Workspace, subprocess.Popen[bytes]]]:
    """Return a workspace in which a long measurement goes on, and its Snakemake."""
    folder = tmp_path / "first"
    folder.mkdir()
    workspace = Workspace(folder)
    workspace.config |= _LONG
    with started(workspace, tmp_path / "first.log") as process:
        wait_until(
            lambda: any(folder.glob("storage/runs/*/*/*/open/journal.jsonl")), "a measurement"
        )
        yield workspace, process


@pytest.mark.slow
def test_a_second_sweep_in_the_same_folder_stops_and_says_why(
    busy: tuple[Workspace, subprocess.Popen[bytes]],
) -> None:
    workspace, first = busy
    second = workspace.run()
    assert second.code != 0
    says = f"this sweep runs already (process {first.pid}); to see it, type: orket watch"
    assert says in second.text
    assert "unlock" not in second.text
    assert "Traceback" not in second.text


@pytest.mark.slow
def test_a_second_sweep_elsewhere_waits_for_the_device_and_says_for_whom(
    busy: tuple[Workspace, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    _, first = busy
    folder, log = tmp_path / "second", tmp_path / "second.log"
    folder.mkdir()
    workspace = Workspace(folder)
    workspace.config |= _SHORT
    with started(workspace, log) as second:
        wait_until(lambda: b"waiting for the cpu: process" in log.read_bytes(), "that it waits")
        assert not any(folder.glob("storage/runs/*/*/*/open/journal.jsonl"))
        interrupt(first)  # the lock goes with its holder
        assert second.wait(timeout=_DEADLINE_S) == 0, log.read_text()
    assert len(workspace.runs()) == 1
    (line,) = {line for line in log.read_text().splitlines() if "waiting for the cpu" in line}
    assert "measuring orket-nano F16" in line
