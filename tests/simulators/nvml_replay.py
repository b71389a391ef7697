"""A stand-in for NVIDIA's driver library, below `pynvml`: it replays a trace.

It is put where `pynvml` keeps the library that it has loaded (libnvidia-ml.so.1), so everything of
`pynvml` is the real thing: structures, sizes asked for twice, errors that become exceptions, and
the value that means "not available". A trace says of itself that it is synthetic, and of each field
where its form comes from; see `gpu_traces/`.
"""

from __future__ import annotations

import ctypes
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pynvml

TRACES = Path(__file__).parent / "gpu_traces"
NOT_SUPPORTED, NOT_FOUND, INSUFFICIENT_SIZE = 3, 6, 7
_NOT_AVAILABLE = 2**64 - 1  # NVML_VALUE_NOT_AVAILABLE as an unsigned long long
_SUCCESS = 0


class NvmlError(Exception):
    """A return code other than success."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(str(code))


@dataclass
class Card:
    """A device of a trace at a time: its latest segment wins, and what that doesn't say stays."""

    trace: Mapping[str, Any]
    handle: Any
    parts: list[Card] = field(default_factory=list)

    def now(self, at_s: float) -> dict[str, Any]:
        """Return all fields at a time, with the energy that the power came to."""
        state = {name: value for name, value in self.trace.items() if name != "segments"}
        begin, energy_mj = 0.0, 0.0
        for segment in self.trace["segments"]:
            state |= segment
            if segment.get("energy") == "reset":
                energy_mj = 0.0
            length = min(segment["for_s"], at_s - begin)
            if state.get("energy") == "stuck":
                length = 0.0
            power = state.get("power_mw")
            energy_mj += power * max(0.0, length) if isinstance(power, int) else 0.0
            begin += segment["for_s"]
            if at_s < begin:
                break
        if not isinstance(state.get("energy"), dict):
            state["energy"] = int(energy_mj)
        return state


class ReplayedNvml:
    """The functions of the library, as attributes; what it lacks is an AttributeError, as there.

    Args:
        trace: What to replay.
        now: Tells the time in the trace, in seconds.
    """

    def __init__(self, trace: Mapping[str, Any], now: Callable[[], float]) -> None:
        self.trace = trace
        self._now = now
        self._began_us = time.time_ns() // 1000
        self._cards = [_card(item) for item in trace["devices"]]
        every = [*self._cards, *(part for card in self._cards for part in card.parts)]
        self._by_address = {ctypes.addressof(card.handle): card for card in every}

    def __getattr__(self, name: str) -> Callable[..., int]:
        if name in self.trace.get("missing_functions", ()):
            raise AttributeError(name)
        function = _FUNCTIONS.get(name)
        if function is None:
            raise AttributeError(name)

        def call(*arguments: Any) -> int:
            try:
                function(self, *arguments)
            except NvmlError as error:
                return error.code
            return _SUCCESS

        return call

    def card(self, handle: Any) -> Card:
        return self._by_address[ctypes.addressof(handle.contents)]

    def value(self, handle: Any, name: str) -> Any:
        """Return a field of a device now; one that is an error is raised."""
        state = self.card(handle).now(self._now())
        for key in ("lost", name):
            if isinstance(state.get(key), dict):
                raise NvmlError(state[key]["error"])
        if state.get(name) is None:
            raise NvmlError(NOT_SUPPORTED)
        return state[name]

    def processes(self, handle: Any, kind: str) -> list[Mapping[str, Any]]:
        return [item for item in self.value(handle, "processes") if kind in item["kind"]]


def _card(trace: Mapping[str, Any]) -> Card:
    # NVML's own structure is opaque and has no size, so all of them might lie at one address.
    return Card(trace, ctypes.c_uint64(), [_card(part) for part in trace.get("mig", ())])


def _point(out: Any, card: Card) -> None:
    place = ctypes.addressof(card.handle)
    out._obj.contents = pynvml.struct_c_nvmlDevice_t.from_address(place)


def _init(nvml: ReplayedNvml, flags: int) -> None:
    if "init" in nvml.trace:
        raise NvmlError(nvml.trace["init"]["error"])


def _count(nvml: ReplayedNvml, out: Any) -> None:
    out._obj.value = len(nvml._cards)


def _by_index(nvml: ReplayedNvml, index: Any, out: Any) -> None:
    _point(out, nvml._cards[index.value])


def _text(name: str) -> Callable[..., None]:
    def fill(nvml: ReplayedNvml, handle: Any, buffer: Any, size: Any) -> None:
        buffer.value = nvml.value(handle, name).encode()

    return fill


def _number(name: str) -> Callable[..., None]:
    def fill(nvml: ReplayedNvml, handle: Any, *rest: Any) -> None:
        rest[-1]._obj.value = nvml.value(handle, name)

    return fill


def _clock(nvml: ReplayedNvml, handle: Any, kind: Any, out: Any) -> None:
    memory = kind.value == pynvml.NVML_CLOCK_MEM
    out._obj.value = nvml.value(handle, "memory_clock_mhz" if memory else "clock_mhz")


def _memory(nvml: ReplayedNvml, handle: Any, out: Any) -> None:
    total, used = nvml.value(handle, "memory_total"), nvml.value(handle, "memory_used")
    out._obj.total, out._obj.used, out._obj.free = total, used, total - used


