"""From a trace of GPUs to the record that the sampler makes of it, without waiting for its time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nvml_replay import nvml_of

from orket_lib.telemetry.counters import Process, tree
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.telemetry.gpu.sampler import PERIOD_S, GpuSampler, Trees
from orket_lib.telemetry.gpu.samples import GpuRecord, from_lines, header, to_line

LOOKS_PER_LIST = 5  # at 5 Hz, processes once a second


def trees_of(trace: Mapping[str, Any]) -> Trees:
    """Return the processes of a trace's machine: pid, parent and name of each."""
    table = {
        pid: Process(pid, ppid, name, 0.0, 0.0, 0)
        for pid, ppid, name in trace["processes_of_machine"]
    }
    server = tree(trace["server_pid"], table) if trace["server_pid"] else set()
    own = tree(trace["our_pid"], table) - server
    return Trees(table, frozenset(own), frozenset(server))


def record_of(trace: Mapping[str, Any]) -> GpuRecord:
    """Return what the sampler writes of a trace, read back from its lines."""
    at_s = 0.0
    seconds = max(sum(part["for_s"] for part in card["segments"]) for card in trace["devices"])
    with nvml_of(trace, lambda: at_s), open_devices("nvidia") as found:
        sampler = GpuSampler(found.devices)
        lines = [header([device.info for device in found.devices], found.absent)]
        for look in range(int(seconds / PERIOD_S) + 1):
            at_s = round(look * PERIOD_S, 3)
            trees = None if look % LOOKS_PER_LIST else trees_of(trace)
            lines.append(to_line(sampler.look(at_s, trees)))
    record = from_lines(lines)
    assert record is not None
    return record
