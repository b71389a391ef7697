"""AMD's GPUs through AMD's own library, `amdsmi`, which comes with ROCm and not with us.

It writes "N/A" where it knows nothing and raises where a card doesn't support a call; either is a
null with a reason here. What throttles a card is taken from its metrics table: the library's own
call for that watches the card for a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from orket_lib.telemetry.devices.amd_metrics import throttle_words
from orket_lib.telemetry.devices.reading import (
    Details,
    DeviceInfo,
    DeviceProcess,
    Gauges,
    Throttle,
    Value,
    rest_of,
)
from orket_lib.vocabulary.nulls import Null

_MIB = 1024**2
_UNTOLD = Null("NOT_SUPPORTED")


class AmdSmiDevice:
    """One GPU of AMD's library, which is open while this is used.

    Args:
        smi: The module.
        handle: Of the library.
        info: Which one it is.
    """

    def __init__(self, smi: Any, handle: Any, info: DeviceInfo) -> None:
        self.info = info
        self._smi = smi
        self._handle = handle

    def gauges(self) -> Gauges:
        """Return what moves; see `Device.gauges`."""
        smi = self._smi
        memory = self._ask(smi.amdsmi_get_gpu_vram_usage)  # in MiB
        total, used = _entry(memory, "vram_total"), _entry(memory, "vram_used")
        clock = self._ask(smi.amdsmi_get_clock_info, smi.AmdSmiClkType.GFX)
        energy = self._ask(smi.amdsmi_get_energy_count)
        return Gauges(
            memory_total_mib=total,
            memory_used_mib=used,
            memory_free_mib=rest_of(total, used),
            utilization=_scaled(
                _entry(self._ask(smi.amdsmi_get_gpu_activity), "gfx_activity"), 1 / 100
            ),
            clock_mhz=_entry(clock, "clk", "cur_clk"),
            temperature_c=self._temperature(),
            power_watts=self._power(),
            energy_j=_scaled(
                _entry(energy, "energy_accumulator", "power"),  # older versions call it a power
                _scaled(_entry(energy, "counter_resolution"), 1e-6),  # of microjoules
            ),
            throttle=self._throttle(),
        )

    def details(self) -> Details:
        """Return what is slow; see `Device.details`."""
        smi = self._smi
        speed = self._ask(smi.amdsmi_get_gpu_fan_speed, 0)
        most = self._ask(smi.amdsmi_get_gpu_fan_speed_max, 0)
        fan = speed if isinstance(speed, Null) else most
        if not isinstance(speed, Null) and not isinstance(most, Null):
            fan = 100 * speed / most if most else _UNTOLD
        link = self._ask(smi.amdsmi_get_pcie_info)
        lanes = Null(link.reason) if isinstance(link, Null) else link.get("pcie_metric", {})
        fixed = Null(link.reason) if isinstance(link, Null) else link.get("pcie_static", {})
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
        """Return who is on it; see `Device.processes`."""
        listed = self._ask(self._smi.amdsmi_get_gpu_process_list)
        if isinstance(listed, Null):
            return listed
        return tuple(
            DeviceProcess(
                int(item["pid"]),
                _scaled(_entry(item["memory_usage"], "vram_mem"), 1 / _MIB),
                _UNTOLD,
            )
            for item in listed
        )

    def _temperature(self) -> Value:
        """Return the hottest spot's temperature, or the edge's of a card that has only that."""
        smi = self._smi
        now = smi.AmdSmiTemperatureMetric.CURRENT
        kinds = smi.AmdSmiTemperatureType
        hot = _number(self._ask(smi.amdsmi_get_temp_metric, kinds.HOTSPOT, now))
        if not isinstance(hot, Null):
            return hot
        return _number(self._ask(smi.amdsmi_get_temp_metric, kinds.EDGE, now))

    def _power(self) -> Value:
        found = self._ask(self._smi.amdsmi_get_power_info)
        return _entry(found, "socket_power", "current_socket_power", "average_socket_power")

    def _throttle(self) -> frozenset[Throttle] | Null:
        table = self._ask(self._smi.amdsmi_get_gpu_metrics_info)
        bits = _entry(table, "indep_throttle_status")
        return bits if isinstance(bits, Null) else throttle_words(int(bits))

    def _ask(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a call says, or why it says nothing."""
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
        return _UNTOLD if code == _NOT_SUPPORTED else Null(f"AMDSMI_ERROR_{code}")
    except smi.AmdSmiException:
        return _UNTOLD


_NOT_SUPPORTED = 2  # AMDSMI_STATUS_NOT_SUPPORTED


def _entry(found: Any, *names: str) -> Value:
    """Return the first of some entries that is a number."""
    if isinstance(found, Null):
        return found
    values = [_number(found.get(name)) for name in names]
    return next((value for value in values if not isinstance(value, Null)), _UNTOLD)


def _number(value: Any) -> Value:
    if isinstance(value, Null):
        return value
    told = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if told else _UNTOLD


def _watts(found: Any, name: str) -> Value:
    """Return a power that older versions give in watts and newer ones in microwatts."""
    value = _entry(found, name)
    return value * 1e-6 if not isinstance(value, Null) and value > 1e5 else value


def _scaled(value: Value, factor: Value) -> Value:
    if isinstance(value, Null):
        return value
    return factor if isinstance(factor, Null) else value * factor
