"""What a GPU can say of itself, in one form for all vendors.

Two groups, because asking costs time: gauges are cheap and move fast, details are dear or slow. A
card that doesn't know one of them says why in its place, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Literal, Protocol

from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.sidecar import Source

Vendor = Literal["nvidia", "amd"]
Value = float | Null
Throttle = Literal["sw_thermal", "hw_thermal", "hw_slowdown", "hw_power_brake", "sw_power_cap"]

HEAT: frozenset[Throttle] = frozenset(("sw_thermal", "hw_thermal", "hw_slowdown", "hw_power_brake"))
LOST = Null("GPU_LOST")  # it was there, and no longer answers


@dataclass(frozen=True)
class DeviceInfo:
    """Which GPU this is.

    Attributes:
        uuid: Stays the same when cards are added, moved or renumbered; of a part of a card (MIG)
            its own.
        index: As the driver counts now, in the order of the bus; of a part, its card's.
        name: As the driver says.
        vendor: Whose driver.
        source: Who answers.
        parent_uuid: Of a part of a card, the card's.
    """

    uuid: str
    index: int
    name: str
    vendor: Vendor
    source: Source
    parent_uuid: str | None = None


@dataclass(frozen=True)
class Gauges:
    """What moves while a model works.

    Attributes:
        memory_total_mib, memory_used_mib, memory_free_mib: Of the card's own memory, all processes.
        utilization: Share of the time in which anything ran.
        clock_mhz: Of the cores.
        temperature_c: Of the chip.
        power_watts: Of the whole board, as the driver averages it.
        energy_j: Counter, since the driver was loaded.
        throttle: Why the clock is lower than it could be; empty when nothing slows it.
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
    """What changes slowly or costs more to ask.

    Attributes:
        memory_clock_mhz: Of the card's memory.
        fan_percent: Of the fastest it can turn; a card without a fan has none.
        power_limit_watts: That the driver enforces.
        pcie_generation: Of the link as it runs now; it idles lower than it works.
        pcie_width: Lanes.
    """

    memory_clock_mhz: Value
    fan_percent: Value
    power_limit_watts: Value
    pcie_generation: Value
    pcie_width: Value


@dataclass(frozen=True)
class DeviceProcess:
    """A process that has something on a GPU.

    Attributes:
        used_mib: The memory that it holds there.
        utilization: Share of the time in which its work ran, since the list before.
    """

    pid: int
    used_mib: Value
    utilization: Value


class Device(Protocol):
    """One GPU, or one part of a card."""

    @property
    def info(self) -> DeviceInfo:
        """Which one it is."""

    def gauges(self) -> Gauges:
        """Return what moves."""

    def details(self) -> Details:
        """Return what is slow."""

    def processes(self, ours: Collection[int] = ()) -> tuple[DeviceProcess, ...] | Null:
        """Return who is on it, or why that can't be told.

        Args:
            ours: Processes to be looked at where the driver has no list of all.
        """


GAUGES = tuple(item.name for item in fields(Gauges) if item.name != "throttle")
DETAILS = tuple(item.name for item in fields(Details))


def known(value: Value) -> float | None:
    """Return a reading's number, None where it has none."""
    return None if isinstance(value, Null) else value


def rest_of(total: Value, used: Value) -> Value:
    """Return what is left of a total; null when one of the two is."""
    if isinstance(total, Null):
        return total
    return used if isinstance(used, Null) else total - used
