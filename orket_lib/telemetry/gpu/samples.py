"""Samples of the GPUs, and the JSON Lines file that records them.

The first line lists the GPUs, or says why there are none; then one line per sample. A value is a
number or the reason why there is none. The owner of a process is decided when it is sampled: later
the process or its parents may be gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from orket_lib.artifacts.io import json_value
from orket_lib.telemetry.devices.reading import (
    DETAILS,
    GAUGES,
    Details,
    DeviceInfo,
    Gauges,
    Value,
)
from orket_lib.vocabulary.nulls import Null

# `stranger`: the owner is unknown. The driver lists a pid that this system doesn't show (as in a
# container), or the server's process was not found, and may be this one.
Whose = Literal["server", "ours", "desktop", "foreign", "stranger"]


@dataclass(frozen=True)
class OwnedProcess:
    """A process on a GPU, with its owner.

    Attributes:
        pid: As reported by the driver.
        name: `?` for a stranger.
        whose: The owner.
        used_mib: Its memory on this GPU.
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
    """A sample of all GPUs, in the order of the record.

    Attributes:
        at_s: Seconds since the session began.
        gauges: One per GPU.
        details: One per GPU; None in samples of the gauges only.
        processes: One list per GPU; None in samples of the gauges only.
    """

    at_s: float
    gauges: tuple[Gauges, ...]
    details: tuple[Details, ...] | None = None
    processes: tuple[Listed, ...] | None = None


@dataclass(frozen=True)
class GpuRecord:
    """The GPU samples of a session.

    Attributes:
        devices: The sampled GPUs.
        absent: Why there are no GPUs, by vendor.
        samples: In order of time.
    """

    devices: tuple[DeviceInfo, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[GpuSample, ...] = ()

    @cached_property
    def lists(self) -> tuple[GpuSample, ...]:
        """The samples with processes, cached because every run reads them."""
        return tuple(item for item in self.samples if item.processes is not None)


def header(devices: Sequence[DeviceInfo], absent: Mapping[str, str]) -> str:
    """Return the first line of the file."""
    content = {
        "devices": [asdict(device) for device in devices],
        "absent": dict(absent),
        "gauges": [*GAUGES, "throttle"],
        "details": DETAILS,
        "processes": ["pid", "name", "whose", "used_mib", "utilization"],
    }
    return json.dumps(content)


def to_line(sample: GpuSample) -> str:
    """Return a sample as a line of the file."""
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
    """Return the record in a file; None if the file doesn't exist: no GPU was sampled."""
    try:
        return from_lines(path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return None


def from_lines(lines: Iterable[str]) -> GpuRecord | None:
    """Parse the lines of a file; a torn last line is dropped."""
    first, *rest = [*lines, ""]
    try:
        content = json_value(first)
        devices = tuple(DeviceInfo(**item) for item in content["devices"])
        absent = content["absent"]
    except (ValueError, KeyError, TypeError):
        return None
    samples = []
    for line in rest:
        try:
            samples.append(_sample(json_value(line)))
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
