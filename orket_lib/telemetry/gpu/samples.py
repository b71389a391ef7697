"""Samples of the GPUs, and the raw record that is kept of them beside those of the host.

The first line names the GPUs, or says why there are none; then one line per look. A value is a
number or, in its place, the reason why there is none, so the record can't lose what was missing.
Who a process belongs to is decided when it is seen: later it may be gone, and its parents with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from orket_lib.telemetry.devices.reading import (
    DETAILS,
    GAUGES,
    Details,
    DeviceInfo,
    Gauges,
    Value,
)
from orket_lib.vocabulary.nulls import Null

# `stranger`: nobody can say whose it is. The driver names a process that this system doesn't show,
# as from inside of a container, or nobody found the server's process, which may be this one.
Whose = Literal["server", "ours", "desktop", "foreign", "stranger"]


@dataclass(frozen=True)
class OwnedProcess:
    """A process on a GPU, and whose it is.

    Attributes:
        pid: As the driver says.
        name: `?` for a stranger.
        whose: Of the server's tree, of ours, or of somebody else.
        used_mib: Memory that it holds on this GPU.
        utilization: Share of the time in which its work ran there.
    """

    pid: int
    name: str
    whose: Whose
    used_mib: Value
    utilization: Value


Listed = tuple[OwnedProcess, ...] | Null


@dataclass(frozen=True)
class GpuSample:
    """One look at all GPUs, in the record's order of them.

    Attributes:
        at_s: Seconds since the session began.
        gauges: Of each.
        details: Of each; None when they were not asked for.
        processes: Of each; None when they were not asked for.
    """

    at_s: float
    gauges: tuple[Gauges, ...]
    details: tuple[Details, ...] | None = None
    processes: tuple[Listed, ...] | None = None


@dataclass(frozen=True)
class GpuRecord:
    """What was seen of the GPUs in a session.

    Attributes:
        devices: Those that were watched.
        absent: Why a vendor that was looked for has none here.
        samples: In order.
    """

    devices: tuple[DeviceInfo, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[GpuSample, ...] = ()

    @cached_property
    def lists(self) -> tuple[GpuSample, ...]:
        """The samples that have processes; a run is held against them many times."""
        return tuple(item for item in self.samples if item.processes is not None)


def header(devices: Sequence[DeviceInfo], absent: Mapping[str, str]) -> str:
    """Return the first line of a record."""
    content = {
        "devices": [asdict(device) for device in devices],
        "absent": dict(absent),
        "gauges": [*GAUGES, "throttle"],
        "details": DETAILS,
        "processes": ["pid", "name", "whose", "used_mib", "utilization"],
    }
    return json.dumps(content)


def to_line(sample: GpuSample) -> str:
    """Return a sample as a line."""
    content: dict[str, Any] = {
        "at_s": round(sample.at_s, 4),
        "gauges": [[*_cells(item, GAUGES), _throttle_cell(item)] for item in sample.gauges],
    }
    if sample.details is not None:
        content["details"] = [_cells(item, DETAILS) for item in sample.details]
    if sample.processes is not None:
        content["processes"] = [
            listed.reason
            if isinstance(listed, Null)
            else [
                [it.pid, it.name, it.whose, _cell(it.used_mib), _cell(it.utilization)]
                for it in listed
            ]
            for listed in sample.processes
        ]
    return json.dumps(content, separators=(",", ":"))


def read_gpu_samples(path: Path) -> GpuRecord | None:
    """Return the record of a file, None when there is none: nobody looked."""
    try:
        return from_lines(path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return None


def from_lines(lines: Iterable[str]) -> GpuRecord | None:
    """Return a record from its lines; a torn last line is dropped."""
    first, *rest = [*lines, ""]
    try:
        content = json.loads(first)
        devices = tuple(DeviceInfo(**item) for item in content["devices"])
        absent = content["absent"]
    except (ValueError, KeyError, TypeError):
        return None
    samples = []
    for line in rest:
        try:
            samples.append(_sample(json.loads(line)))
        except (ValueError, KeyError, TypeError):
            break
    return GpuRecord(devices, absent, tuple(samples))


def _sample(content: Mapping[str, Any]) -> GpuSample:
    details, processes = content.get("details"), content.get("processes")
    return GpuSample(
        at_s=content["at_s"],
        gauges=tuple(_gauges(cells) for cells in content["gauges"]),
        details=None
        if details is None
        else tuple(
            Details(**dict(zip(DETAILS, map(_value, cells), strict=True))) for cells in details
        ),
        processes=None if processes is None else tuple(map(_listed, processes)),
    )


def _gauges(cells: Sequence[Any]) -> Gauges:
    *numbers, throttle = cells
    return Gauges(
        **dict(zip(GAUGES, map(_value, numbers), strict=True)),
        throttle=Null(throttle) if isinstance(throttle, str) else frozenset(throttle),
    )


def _listed(content: Any) -> Listed:
    if isinstance(content, str):
        return Null(content)
    return tuple(
        OwnedProcess(pid, name, whose, _value(used), _value(busy))
        for pid, name, whose, used, busy in content
    )


def _cells(item: Gauges | Details, names: Sequence[str]) -> list[float | str]:
    return [_cell(getattr(item, name)) for name in names]


def _throttle_cell(item: Gauges) -> list[str] | str:
    return item.throttle.reason if isinstance(item.throttle, Null) else sorted(item.throttle)


def _cell(value: Value) -> float | str:
    return value.reason if isinstance(value, Null) else round(value, 4)


def _value(cell: float | str) -> Value:
    return Null(cell) if isinstance(cell, str) else cell
