"""The sampler: `python -m orket_lib.telemetry.sampler_process`, a process of its own.

In a thread of the client, it would take the interpreter lock in the middle of a stream and spoil
the time stamps that it is meant to protect. It samples until its standard input is closed, which
also happens when the parent dies. A line on standard input names the new server process after the
server was restarted.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO, StringIO
from pathlib import Path
from typing import Any, NoReturn, TextIO

from orket_lib.telemetry import counters
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.telemetry.allowance.throttling import ThrottleCounter, Throttled
from orket_lib.telemetry.counters import Process
from orket_lib.telemetry.gpu.sampler import PERIOD_S as GPU_PERIOD_S
from orket_lib.telemetry.gpu.sampler import PROCESSES_S, GpuSampler, Trees
from orket_lib.telemetry.gpu.samples import header, to_line
from orket_lib.telemetry.samples import COLUMNS, Sample, to_cells

PERIOD_S = 0.5


@dataclass
class Sampler:
    """Samples the host; keeps the last table of processes to see which used the CPU since.

    Attributes:
        root_pid: Top of our own process tree.
        server_pid: The serving process; None if it is not on this machine.
        origin_s: Monotonic clock at the session's start.
        trees: The process trees at the last sample.
    """

    root_pid: int
    server_pid: int | None
    origin_s: float
    trees: Trees = field(default_factory=lambda: Trees({}, frozenset(), frozenset()))
    _cpus: frozenset[int] | None = field(default_factory=lambda: cpu_allowance().allowed)
    _quotas: ThrottleCounter = field(default_factory=ThrottleCounter)
    _last: dict[int, Process] = field(default_factory=dict)
    _server_s: float = 0.0
    _replaced_s: float | None = None
    _before_s: float = 0.0
    _server_is_our_child: bool = False

    def follow(self, server_pid: int | None) -> None:
        """Take another process as the server; the CPU time of the previous one still counts."""
        self.server_pid = server_pid
        self._replaced_s = self._server_s

    def look(self) -> Sample:
        """Return one sample."""
        host = counters.host(self._cpus)
        table = counters.processes()
        at_s = time.monotonic() - self.origin_s
        server = counters.tree(self.server_pid, table) if self.server_pid else set()
        own = counters.tree(self.root_pid, table) - server
        own_s, server_s = _cpu_s(own, table), _cpu_s(server, table)
        if self.server_pid in server:
            if self._replaced_s is not None:  # its clock goes on from that of its predecessor
                self._before_s, self._replaced_s = self._replaced_s - server_s, None
            server_s += self._before_s
            self._server_s = server_s
            self._server_is_our_child = table[self.server_pid].ppid in own
        else:  # it ended: its time still counts; the kernel adds it to the parent's reaped time
            server_s = self._server_s
            own_s -= server_s if self._server_is_our_child else 0.0
        top, used = self._top_foreign(table, own | server)
        self._last = table
        self.trees = Trees(table, frozenset(own), frozenset(server))
        return Sample(
            at_s=at_s,
            own_s=own_s,
            server_s=server_s,
            own_rss=sum(table[pid].rss for pid in own),
            server_rss=sum(table[pid].rss for pid in server),
            **vars(host),
            **_counts(self._quotas.look()),
            top_pid=top.pid if top else None,
            top_name=top.name if top else None,
            top_s=used if top else None,
        )

    def _top_foreign(
        self, table: dict[int, Process], ours: set[int]
    ) -> tuple[Process | None, float]:
        """Return the foreign process that used the most CPU time since the last sample."""
        used = {
            pid: item.cpu_s - self._last[pid].cpu_s
            for pid, item in table.items()
            if pid not in ours and pid in self._last
        }
        if not used:
            return None, 0.0
        pid = max(used, key=lambda pid: used[pid])
        return (table[pid], used[pid]) if used[pid] > 0 else (None, 0.0)


def _counts(throttled: Throttled | None) -> dict[str, Any]:
    return {} if throttled is None else vars(throttled)


def _cpu_s(pids: set[int], table: dict[int, Process]) -> float:
    """Return the CPU time of processes and of the children that they have waited for."""
    return sum(table[pid].cpu_s + table[pid].reaped_s for pid in pids)


@dataclass(frozen=True)
class GpuFile:
    """The open file of the GPU samples.

    Attributes:
        stream: The file.
        sampler: Reads the GPUs.
        host: Its last sample says which tree a process belongs to.
    """

    stream: FileIO
    sampler: GpuSampler
    host: Sampler

    def look(self, whole: bool) -> None:
        """Write one sample; a whole one has details and processes."""
        at_s = time.monotonic() - self.host.origin_s
        line = to_line(self.sampler.look(at_s, self.host.trees if whole else None))
        write(self.stream, f"{line}\n")


@contextmanager
def gpu_file(path: str | None, chosen: list[str] | None, host: Sampler) -> Iterator[GpuFile | None]:
    """Open the file of the GPU samples; None if there is no GPU to sample.

    Args:
        path: The file; None if the measured model uses no GPU.
        chosen: UUIDs or indexes of the GPUs; None means all.
        host: The sampler of the host.
    """
    if path is None:
        yield None
        return
    from orket_lib.telemetry.devices.opening import open_unlimited

    with open_unlimited("any") as found, FileIO(path, "w") as stream:
        used = found.chosen(chosen)
        write(stream, header([device.info for device in used.devices], used.absent) + "\n")
        yield GpuFile(stream, GpuSampler(used.devices), host) if used.devices else None


def write(stream: FileIO, text: str) -> None:
    """Write to a file without a buffer.

    Raises:
        NotWritten: The file can't be written (disk full) or was removed: samples would be lost.
    """
    data = text.encode()
    try:
        while data:
            data = data[stream.write(data) :]
        gone = os.fstat(stream.fileno()).st_nlink == 0 and not Path(str(stream.name)).exists()
    except OSError as error:
        raise NotWritten(f"{stream.name}: {error.strerror or error}") from None
    if gone:
        raise NotWritten(f"{stream.name}: was removed while it was written")


class NotWritten(Exception):
    """The samples can't be written."""


