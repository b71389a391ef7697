"""Sampling of the GPUs: gauges often; details and processes, which cost more, less often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.telemetry.counters import Process
from orket_lib.telemetry.devices.reading import Device, DeviceProcess
from orket_lib.telemetry.gpu.desktop_programs import is_desktop
from orket_lib.telemetry.gpu.samples import GpuSample, Listed, OwnedProcess, Whose
from orket_lib.vocabulary.nulls import Null

PERIOD_S = 0.2  # of the gauges; drivers refresh the power reading ten times a second
PROCESSES_S = 1.0  # of processes and details


@dataclass(frozen=True)
class Trees:
    """The processes of this machine at one moment, by owner.

    Attributes:
        table: All visible processes, by pid.
        own: Pids of our tree, without the server.
        server: Pids of the server's tree.
    """

    table: Mapping[int, Process]
    own: frozenset[int]
    server: frozenset[int]


class GpuSampler:
    """Samples GPUs.

    Args:
        devices: The GPUs.
    """

    def __init__(self, devices: Sequence[Device]) -> None:
        self._devices = tuple(devices)

    def look(self, at_s: float, trees: Trees | None) -> GpuSample:
        """Return one sample; with `trees` it has details and processes as well."""
        gauges = tuple(device.gauges() for device in self._devices)
        if trees is None:
            return GpuSample(at_s, gauges)
        return GpuSample(
            at_s,
            gauges,
            tuple(device.details() for device in self._devices),
            tuple(_owned(device.processes(trees.server), trees) for device in self._devices),
        )


def _owned(listed: tuple[DeviceProcess, ...] | Null, trees: Trees) -> Listed:
    if isinstance(listed, Null):
        return listed
    return tuple(
        OwnedProcess(
            item.pid,
            trees.table[item.pid].name if item.pid in trees.table else "?",
            _whose(item.pid, trees),
            item.used_mib,
            item.utilization,
        )
        for item in listed
    )


def _whose(pid: int, trees: Trees) -> Whose:
    if pid in trees.server:
        return "server"
    if pid in trees.own:
        return "ours"
    if pid not in trees.table:
        return "stranger"
    if is_desktop(trees.table[pid].name):
        return "desktop"
    return (
        "foreign" if trees.server else "stranger"
    )  # it may be the server, whose process was not found
