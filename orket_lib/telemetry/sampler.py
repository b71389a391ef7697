"""Start and stop the sampler process around a session."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from orket_lib.processes.json_child import JsonChild, json_child
from orket_lib.processes.waiting import wait_until
from orket_lib.telemetry.counters import snakemakes_above
from orket_lib.telemetry.samples import Sample, from_lines
from orket_lib.vocabulary.errors import SamplerError

_STOP_TIMEOUT_S = 5.0
_FIRST_SAMPLE_S = 60.0  # a driver may wake up its cards for the first sample, one by one
_POLL_S = 0.01
_WORDS_S = 1.0  # an ended process has written its error to the pipe already


@dataclass(frozen=True)
class GpuWatch:
    """Which GPUs are sampled, and where their samples go.

    Attributes:
        path: The file; replaced.
        chosen: UUIDs or indexes; None means all.
    """

    path: Path
    chosen: tuple[str, ...] | None = None


class RunningSampler:
    """A running sampler.

    Args:
        child: Its process.
        server_pid: The serving process that it was started with.

    Attributes:
        pid: The sampler's process.
    """

    def __init__(self, child: JsonChild, server_pid: int | None) -> None:
        self.pid = child.pid
        self._child = child
        self._server_pid = server_pid

    def follow(self, server_pid: int | None) -> None:
        """Name the serving process to the sampler, if it has changed."""
        if server_pid != self._server_pid:
            self._server_pid = server_pid
            self._child.tell({"server_pid": server_pid})  # a dead sampler is noticed by its samples


@contextmanager
def sampling(
    path: Path, server_pid: int | None, origin_s: float, gpus: GpuWatch | None = None
) -> Iterator[RunningSampler]:
    """Sample the host into a CSV file while the context is open.

    If the sampler dies or hangs, a message on standard error says so, and the runs that it did not
    cover have a gap in their telemetry.

    Args:
        path: The file; replaced.
        server_pid: The serving process; None if it is not on this machine.
        origin_s: Monotonic clock at the session's start; sample times are relative to it.
        gpus: Which GPUs are sampled; None if the model uses none.

    Raises:
        SamplerError: No first sample arrived (disk full, file removed, a driver that hangs).
    """
    path.unlink(missing_ok=True)
    if gpus:
        gpus.path.unlink(missing_ok=True)
    above = snakemakes_above(psutil.Process())
    settings = {
        "path": str(path),
        "root_pid": above[-1].pid if above else os.getpid(),  # the top of our process tree
        "server_pid": server_pid,
        "origin_s": origin_s,
        "gpu_path": str(gpus.path) if gpus else None,
        "gpus": gpus.chosen if gpus else None,
    }
    with json_child("orket_lib.telemetry.sampler_process", settings, _STOP_TIMEOUT_S) as child:
        # The window of the first run must begin after a sample.
        _wait_for_first_sample(path, child)
        yield RunningSampler(child, server_pid)
        died = child.exit_status(0) is not None
    if died or child.exit_status(0):
        hung = f"{path}: the sampler hung, and was killed"
        print(  # noqa: T201
            f"{_end_of(path, child) if died else hung}: runs without samples have no telemetry",
            file=sys.stderr,
        )


def read_samples(path: Path) -> list[Sample]:
    """Return the samples in a file; empty if the file doesn't exist."""
    try:
        return from_lines(path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return []


def _wait_for_first_sample(path: Path, child: JsonChild) -> None:
    def sampled_or_ended() -> bool:
        return bool(read_samples(path)) or child.exit_status(0) is not None

    if not wait_until(sampled_or_ended, _FIRST_SAMPLE_S, _POLL_S):
        raise SamplerError(f"{path}: the sampler wrote nothing within {_FIRST_SAMPLE_S:g} s")
    if not read_samples(path):
        raise SamplerError(_end_of(path, child))


def _end_of(path: Path, child: JsonChild) -> str:
    """Return how a sampler ended: its own error message if it sent one, else its exit status."""
    with suppress(TimeoutError):
        said = child.answer(_WORDS_S)
        if said is not None:
            return f"the sampler ended: {said['error']}"
    return f"{path}: the sampler ended with status {child.exit_status(0)}"
