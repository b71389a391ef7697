"""NVIDIA's GPUs through NVML: each card by its UUID, or the parts (MIG) that it is divided into.

Any call may be unsupported, and a card may be gone from one call to the next: both make a null with
a reason, never an error. A part of a card has memory and processes of its own; temperature, clocks
and throttling are read from its card, and its share of power and energy is unknown.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from orket_lib.telemetry.devices.reading import (
    LOST,
    NOT_SUPPORTED,
    Details,
    DeviceInfo,
    DeviceProcess,
    Gauges,
    Throttle,
    Value,
)
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.units import MIB

_NO_PROCESS_MEMORY = Null("PROCESS_MEMORY_NOT_AVAILABLE")  # Windows (WDDM) manages it itself
_SHARED = Null("SHARED_BY_MIG_INSTANCES")
# Bits of nvmlDeviceGetCurrentClocksEventReasons. The others (idle, clocks set by the user, boost
# in step with other cards, display) don't mean that a card is held back.
_REASONS: tuple[tuple[int, Throttle], ...] = (
    (0x04, "sw_power_cap"),
    (0x08, "hw_slowdown"),
    (0x20, "sw_thermal"),
    (0x40, "hw_thermal"),
    (0x80, "hw_power_brake"),
)
_MOST_PERCENT = 100  # drivers report billions for an unknown utilization


@contextmanager
def open_nvml() -> Iterator[Any]:
    """Open NVML: yields the `pynvml` module, or why there is none (`Null`)."""
    import pynvml as nvml

    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        yield _why(nvml, error)
        return
    try:
        yield nvml
    finally:
        with suppress(nvml.NVMLError):  # the driver may be gone by now
            nvml.nvmlShutdown()


class NvidiaDevice:
    """One GPU of the NVIDIA driver; NVML must be open while it is used.

    Args:
        nvml: The module.
        handle: The NVML handle.
        info: Which GPU it is.
        parent: Handle of the card that this is a part of; None for a whole card.
    """

    def __init__(self, nvml: Any, handle: Any, info: DeviceInfo, parent: Any = None) -> None:
        self.info = info
        self._nvml = nvml
        self._handle = handle
        self._card = handle if parent is None else parent
        self._is_part = parent is not None
        # The driver also keeps utilization samples from before we opened the card.
        self._seen_us = time.time_ns() // 1000

    def gauges(self) -> Gauges:
        """Return the fast readings; see `Device.gauges`."""
        nvml = self._nvml
        memory = _asked(nvml, nvml.nvmlDeviceGetMemoryInfo, self._handle)
        rates = _asked(nvml, nvml.nvmlDeviceGetUtilizationRates, self._handle)
        return Gauges(
            memory_total_mib=_field(memory, "total", 1 / MIB),
            memory_used_mib=_field(memory, "used", 1 / MIB),
            memory_free_mib=_field(memory, "free", 1 / MIB),
            utilization=_field(rates, "gpu", 1 / 100),
            clock_mhz=self._number(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_GRAPHICS),
            temperature_c=self._number(nvml.nvmlDeviceGetTemperature, nvml.NVML_TEMPERATURE_GPU),
            power_watts=self._unshared(nvml.nvmlDeviceGetPowerUsage),
            energy_j=self._unshared(nvml.nvmlDeviceGetTotalEnergyConsumption),
            throttle=self._throttle(),
        )

    def details(self) -> Details:
        """Return the slow readings; see `Device.details`."""
        nvml = self._nvml
        return Details(
            memory_clock_mhz=self._number(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_MEM),
            fan_percent=self._number(nvml.nvmlDeviceGetFanSpeed),
            power_limit_watts=self._unshared(nvml.nvmlDeviceGetEnforcedPowerLimit),
            pcie_generation=self._number(nvml.nvmlDeviceGetCurrPcieLinkGeneration),
            pcie_width=self._number(nvml.nvmlDeviceGetCurrPcieLinkWidth),
        )

    def processes(self, ours: Collection[int] = ()) -> tuple[DeviceProcess, ...] | Null:
        """Return the compute and graphics processes; see `Device.processes`."""
        nvml = self._nvml
        compute = _asked(nvml, nvml.nvmlDeviceGetComputeRunningProcesses, self._handle)
        if isinstance(compute, Null):
            return compute
        graphics = _asked(nvml, nvml.nvmlDeviceGetGraphicsRunningProcesses, self._handle)
        memory: dict[int, int | None] = {}
        # A process that computes and draws is in both lists, with the same memory.
        for item in (*compute, *(() if isinstance(graphics, Null) else graphics)):
            used, before = item.usedGpuMemory, memory.get(item.pid)
            memory[item.pid] = before if used is None else max(used, before or 0)
        shares = self._utilization()
        return tuple(
            DeviceProcess(
                pid,
                _NO_PROCESS_MEMORY if used is None else used / MIB,
                shares if isinstance(shares, Null) else shares.get(pid, 0.0),
            )
            for pid, used in sorted(memory.items())
        )

    def _utilization(self) -> dict[int, Value] | Null:
        """Return the share of each process that did any work since the last call."""
        nvml = self._nvml
        try:
            samples = nvml.nvmlDeviceGetProcessUtilization(self._handle, self._seen_us)
        except nvml.NVMLError as error:
            # NOT_FOUND: no process did any work.
            return {} if error.value == nvml.NVML_ERROR_NOT_FOUND else _why(nvml, error)
        percents: dict[int, list[int]] = defaultdict(list)
        for sample in samples:
            if sample.timeStamp > self._seen_us:
                percents[sample.pid].append(sample.smUtil)
        self._seen_us = max((sample.timeStamp for sample in samples), default=self._seen_us)
        return {pid: _mean_share(values) for pid, values in percents.items()}

    def _throttle(self) -> frozenset[Throttle] | Null:
        nvml = self._nvml
        bits = _asked(nvml, nvml.nvmlDeviceGetCurrentClocksEventReasons, self._card)
        if bits == NOT_SUPPORTED:  # older drivers have the call under its old name
            bits = _asked(nvml, nvml.nvmlDeviceGetCurrentClocksThrottleReasons, self._card)
        if isinstance(bits, Null):
            return bits
        return frozenset(word for bit, word in _REASONS if bits & bit)

    def _unshared(self, call: Callable[[Any], Any]) -> Value:
        """Return a reading of the card in thousandths; null for a part of a card."""
        return _SHARED if self._is_part else self._number(call, scale=1 / 1000)

    def _number(self, call: Callable[..., Any], *arguments: Any, scale: float = 1.0) -> Value:
        """Return a number that the card reports."""
        found = _asked(self._nvml, call, self._card, *arguments)
        return found if isinstance(found, Null) else float(found) * scale


def find_nvidia(nvml: Any) -> tuple[NvidiaDevice, ...] | Null:
    """Return the GPUs of the driver, or why there are none.

    Args:
        nvml: The module, open.
    """
    count = _asked(nvml, nvml.nvmlDeviceGetCount)
    if isinstance(count, Null):
        return count
    found = tuple(device for index in range(count) for device in _devices_at(nvml, index))
    return found or Null("NO_DEVICE")


def _devices_at(nvml: Any, index: int) -> Iterator[NvidiaDevice]:
    """Yield the card at an index, or its parts if it is divided; nothing if the card is lost."""
    card = _asked(nvml, nvml.nvmlDeviceGetHandleByIndex, index)
    if isinstance(card, Null):
        return
    info = _info(nvml, card, index, None)
    parts = [
        NvidiaDevice(nvml, part, _info(nvml, part, index, info.uuid), card)
        for part in _parts(nvml, card)
    ]
    yield from parts or [NvidiaDevice(nvml, card, info)]


def _parts(nvml: Any, card: Any) -> Iterator[Any]:
    mode = _asked(nvml, nvml.nvmlDeviceGetMigMode, card)
    if isinstance(mode, Null) or mode[0] != nvml.NVML_DEVICE_MIG_ENABLE:
        return
    most = _asked(nvml, nvml.nvmlDeviceGetMaxMigDeviceCount, card)
    for slot in range(0 if isinstance(most, Null) else most):
        part = _asked(nvml, nvml.nvmlDeviceGetMigDeviceHandleByIndex, card, slot)
        if not isinstance(part, Null):  # not every slot is in use
            yield part


def _info(nvml: Any, handle: Any, index: int, parent: str | None) -> DeviceInfo:
    name = _asked(nvml, nvml.nvmlDeviceGetName, handle)
    uuid = _asked(nvml, nvml.nvmlDeviceGetUUID, handle)
    return DeviceInfo(
        uuid=f"nvidia-{index}" if isinstance(uuid, Null) else str(uuid),
        index=index,
        name="NVIDIA GPU" if isinstance(name, Null) else str(name),
        vendor="nvidia",
        source="nvml",
        parent_uuid=parent,
    )


def _asked(nvml: Any, call: Callable[..., Any], *arguments: Any) -> Any:
    """Return the answer of an NVML call, or `Null` with the reason."""
    try:
        return call(*arguments)
    except nvml.NVMLError as error:
        return _why(nvml, error)


def _why(nvml: Any, error: Any) -> Null:
    """Return an NVML error as the reason of a null."""
    reasons = {
        nvml.NVML_ERROR_NOT_SUPPORTED: NOT_SUPPORTED,
        nvml.NVML_ERROR_FUNCTION_NOT_FOUND: NOT_SUPPORTED,
        nvml.NVML_ERROR_NO_PERMISSION: Null("NO_PERMISSION"),
        nvml.NVML_ERROR_GPU_IS_LOST: LOST,
        nvml.NVML_ERROR_GPU_NOT_FOUND: LOST,
        nvml.NVML_ERROR_RESET_REQUIRED: LOST,
        nvml.NVML_ERROR_LIBRARY_NOT_FOUND: Null("NO_DRIVER"),
        nvml.NVML_ERROR_DRIVER_NOT_LOADED: Null("NO_DRIVER"),
    }
    return reasons.get(error.value, Null(f"NVML_ERROR_{error.value}"))


def _field(found: Any, name: str, scale: float) -> Value:
    return found if isinstance(found, Null) else float(getattr(found, name)) * scale


def _mean_share(percents: list[int]) -> Value:
    plausible = [percent for percent in percents if percent <= _MOST_PERCENT]
    return sum(plausible) / len(plausible) / 100 if plausible else NOT_SUPPORTED
