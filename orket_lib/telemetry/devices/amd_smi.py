"""AMD's GPUs through AMD's own library, `amdsmi`, which is part of ROCm and not among our packages.

It returns "N/A" for an unknown value and raises if a card doesn't support a call; here, both are
nulls with a reason. Throttling is read from the card's `gpu_metrics`: the library's own call for it
blocks for a tenth of a second.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from orket_lib.telemetry.devices.reading import (
    NOT_SUPPORTED,
    Details,
    DeviceInfo,
    DeviceProcess,
    Gauges,
    Throttle,
    Value,
    difference,
    scaled,
)
from orket_lib.vocabulary.nulls import Null, any_of, first_null
from orket_lib.vocabulary.units import MIB

_SMI_NOT_SUPPORTED = 2  # AMDSMI_STATUS_NOT_SUPPORTED

# `gpu_metrics` is a packed structure that begins with its size, format and content version
# (kgd_pp_interface.h). Only versions with `indep_throttle_status`, whose bits are the same on all
# cards (amdgpu_smu.h), are read: older ones number their bits differently on each card.
_HEADER = struct.Struct("<HBB")
_STATUS = struct.Struct("<Q")
_STATUS_OFFSETS = {(1, 3): 112, (2, 2): 120, (2, 3): 120, (2, 4): 120}
_UNSET = 2**64 - 1  # the kernel sets all bits of a field that a card doesn't have
# Bits of indep_throttle_status: 0-15 power, 16-31 current, 32-47 heat and voltage regulators; 46
# and 47 (PROCHOT) are a signal from outside the chip.
_THROTTLE_BITS: tuple[tuple[range, Throttle], ...] = (
    (range(32), "sw_power_cap"),
    (range(32, 46), "sw_thermal"),
    (range(46, 48), "hw_thermal"),
)


class AmdSmiDevice:
    """One GPU of AMD's library, which must be open while it is used.

    Args:
        smi: The module.
        handle: The library's handle.
        info: Which GPU it is.
    """

    def __init__(self, smi: Any, handle: Any, info: DeviceInfo) -> None:
        self.info = info
        self._smi = smi
        self._handle = handle

    def gauges(self) -> Gauges:
        """Return the fast readings; see `Device.gauges`."""
        smi = self._smi
        memory = self._ask(smi.amdsmi_get_gpu_vram_usage)  # in MiB
        total, used = _entry(memory, "vram_total"), _entry(memory, "vram_used")
        clock = self._ask(smi.amdsmi_get_clock_info, smi.AmdSmiClkType.GFX)
        energy = self._ask(smi.amdsmi_get_energy_count)
        return Gauges(
            memory_total_mib=total,
            memory_used_mib=used,
            memory_free_mib=difference(total, used),
            utilization=scaled(
                _entry(self._ask(smi.amdsmi_get_gpu_activity), "gfx_activity"), 1 / 100
            ),
            clock_mhz=_entry(clock, "clk", "cur_clk"),
            temperature_c=self._temperature(),
            power_watts=self._power(),
            energy_j=scaled(
                _entry(energy, "energy_accumulator", "power"),  # older versions call it `power`
                scaled(_entry(energy, "counter_resolution"), 1e-6),  # in microjoules
            ),
            throttle=self._throttle(),
        )

    def details(self) -> Details:
        """Return the slow readings; see `Device.details`."""
        smi = self._smi
        speed = self._ask(smi.amdsmi_get_gpu_fan_speed, 0)
        most = self._ask(smi.amdsmi_get_gpu_fan_speed_max, 0)
        fan = first_null((speed, most)) or (100 * speed / most if most else NOT_SUPPORTED)
        link = self._ask(smi.amdsmi_get_pcie_info)
        lanes = link if isinstance(link, Null) else link.get("pcie_metric", {})
        fixed = link if isinstance(link, Null) else link.get("pcie_static", {})
        return Details(
            memory_clock_mhz=_entry(
                self._ask(smi.amdsmi_get_clock_info, smi.AmdSmiClkType.MEM), "clk", "cur_clk"
            ),
            fan_percent=fan,
            power_limit_watts=_watts(self._ask(smi.amdsmi_get_power_info), "power_limit"),
            pcie_generation=_entry(fixed, "pcie_interface_version"),
            pcie_width=_entry(lanes, "pcie_width"),
        )

    def processes(self, ours: Collection[int] = ()) -> tuple[DeviceProcess, ...] | Null:
        """Return the processes on it; see `Device.processes`."""
        listed = self._ask(self._smi.amdsmi_get_gpu_process_list)
        if isinstance(listed, Null):
            return listed
        return tuple(
            DeviceProcess(
                int(item["pid"]),
                scaled(_entry(item["memory_usage"], "vram_mem"), 1 / MIB),
                NOT_SUPPORTED,
            )
            for item in listed
        )

    def _temperature(self) -> Value:
        """Return the hotspot temperature, or the edge temperature if there is no hotspot sensor."""
        smi = self._smi
        now = smi.AmdSmiTemperatureMetric.CURRENT
        kinds = smi.AmdSmiTemperatureType
        hot = _number(self._ask(smi.amdsmi_get_temp_metric, kinds.HOTSPOT, now))
        if isinstance(hot, Null):
            return _number(self._ask(smi.amdsmi_get_temp_metric, kinds.EDGE, now))
        return hot

    def _power(self) -> Value:
        found = self._ask(self._smi.amdsmi_get_power_info)
        return _entry(found, "socket_power", "current_socket_power", "average_socket_power")

    def _throttle(self) -> frozenset[Throttle] | Null:
        table = self._ask(self._smi.amdsmi_get_gpu_metrics_info)
        bits = _entry(table, "indep_throttle_status")
        return bits if isinstance(bits, Null) else _throttle_reasons(int(bits))

    def _ask(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Return the answer of a call about this GPU, or `Null` with the reason."""
        return _asked(self._smi, call, self._handle, *arguments)


