"""The sampler: `python -m orket_lib.telemetry.sampler_process`, a process of its own.

In a thread of the client it would take the interpreter's lock in the middle of a stream and spoil
the very time stamps that it is there to protect. It samples until its standard input is closed,
which happens when the parent goes, however that dies.
"""

from __future__ import annotations

import csv
import json
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from orket_lib.telemetry import counters
from orket_lib.telemetry.counters import Process
from orket_lib.telemetry.samples import COLUMNS, Sample, to_cells

PERIOD_S = 0.5


@dataclass
class Sampler:
    """Looks at the host, and remembers the last look to tell who used the CPU since.

    Attributes:
        root_pid: Top of our own process tree.
        server_pid: The serving process, or None when it is not on this machine.
        origin_s: Monotonic clock at the session's start.
    """

    root_pid: int
    server_pid: int | None
    origin_s: float
    _last: dict[int, Process] = field(default_factory=dict)
    _server_s: float = 0.0
    _server_is_our_child: bool = False

    def look(self) -> Sample:
        """Return one sample."""
        host = counters.host()
        table = counters.processes()
        at_s = time.monotonic() - self.origin_s
        server = counters.tree(self.server_pid, table) if self.server_pid else set()
        own = counters.tree(self.root_pid, table) - server
        own_s, server_s = _cpu_s(own, table), _cpu_s(server, table)
        if self.server_pid in server:
            self._server_s = server_s
            self._server_is_our_child = table[self.server_pid].ppid in own
        else:  # it ended: what it used stays used, and is its parent's in the kernel's books
            server_s = self._server_s
            own_s -= server_s if self._server_is_our_child else 0.0
        top, used = self._top_foreign(table, own | server)
        self._last = table
        return Sample(
            at_s=at_s,
            busy_s=host.busy_s,
            own_s=own_s,
            server_s=server_s,
            own_rss=sum(table[pid].rss for pid in own),
            server_rss=sum(table[pid].rss for pid in server),
            used_rss=host.used_rss,
            steal_s=host.steal_s,
            load_1min=host.load_1min,
            swapped=host.swapped,
            psi_cpu_some_us=host.psi_cpu_some_us,
            psi_memory_full_us=host.psi_memory_full_us,
            frequency_mhz=host.frequency_mhz,
            temperature_c=host.temperature_c,
            energy_uj=host.energy_uj,
            top_pid=top.pid if top else None,
            top_name=top.name if top else None,
            top_s=used if top else None,
        )

    def _top_foreign(
        self, table: dict[int, Process], ours: set[int]
    ) -> tuple[Process | None, float]:
        """Return the foreign process that used most CPU time since the last look."""
        used = {
            pid: item.cpu_s - self._last[pid].cpu_s
            for pid, item in table.items()
            if pid not in ours and pid in self._last
        }
        if not used:
            return None, 0.0
        pid = max(used, key=lambda pid: used[pid])
        return (table[pid], used[pid]) if used[pid] > 0 else (None, 0.0)


def _cpu_s(pids: set[int], table: dict[int, Process]) -> float:
    """Return the CPU time of processes and of the children that they have waited for."""
    return sum(table[pid].cpu_s + table[pid].reaped_s for pid in pids)


def main() -> None:
    """Sample into a file until standard input is closed; the first line of it is the settings."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    settings = json.loads(sys.stdin.readline())
    sampler = Sampler(settings["root_pid"], settings["server_pid"], settings["origin_s"])
    over = threading.Event()
    threading.Thread(target=_wait_for_end, args=(sys.stdin, over), daemon=True).start()
    with Path(settings["path"]).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        while True:
            last = over.is_set()  # asked before the look, so that the last look is after the end
            writer.writerow(to_cells(sampler.look()))
            stream.flush()
            if last:
                return
            over.wait(PERIOD_S)


def _wait_for_end(stream: TextIO, over: threading.Event) -> None:
    stream.read()
    over.set()


if __name__ == "__main__":
    main()
