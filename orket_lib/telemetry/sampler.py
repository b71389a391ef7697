"""Starting and stopping the sampler around a session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from orket_lib.telemetry.ancestry import snakemakes_above
from orket_lib.telemetry.samples import Sample, from_lines
from orket_lib.vocabulary.errors import SamplerError

_STOP_TIMEOUT_S = 5.0
_FIRST_SAMPLE_S = 10.0  # a busy machine starts a process in a second or two


@dataclass(frozen=True)
class GpuWatch:
    """Which GPUs are sampled, too.

    Attributes:
        path: Where their samples go; replaced.
        chosen: By UUID or index; None is all.
    """

    path: Path
    chosen: tuple[str, ...] | None = None


class RunningSampler:
    """A sampler that runs.

    Args:
        child: Its process.
        server_pid: The serving process that it knows.

    Attributes:
        pid: Of its process.
    """

    def __init__(self, child: subprocess.Popen[str], server_pid: int | None) -> None:
        self.pid = child.pid
        self._child = child
        self._server_pid = server_pid

    def follow(self, server_pid: int | None) -> None:
        """Tell it which process serves, when that has changed."""
        if server_pid != self._server_pid:
            self._server_pid = server_pid
            assert self._child.stdin is not None
            with suppress(OSError):  # a sampler that died shows in what it wrote
                self._child.stdin.write(json.dumps({"server_pid": server_pid}) + "\n")
                self._child.stdin.flush()


@contextmanager
def sampling(
    path: Path, server_pid: int | None, origin_s: float, gpus: GpuWatch | None = None
) -> Iterator[RunningSampler]:
    """Sample the host into a CSV file while the context is open.

    Args:
        path: The file; replaced.
        server_pid: The serving process, or None when it is not on this machine.
        origin_s: Monotonic clock that sample times are relative to.
        gpus: Which GPUs are sampled beside it; None where the model uses none.

    Raises:
        SamplerError: The sampler ended before its first sample (disk full, file not writable).
    """
    path.unlink(missing_ok=True)
    if gpus:
        gpus.path.unlink(missing_ok=True)
    settings = {
        "path": str(path),
        "root_pid": _root_pid(),
        "server_pid": server_pid,
        "origin_s": origin_s,
        "gpu_path": str(gpus.path) if gpus else None,
        "gpus": gpus.chosen if gpus else None,
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "orket_lib.telemetry.sampler_process"],
        stdin=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    try:
        child.stdin.write(json.dumps(settings) + "\n")
        child.stdin.flush()
        _wait_for_first_sample(path, child)
        yield RunningSampler(child, server_pid)
    finally:
        with suppress(OSError):
            child.stdin.close()
        try:
            child.wait(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def read_samples(path: Path) -> list[Sample]:
    """Return the samples of a file; none when there is no such file."""
    try:
        return from_lines(path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return []


def _root_pid() -> int:
    """Return the top of our process tree: the outermost Snakemake above us, or this process."""
    above = snakemakes_above(psutil.Process())
    return above[-1].pid if above else os.getpid()


def _wait_for_first_sample(path: Path, child: subprocess.Popen[str]) -> None:
    """Wait until the sampler has looked once, so that its window begins before the first run.

    Raises:
        SamplerError: It ended, or there is no sample in time: its folder may be gone.
    """
    deadline = time.monotonic() + _FIRST_SAMPLE_S
    while not read_samples(path):
        if child.poll() is not None:
            raise SamplerError(f"{path}: the sampler ended at once, with status {child.returncode}")
        if time.monotonic() > deadline:
            there = "" if path.is_file() else ", and the file is gone"
            raise SamplerError(f"{path}: no sample within {_FIRST_SAMPLE_S:g} s{there}")
        time.sleep(0.01)