def main() -> None:
    """Sample into a file until standard input is closed; its first line holds the settings.

    If the samples can't be written, a line on standard output says why: {"error": "..."}.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # keeps what a driver library prints out of our answers
    try:
        _run(json.loads(sys.stdin.readline()))
    except OSError as error:
        _give_up(f"{error.filename or 'its files'}: {error.strerror or error}", answers)
    except NotWritten as error:
        _give_up(str(error), answers)


def _run(settings: dict[str, Any]) -> None:
    sampler = Sampler(settings["root_pid"], settings["server_pid"], settings["origin_s"])
    over = threading.Event()
    threading.Thread(target=_listen, args=(sys.stdin, sampler, over), daemon=True).start()
    with (
        gpu_file(settings.get("gpu_path"), settings.get("gpus"), sampler) as gpus,
        FileIO(settings["path"], "w") as stream,
    ):
        write(stream, _csv_line(COLUMNS))
        _sample(sampler, stream, gpus, over)


def _give_up(why: str, answers: TextIO) -> NoReturn:
    print(json.dumps({"error": why}), file=answers, flush=True)
    os._exit(1)  # a thread still blocks on standard input


def _csv_line(cells: Sequence[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _sample(sampler: Sampler, stream: FileIO, gpus: GpuFile | None, over: threading.Event) -> None:
    """Sample the host and the GPUs, each at its own interval, and everything once after the end.

    Processes on GPUs are listed right after a sample of the host, which knows the process trees.
    """
    next_host = next_gpu = next_processes = time.monotonic()
    while True:
        last = over.is_set()  # checked first, so that the last sample is taken after the end
        now = time.monotonic()
        at_host = last or now >= next_host
        line = sampler.look() if at_host else None
        whole = last or (at_host and now >= next_processes)
        if gpus and (whole or now >= next_gpu):
            gpus = gpus if _looked(gpus, whole) else None
            next_gpu = now + GPU_PERIOD_S
            next_processes = now + PROCESSES_S if whole else next_processes
        if line:  # last: a host sample in the file implies one of the GPUs
            write(stream, _csv_line(to_cells(line)))
            next_host = now + PERIOD_S
        if last:
            return
        over.wait(max(0.0, min(next_host, next_gpu if gpus else next_host) - time.monotonic()))


def _looked(gpus: GpuFile, whole: bool) -> bool:
    """Sample the GPUs; an unexpected driver error ends their samples, but not those of the host.

    Runs that the GPU samples don't cover are not clean.
    """
    try:
        gpus.look(whole)
    except NotWritten:
        raise
    except Exception:  # a driver library may raise anything
        traceback.print_exc()
        return False
    return True


def _listen(stream: TextIO, sampler: Sampler, over: threading.Event) -> None:
    for line in stream:
        sampler.follow(json.loads(line)["server_pid"])
    over.set()


if __name__ == "__main__":
    main()
