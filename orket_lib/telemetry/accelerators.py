"""Sensors of the GPUs: what the driver says now, each reading None where it says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from orket_lib.vocabulary.sidecar import Backend, Source

_MIB = 1024**2
_DRM = Path("/sys/class/drm")


@dataclass(frozen=True)
class GpuReading:
    """All GPUs at one moment: memory and power as sums, the rest of the one that has most."""

    vram_total_mb: float | None
    vram_used_mb: float | None
    temperature_c: float | None
    clock_mhz: float | None
    power_watts: float | None
    fan_percent: float | None


@dataclass(frozen=True)
class GpuMemory:
    """The memory of one GPU.

    Attributes:
        index: As the driver counts, in the order of the bus.
        name: As the driver says.
        uuid: None where the driver has none.
        total_mib: None where the driver doesn't say, as with memory that is shared with the CPU.
        free_mib: Likewise.
    """

    index: int
    name: str
    uuid: str | None
    total_mib: float | None
    free_mib: float | None


class Gpus(Protocol):
    """The GPUs of one vendor."""

    @property
    def source(self) -> Source:
        """Who answers."""

    def read(self) -> GpuReading:
        """Return what they say now."""

    def memories(self) -> tuple[GpuMemory, ...]:
        """Return the memory of each of them."""


@contextmanager
def open_gpus(backend: Backend) -> Iterator[Gpus | None]:
    """Give the GPUs of a backend, or None where there are none; `any` takes what is there."""
    if backend in ("nvidia", "any"):
        with _open_nvidia() as found:
            if found or backend == "nvidia":
                yield found
                return
    yield amd_gpus() if backend in ("amd", "any") else None


def amd_gpus(drm: Path = _DRM) -> AmdGpus | None:
    """Return the cards of the amdgpu driver, or None where there are none."""
    cards = [path.parent for path in sorted(drm.glob("card[0-9]*/device/mem_info_vram_total"))]
    return AmdGpus(cards) if cards else None


class AmdGpus:
    """Cards of the amdgpu driver, as the kernel shows them."""

    source: Source = "amd-sysfs"

    def __init__(self, cards: Iterable[Path]) -> None:
        self._cards = tuple(cards)

    def read(self) -> GpuReading:
        """Return what they say now."""
        pwm = self._most("hwmon/hwmon*/pwm1")
        return GpuReading(
            vram_total_mb=_scaled(self._sum("mem_info_vram_total"), 1 / _MIB),
            vram_used_mb=_scaled(self._sum("mem_info_vram_used"), 1 / _MIB),
            temperature_c=_scaled(self._most("hwmon/hwmon*/temp1_input"), 1 / 1000),
            clock_mhz=_scaled(self._most("hwmon/hwmon*/freq1_input"), 1e-6),
            power_watts=_scaled(self._sum("hwmon/hwmon*/power1_average"), 1e-6),
            fan_percent=_scaled(pwm, 100 / 255),
        )

    def memories(self) -> tuple[GpuMemory, ...]:
        """Return the memory of each of them."""
        found = []
        for index, card in enumerate(self._cards):
            total = _first(_values([card], "mem_info_vram_total"))
            used = _first(_values([card], "mem_info_vram_used"))
            free = None if total is None or used is None else total - used
            name = f"AMD {card.parent.name}"
            sizes = _scaled(total, 1 / _MIB), _scaled(free, 1 / _MIB)
            found.append(GpuMemory(index, name, None, *sizes))
        return tuple(found)

    def _sum(self, pattern: str) -> float | None:
        values = _values(self._cards, pattern)
        return sum(values) if values else None

    def _most(self, pattern: str) -> float | None:
        return max(_values(self._cards, pattern), default=None)


class NvidiaGpus:
    """The GPUs of the NVIDIA driver; NVML is open while this is used."""

    source: Source = "nvml"

    def __init__(self, handles: Iterable[Any]) -> None:
        self._handles = tuple(handles)

    def read(self) -> GpuReading:
        """Return what they say now."""
        import pynvml as nvml

        memories = self._each(nvml.nvmlDeviceGetMemoryInfo)
        temperatures = self._each(
            lambda handle: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
        )
        clocks = self._each(
            lambda handle: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_GRAPHICS)
        )
        powers = self._each(nvml.nvmlDeviceGetPowerUsage)
        fans = self._each(nvml.nvmlDeviceGetFanSpeed)
        return GpuReading(
            vram_total_mb=sum(item.total for item in memories) / _MIB if memories else None,
            vram_used_mb=sum(item.used for item in memories) / _MIB if memories else None,
            temperature_c=max(temperatures, default=None),
            clock_mhz=max(clocks, default=None),
            power_watts=sum(powers) / 1000 if powers else None,
            fan_percent=max(fans, default=None),
        )

    def memories(self) -> tuple[GpuMemory, ...]:
        """Return the memory of each of them."""
        import pynvml as nvml

        found = []
        for index, handle in enumerate(self._handles):
            one = NvidiaGpus([handle])
            memory = _first(one._each(nvml.nvmlDeviceGetMemoryInfo))
            found.append(
                GpuMemory(
                    index,
                    name=str(_first(one._each(nvml.nvmlDeviceGetName)) or "NVIDIA GPU"),
                    uuid=_first(one._each(nvml.nvmlDeviceGetUUID)),
                    total_mib=memory.total / _MIB if memory else None,
                    free_mib=memory.free / _MIB if memory else None,
                )
            )
        return tuple(found)

    def _each(self, call: Callable[[Any], Any]) -> list[Any]:
        """Return what a call says of each device that supports it."""
        import pynvml as nvml

        found = []
        for handle in self._handles:
            try:
                found.append(call(handle))
            except nvml.NVMLError:
                continue
        return found


@contextmanager
def _open_nvidia() -> Iterator[NvidiaGpus | None]:
    import pynvml as nvml

    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        yield None
        return
    try:
        yield _nvidia_gpus()
    finally:
        nvml.nvmlShutdown()


def _nvidia_gpus() -> NvidiaGpus | None:
    import pynvml as nvml

    try:
        indices = range(nvml.nvmlDeviceGetCount())
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in indices]
    except nvml.NVMLError:
        return None
    return NvidiaGpus(handles) if handles else None


def _values(cards: Iterable[Path], pattern: str) -> list[float]:
    found = []
    for card in cards:
        for path in card.glob(pattern):
            try:
                found.append(float(path.read_text(encoding="ascii")))
            except (OSError, ValueError):
                continue  # the card has the file and no such sensor
    return found


def _first(values: list[Any]) -> Any:
    return values[0] if values else None


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
