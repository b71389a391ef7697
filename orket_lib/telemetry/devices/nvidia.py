"""NVIDIA's GPUs through NVML: each card by its UUID, or the parts (MIG) that it is divided into.

Any call may say that it is not supported, and a card may be gone from one call to the next: both
are answers. A part of a card has memory and processes of its own; heat, clocks and what slows them
are its card's, and of power and energy nobody knows its share.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from orket_lib.telemetry.devices.nvidia_processes import ProcessList
from orket_lib.telemetry.devices.nvml_calls import Refused, asked, number
from orket_lib.telemetry.devices.reading import (
    Details,
    DeviceInfo,
    DeviceProcess,
    Gauges,
    Throttle,
    Value,
)
from orket_lib.vocabulary.nulls import Null

_MIB = 1024**2
_SHARED = Null("SHARED_BY_MIG_INSTANCES")
# Bits of nvmlDeviceGetCurrentClocksEventReasons. The others (idle, clocks that somebody set, boost
# in step with other cards, display) say nothing about a card that is held back.
_REASONS: tuple[tuple[int, Throttle], ...] = (
    (0x04, "sw_power_cap"),
    (0x08, "hw_slowdown"),
    (0x20, "sw_thermal"),
    (0x40, "hw_thermal"),
    (0x80, "hw_power_brake"),
)


class NvidiaDevice:
    """One GPU of the NVIDIA driver; NVML is open while this is used.

    Args:
        handle: Of NVML.
        info: Which one it is.
        parent: Handle of the card that this is a part of; None for a whole card.
    """

    def __init__(self, handle: Any, info: DeviceInfo, parent: Any = None) -> None:
        self.info = info
        self._handle = handle
        self._card = handle if parent is None else parent
        self._is_part = parent is not None
        self._processes = ProcessList(handle)

    def gauges(self) -> Gauges:
        """Return what moves; see `Device.gauges`."""
        import pynvml as nvml

        memory = asked(nvml.nvmlDeviceGetMemoryInfo, self._handle)
        rates = asked(nvml.nvmlDeviceGetUtilizationRates, self._handle)
        return Gauges(
            memory_total_mib=_part(memory, "total", 1 / _MIB),
            memory_used_mib=_part(memory, "used", 1 / _MIB),
            memory_free_mib=_part(memory, "free", 1 / _MIB),
            utilization=_part(rates, "gpu", 1 / 100),
            clock_mhz=number(nvml.nvmlDeviceGetClockInfo, self._card, nvml.NVML_CLOCK_GRAPHICS),
            temperature_c=number(
                nvml.nvmlDeviceGetTemperature, self._card, nvml.NVML_TEMPERATURE_GPU
            ),
            power_watts=self._of_card(nvml.nvmlDeviceGetPowerUsage, 1 / 1000),
            energy_j=self._of_card(nvml.nvmlDeviceGetTotalEnergyConsumption, 1 / 1000),
            throttle=_throttle(self._card),
        )

    def details(self) -> Details:
        """Return what is slow; see `Device.details`."""
        import pynvml as nvml

        card = self._card
        return Details(
            memory_clock_mhz=number(nvml.nvmlDeviceGetClockInfo, card, nvml.NVML_CLOCK_MEM),
            fan_percent=number(nvml.nvmlDeviceGetFanSpeed, card),
            power_limit_watts=self._of_card(nvml.nvmlDeviceGetEnforcedPowerLimit, 1 / 1000),
            pcie_generation=number(nvml.nvmlDeviceGetCurrPcieLinkGeneration, card),
            pcie_width=number(nvml.nvmlDeviceGetCurrPcieLinkWidth, card),
        )

    def processes(self, ours: Collection[int] = ()) -> tuple[DeviceProcess, ...] | Null:
        """Return who is on it; see `Device.processes`."""
        return self._processes.look()

    def _of_card(self, call: Callable[[Any], Any], scale: float) -> Value:
        return _SHARED if self._is_part else number(call, self._card, scale=scale)


def find_nvidia() -> tuple[NvidiaDevice, ...] | Null:
    """Return the GPUs of the driver, or why there are none; NVML must be open."""
    import pynvml as nvml

    count = asked(nvml.nvmlDeviceGetCount)
    if isinstance(count, Refused):
        return count.why
    found = tuple(device for index in range(count) for device in _at(index))
    return found or Null("NO_DEVICE")


def _at(index: int) -> Iterator[NvidiaDevice]:
    """Yield the card of an index, or its parts where it is divided; a lost one isn't there."""
    import pynvml as nvml

    card = asked(nvml.nvmlDeviceGetHandleByIndex, index)
    if isinstance(card, Refused):
        return
    info = _info(card, index, None)
    parts = [NvidiaDevice(part, _info(part, index, info.uuid), card) for part in _parts(card)]
    yield from parts or [NvidiaDevice(card, info)]


def _parts(card: Any) -> Iterator[Any]:
    import pynvml as nvml

    mode = asked(nvml.nvmlDeviceGetMigMode, card)
    if isinstance(mode, Refused) or mode[0] != nvml.NVML_DEVICE_MIG_ENABLE:
        return
    most = asked(nvml.nvmlDeviceGetMaxMigDeviceCount, card)
    for place in range(0 if isinstance(most, Refused) else most):
        part = asked(nvml.nvmlDeviceGetMigDeviceHandleByIndex, card, place)
        if not isinstance(part, Refused):  # not every place is taken
            yield part


def _info(handle: Any, index: int, parent: str | None) -> DeviceInfo:
    import pynvml as nvml

    name = asked(nvml.nvmlDeviceGetName, handle)
    uuid = asked(nvml.nvmlDeviceGetUUID, handle)
    return DeviceInfo(
        uuid=f"nvidia-{index}" if isinstance(uuid, Refused) else str(uuid),
        index=index,
        name="NVIDIA GPU" if isinstance(name, Refused) else str(name),
        vendor="nvidia",
        source="nvml",
        parent_uuid=parent,
    )


def _throttle(card: Any) -> frozenset[Throttle] | Null:
    import pynvml as nvml

    bits = asked(nvml.nvmlDeviceGetCurrentClocksEventReasons, card)
    if isinstance(bits, Refused) and bits.why.reason == "NOT_SUPPORTED":  # an older driver's name
        bits = asked(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, card)
    if isinstance(bits, Refused):
        return bits.why
    return frozenset(word for bit, word in _REASONS if bits & bit)


def _part(found: Any, name: str, scale: float) -> Value:
    return found.why if isinstance(found, Refused) else float(getattr(found, name)) * scale
