"""The fields of a hardware sidecar: names, aliases in the output of tools, and valid values."""

from __future__ import annotations

import math
from typing import Literal, get_args

# Placeholders of a sidecar's template.
PLACEHOLDERS = (
    "model_path",
    "model_id",
    "quant_tag",
    "runtime_target",
    "execution_mode",
    "out_file",
)

Backend = Literal["any", "cpu", "nvidia", "amd"]
Source = Literal["template", "profile", "sampler", "nvml", "amdsmi", "amd-sysfs"]

RequiredField = Literal[
    "vram_total_mb",
    "vram_used_mb",
    "ttft_ms",
    "prefill_tps",
    "decode_tps",
    "thermal_start_c",
    "thermal_end_c",
    "kernel_launch_ms",
    "model_load_ms",
]
OptionalField = Literal[
    "pcie_throughput_gbps",
    "cuda_graph_warmup_ms",
    "gpu_clock_mhz",
    "power_draw_watts",
    "fan_speed_percent",
]
SidecarField = RequiredField | OptionalField
REQUIRED: tuple[RequiredField, ...] = get_args(RequiredField)
OPTIONAL: tuple[OptionalField, ...] = get_args(OptionalField)
REQUEST_FLOOR = "request_floor_ms"  # never counted as missing
FIELDS = (*REQUIRED, *OPTIONAL, REQUEST_FLOOR)

ALIASES: dict[str, tuple[str, ...]] = {
    "vram_total_mb": ("vram_total", "memory_total_mb"),
    "vram_used_mb": ("vram_used", "memory_used_mb"),
    "ttft_ms": ("ttft",),
    "prefill_tps": ("prompt_tps", "prefill_tokens_per_second"),
    "decode_tps": ("generation_tps", "decode_tokens_per_second"),
    "thermal_start_c": ("temp_start_c", "temperature_start_c"),
    "thermal_end_c": ("temp_end_c", "temperature_end_c"),
    "kernel_launch_ms": ("kernel_ms",),
    "model_load_ms": ("load_ms",),
    "pcie_throughput_gbps": ("pcie_gbps",),
    "cuda_graph_warmup_ms": ("graph_warmup_ms",),
    "gpu_clock_mhz": ("clock_mhz",),
    "power_draw_watts": ("power_watts",),
    "fan_speed_percent": ("fan_percent",),
}

NO_GPU = "NO_GPU"
NO_TEMPERATURE_SENSOR = "NO_TEMPERATURE_SENSOR"
NOT_MEASURED = "NOT_MEASURED"
# Reasons of the built-in measurement that do not count as missing.
EXCUSED = (NO_GPU, NO_TEMPERATURE_SENSOR, NOT_MEASURED)

_TEMPERATURES = ("thermal_start_c", "thermal_end_c")
_POSITIVE = ("ttft_ms", "prefill_tps", "decode_tps")  # a rate or time of 0 is impossible


def usable(field: str, value: object) -> float | None:
    """Return a value as a number that is valid for a field, else None.

    Booleans, text, NaN and infinities are invalid. So are negative numbers (except temperatures)
    and rates of 0, which tools print for unknown values.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    if not math.isfinite(number):
        return None
    if field in _TEMPERATURES:
        return number
    return number if number > 0 or (number == 0 and field not in _POSITIVE) else None
