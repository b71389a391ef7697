"""Who is on an NVIDIA GPU: compute and graphics processes, their memory, and how busy each is."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from orket_lib.telemetry.devices.nvml_calls import Refused, asked, why
from orket_lib.telemetry.devices.reading import DeviceProcess, Value
from orket_lib.vocabulary.nulls import Null

_MIB = 1024**2
_MOST_PERCENT = 100  # drivers are known to report billions where they know nothing
NO_MEMORY = Null("PROCESS_MEMORY_NOT_AVAILABLE")  # Windows keeps the books itself (WDDM)


class ProcessList:
    """The processes of one GPU; it remembers until when their work was counted.

    Args:
        handle: Of NVML.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._seen_us = time.time_ns() // 1000  # the driver keeps what was before we came, too

    def look(self) -> tuple[DeviceProcess, ...] | Null:
        """Return who is there, each process once, or why that can't be told."""
        memory = self._memory()
        if isinstance(memory, Refused):
            return memory.why
        busy = self._busy()
        return tuple(
            DeviceProcess(
                pid,
                NO_MEMORY if used is None else used / _MIB,
                busy if isinstance(busy, Null) else busy.get(pid, 0.0),
            )
            for pid, used in sorted(memory.items())
        )

    def _memory(self) -> Any:
        """Return the bytes of each process, None where the driver doesn't tell them."""
        import pynvml as nvml

        found: dict[int, int | None] = {}
        compute = asked(nvml.nvmlDeviceGetComputeRunningProcesses, self._handle)
        if isinstance(compute, Refused):
            return compute
        graphics = asked(nvml.nvmlDeviceGetGraphicsRunningProcesses, self._handle)
        drawing = [] if isinstance(graphics, Refused) else graphics
        for item in (*compute, *drawing):  # one that does both is in both lists, with one memory
            used = item.usedGpuMemory
            before = found.get(item.pid)
            found[item.pid] = before if used is None else max(used, before or 0)
        return found

    def _busy(self) -> dict[int, Value] | Null:
        """Return the share of each process that did anything since the last look."""
        import pynvml as nvml

        try:
            samples = nvml.nvmlDeviceGetProcessUtilization(self._handle, self._seen_us)
        except nvml.NVMLError as error:
            # The driver's way to say that nobody did anything.
            return {} if error.value == nvml.NVML_ERROR_NOT_FOUND else why(error)
        percents: dict[int, list[int]] = defaultdict(list)
        for sample in samples:
            if sample.timeStamp > self._seen_us:
                percents[sample.pid].append(sample.smUtil)
        self._seen_us = max((sample.timeStamp for sample in samples), default=self._seen_us)
        return {pid: _mean_share(values) for pid, values in percents.items()}


def _mean_share(percents: list[int]) -> Value:
    known = [percent for percent in percents if percent <= _MOST_PERCENT]
    return sum(known) / len(known) / 100 if known else Null("NOT_SUPPORTED")