def find_amd_smi(smi: Any) -> tuple[AmdSmiDevice, ...] | Null:
    """Return the GPUs of AMD's library, or why there are none; it must be open."""
    handles = _asked(smi, smi.amdsmi_get_processor_handles)
    if isinstance(handles, Null):
        return handles
    found = tuple(
        AmdSmiDevice(smi, handle, _info(smi, handle, index)) for index, handle in enumerate(handles)
    )
    return found or Null("NO_DEVICE")


def _info(smi: Any, handle: Any, index: int) -> DeviceInfo:
    uuid = _asked(smi, smi.amdsmi_get_gpu_device_uuid, handle)
    facts = _asked(smi, smi.amdsmi_get_gpu_asic_info, handle)
    name = None if isinstance(facts, Null) else facts.get("market_name")
    return DeviceInfo(
        uuid=f"amd-{index}" if isinstance(uuid, Null) else str(uuid),
        index=index,
        name=str(name) if name and name != "N/A" else "AMD GPU",
        vendor="amd",
        source="amdsmi",
    )


def _asked(smi: Any, call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except smi.AmdSmiLibraryException as error:
        code = error.get_error_code()
        return NOT_SUPPORTED if code == _SMI_NOT_SUPPORTED else Null(f"AMDSMI_ERROR_{code}")
    except smi.AmdSmiException:
        return NOT_SUPPORTED


def _entry(found: Any, *names: str) -> Value:
    """Return the first entry that is a number."""
    if isinstance(found, Null):
        return found
    return any_of((_number(found.get(name)) for name in names), lambda it: it[0], NOT_SUPPORTED)


def _number(value: Any) -> Value:
    if isinstance(value, Null):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else NOT_SUPPORTED


def _watts(found: Any, name: str) -> Value:
    """Return a power that older library versions report in watts and newer ones in microwatts."""
    value = _entry(found, name)
    return value * 1e-6 if not isinstance(value, Null) and value > 1e5 else value


def throttle_of(path: Path) -> frozenset[Throttle] | Null:
    """Return the throttle reasons in a `gpu_metrics` file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Null("NO_SENSOR")
    except OSError:
        return NOT_SUPPORTED
    if len(data) < _HEADER.size:
        return NOT_SUPPORTED
    _, form, content = _HEADER.unpack_from(data)
    offset = _STATUS_OFFSETS.get((form, content))
    if offset is None or len(data) < offset + _STATUS.size:
        return Null(f"GPU_METRICS_V{form}_{content}_NOT_READ")
    return _throttle_reasons(*_STATUS.unpack_from(data, offset))


def _throttle_reasons(bits: int) -> frozenset[Throttle] | Null:
    if bits == _UNSET:
        return NOT_SUPPORTED
    return frozenset(
        word for places, word in _THROTTLE_BITS if any(bits >> place & 1 for place in places)
    )