def _rates(nvml: ReplayedNvml, handle: Any, out: Any) -> None:
    out._obj.gpu = nvml.value(handle, "utilization")


def _mig_mode(nvml: ReplayedNvml, handle: Any, current: Any, pending: Any) -> None:
    if "mig" not in nvml.card(handle).trace:
        raise NvmlError(NOT_SUPPORTED)
    current._obj.value = pending._obj.value = pynvml.NVML_DEVICE_MIG_ENABLE


def _mig_places(nvml: ReplayedNvml, handle: Any, out: Any) -> None:
    out._obj.value = 7


def _mig_part(nvml: ReplayedNvml, handle: Any, index: Any, out: Any) -> None:
    parts = nvml.card(handle).parts
    if index.value >= len(parts):
        raise NvmlError(NOT_FOUND)
    _point(out, parts[index.value])


def _listed(kind: str) -> Callable[..., None]:
    def fill(nvml: ReplayedNvml, handle: Any, count: Any, array: Any) -> None:
        found = nvml.processes(handle, kind)
        count._obj.value = len(found)
        if array is None:
            if found:
                raise NvmlError(INSUFFICIENT_SIZE)
            return
        for place, item in zip(array, found, strict=False):
            place.pid = item["pid"]
            place.usedGpuMemory = _NOT_AVAILABLE if item["used"] is None else item["used"]

    return fill


def _busy(nvml: ReplayedNvml, handle: Any, array: Any, count: Any, since: Any) -> None:
    if isinstance(nvml.card(handle).trace.get("process_utilization"), dict):
        raise NvmlError(nvml.card(handle).trace["process_utilization"]["error"])
    found = [item for item in nvml.value(handle, "processes") if item.get("sm")]
    stamp = nvml._began_us + int(nvml._now() * 1e6)
    if not found or stamp <= since.value:
        raise NvmlError(NOT_FOUND)
    count._obj.value = len(found)
    if array is None:
        raise NvmlError(INSUFFICIENT_SIZE)
    for place, item in zip(array, found, strict=True):
        place.pid, place.timeStamp, place.smUtil = item["pid"], stamp, item["sm"]


_FUNCTIONS: dict[str, Callable[..., None]] = {
    "nvmlInitWithFlags": _init,
    "nvmlShutdown": lambda nvml: None,
    "nvmlDeviceGetCount_v2": _count,
    "nvmlDeviceGetHandleByIndex_v2": _by_index,
    "nvmlDeviceGetUUID": _text("uuid"),
    "nvmlDeviceGetName": _text("name"),
    "nvmlDeviceGetMemoryInfo": _memory,
    "nvmlDeviceGetUtilizationRates": _rates,
    "nvmlDeviceGetClockInfo": _clock,
    "nvmlDeviceGetTemperature": _number("temperature_c"),
    "nvmlDeviceGetPowerUsage": _number("power_mw"),
    "nvmlDeviceGetTotalEnergyConsumption": _number("energy"),
    "nvmlDeviceGetCurrentClocksEventReasons": _number("clocks_event_reasons"),
    "nvmlDeviceGetCurrentClocksThrottleReasons": _number("clocks_event_reasons"),
    "nvmlDeviceGetFanSpeed": _number("fan_percent"),
    "nvmlDeviceGetEnforcedPowerLimit": _number("power_limit_mw"),
    "nvmlDeviceGetCurrPcieLinkGeneration": _number("pcie_generation"),
    "nvmlDeviceGetCurrPcieLinkWidth": _number("pcie_width"),
    "nvmlDeviceGetMigMode": _mig_mode,
    "nvmlDeviceGetMaxMigDeviceCount": _mig_places,
    "nvmlDeviceGetMigDeviceHandleByIndex": _mig_part,
    "nvmlDeviceGetComputeRunningProcesses_v3": _listed("C"),
    "nvmlDeviceGetGraphicsRunningProcesses_v3": _listed("G"),
    "nvmlDeviceGetProcessUtilization": _busy,
}


def load_trace(name: str) -> dict[str, Any]:
    """Return a trace by its name."""
    content: dict[str, Any] = json.loads((TRACES / f"{name}.json").read_text(encoding="utf-8"))
    return content


def install(trace: Mapping[str, Any], now: Callable[[], float] | None = None) -> None:
    """Put a trace in place of the driver's library, for good; see `nvml_of`."""
    began = time.monotonic()
    pynvml.nvmlLib = ReplayedNvml(trace, now or (lambda: time.monotonic() - began))
    pynvml._nvmlGetFunctionPointer_cache.clear()


@contextmanager
def nvml_of(trace: Mapping[str, Any], now: Callable[[], float] | None = None) -> Iterator[None]:
    """Let `pynvml` find a trace in place of the driver.

    Args:
        trace: What to replay.
        now: Tells the time in it; None is the real one from here on.
    """
    library, cache = pynvml.nvmlLib, dict(pynvml._nvmlGetFunctionPointer_cache)
    install(trace, now)
    try:
        yield
    finally:
        pynvml.nvmlLib = library
        pynvml._nvmlGetFunctionPointer_cache.clear()
        pynvml._nvmlGetFunctionPointer_cache.update(cache)
