"""The readings of a GPU, in one form for all vendors.

Two groups, because reading costs time: gauges are cheap and change fast, details are expensive or
change slowly. A reading that a card doesn't have is a null with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Literal, Protocol

from orket_lib.artifacts.measurements.sidecar_fields import Source
from orket_lib.vocabulary.nulls import Null, all_of

Vendor = Literal["nvidia", "amd"]
Value = float | Null
Throttle = Literal["sw_thermal", "hw_thermal", "hw_slowdown", "hw_power_brake", "sw_power_cap"]

HEAT: frozenset[Throttle] = frozenset(("sw_thermal", "hw_thermal", "hw_slowdown", "hw_power_brake"))
LOST = Null("GPU_LOST")  # a card that no longer answers
NOT_SUPPORTED = Null("NOT_SUPPORTED")


@dataclass(frozen=True)
class DeviceInfo:
    """Which GPU this is.

    Attributes:
        uuid: Stays the same when cards are added, moved or renumbered; a part of a card (MIG) has
            its own.
        index: The driver's current number, in bus order; for a part, its card's.
        name: As reported by the driver.
        vendor: Of the driver.
        source: The interface that is read.
        parent_uuid: For a part of a card, the card's.
    """

    uuid: str
    index: int
    name: str
    vendor: Vendor
    source: Source
    parent_uuid: str | None = None


@dataclass(frozen=True)
class Gauges:
    """The readings that change while a model works.

    Attributes:
        memory_total_mib, memory_used_mib, memory_free_mib: The card's own memory, all processes.
        utilization: Share of the time in which anything ran.
        clock_mhz: Of the cores.
        temperature_c: Of the chip.
        power_watts: Of the whole board, as averaged by the driver.
        energy_j: Counter since the driver was loaded.
        throttle: Why the clock is reduced; empty if it isn't.
    """

    memory_total_mib: Value
    memory_used_mib: Value
    memory_free_mib: Value
    utilization: Value
    clock_mhz: Value
    temperature_c: Value
    power_watts: Value
    energy_j: Value
    throttle: frozenset[Throttle] | Null


@dataclass(frozen=True)
class Details:
    """The readings that change slowly or cost more.

    Attributes:
        memory_clock_mhz: Clock of the card's memory.
        fan_percent: Percent of the maximum speed; null for a card without a fan.
        power_limit_watts: The limit that the driver enforces.
        pcie_generation: Current speed of the link; lower when idle.
        pcie_width: Current number of lanes.
    """

    memory_clock_mhz: Value
    fan_percent: Value
    power_limit_watts: Value
    pcie_generation: Value
    pcie_width: Value


@dataclass(frozen=True)
class DeviceProcess:
    """A process on a GPU.

    Attributes:
        used_mib: Its memory on the GPU.
        utilization: Share of the time in which its work ran, since the previous list.
    """

    pid: int
    used_mib: Value
    utilization: Value


class Device(Protocol):
    """One GPU, or one part (MIG) of a card."""

    @property
    def info(self) -> DeviceInfo:
        """Which GPU it is."""

    def gauges(self) -> Gauges:
        """Return the fast readings."""

    def details(self) -> Details:
        """Return the slow readings."""

    def processes(self, ours: Collection[int] = ()) -> tuple[DeviceProcess, ...] | Null:
        """Return the processes on it, or why they can't be listed.

        Args:
            ours: Processes to look for if the driver doesn't list all processes.
        """


GAUGES = tuple(item.name for item in fields(Gauges) if item.name != "throttle")
DETAILS = tuple(item.name for item in fields(Details))


def number_or_none(value: Value) -> float | None:
    """Return the number of a reading; None for a null."""
    return None if isinstance(value, Null) else value


def difference(total: Value, used: Value) -> Value:
    """Return `total - used`; null if either is."""
    return all_of((total, used), lambda both: both[0] - both[1], NOT_SUPPORTED)


def scaled(value: Value, factor: Value) -> Value:
    """Return `value * factor`; null if either is."""
    return all_of((value, factor), math.prod, NOT_SUPPORTED)
