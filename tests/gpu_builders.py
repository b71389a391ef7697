"""GPUs made by hand: what they say is given, and whatever isn't is not supported."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from orket_lib.telemetry.devices.reading import (
    DETAILS,
    GAUGES,
    Details,
    DeviceInfo,
    DeviceProcess,
    Gauges,
)
from orket_lib.vocabulary.nulls import Null

UNTOLD = Null("NOT_SUPPORTED")


def gauges(**told: Any) -> Gauges:
    """Return gauges with some readings."""
    return Gauges(**{**dict.fromkeys((*GAUGES, "throttle"), UNTOLD), **told})


def details(**told: Any) -> Details:
    """Return details with some readings."""
    return Details(**{**dict.fromkeys(DETAILS, UNTOLD), **told})


@dataclass
class HandmadeGpu:
    """A GPU that says one thing after the other, and the last of them for ever."""

    info: DeviceInfo
    says: list[Gauges] = field(default_factory=lambda: [gauges()])
    tells: Details = field(default_factory=details)
    listed: tuple[DeviceProcess, ...] | Null = UNTOLD

    def gauges(self) -> Gauges:
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]

    def details(self) -> Details:
        return self.tells

    def processes(self, ours: Collection[int] = ()) -> tuple[DeviceProcess, ...] | Null:
        return self.listed


def gpu(index: int = 0, says: Sequence[Gauges] = (), **more: Any) -> HandmadeGpu:
    """Return a GPU; its UUID ends with its index."""
    info = DeviceInfo(f"GPU-{index}", index, more.pop("name", f"gpu {index}"), "nvidia", "nvml")
    return HandmadeGpu(info, list(says) or [gauges()], **more)
