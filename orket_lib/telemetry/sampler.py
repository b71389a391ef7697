"""Starting and stopping the sampler around a session."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from orket_lib.processes.json_child import JsonChild, json_child
from orket_lib.telemetry.ancestry import snakemakes_above
from orket_lib.telemetry.samples import Sample, from_lines
from orket_lib.vocabulary.errors import SamplerError

_STOP_TIMEOUT_S = 5.0
_FIRST_SAMPLE_S = 60.0  # a driver wakes up its cards for the first look, one after the other
_POLL_S = 0.01
_WORDS_S = 1.0  # they are in the pipe when it has ended


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

    def __init__(self, child: JsonChild, server_pid: int | None) -> None:
        self.pid = child.pid
        self._child = child
        self._server_pid = server_pid

    def follow(self, server_pid: int | None) -> None:
        """Tell it which process serves, when that has changed."""
        if server_pid != self._server_pid:
            self._server_pid = server_pid
            self._child.tell({"server_pid": server_pid})  # one that died shows in what it wrote


@contextmanager
def sampling(
    path: Path, server_pid: int | None, origin_s: float, gpus: GpuWatch | None = None
) -> Iterator[RunningSampler]:
    """Sample the host into a CSV file while the context is open.

    A sampler that ends before that, or hangs, is said on standard error; what it no longer saw is
    a gap in the telemetry of each run after it.

    Args:
        path: The file; replaced.
        server_pid: The serving process, or None when it is not on this machine.
        origin_s: Monotonic clock that sample times are relative to.
        gpus: Which GPUs are sampled, too; None where the model uses none.

    Raises:
        SamplerError: There is no first sample (disk full, file gone, a driver that hangs).
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
    with json_child("orket_lib.telemetry.sampler_process", settings, _STOP_TIMEOUT_S) as child:
        _wait_for_first_sample(path, child)
        yield RunningSampler(child, server_pid)
        died = child.exit_status(0) is not None
    if died or child.exit_status(0):  # what else went wrong has a message of its own
        hung = f"{path}: the sampler hung, and was killed"
        print(  # noqa: T201
            f"{_end_of(path, child) if died else hung}: runs without samples have no telemetry",
            file=sys.stderr,
        )


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


def _wait_for_first_sample(path: Path, child: JsonChild) -> None:
    """Wait until the sampler has looked once, so that its window begins before the first run."""
    deadline = time.monotonic() + _FIRST_SAMPLE_S
    while not read_samples(path):
        if child.exit_status(_POLL_S) is not None:
            raise SamplerError(_end_of(path, child))
        if time.monotonic() > deadline:
            raise SamplerError(f"{path}: the sampler wrote nothing within {_FIRST_SAMPLE_S:g} s")


def _end_of(path: Path, child: JsonChild) -> str:
    """Return how a sampler ended, in its own words where it had any."""
    with suppress(TimeoutError):
        said = child.answer(_WORDS_S)
        if said is not None:
            return f"the sampler ended: {said['error']}"
    return f"{path}: the sampler ended with status {child.exit_status(0)}"
