"""The report's section on GPUs: what each did beside the runs, and what energy was spent."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.views.row import RowEnergy
from orket_lib.artifacts.views.summary import ModelSession, SummaryRow
from orket_lib.report.formatting import DASH, figure, ratio, shown

_METHODS = {
    "counter": "the devices' own counters",
    "power": "power added up over time, where there is no counter",
    "mixed": "counters of some devices, added-up power of others",
    None: "none",
}


@dataclass(frozen=True)
class GpuSection:
    """What the report says of one model's GPUs.

    Attributes:
        model_id: The model.
        devices: Cells of one table line per quant and GPU.
        energies: Cells of one table line per quant.
    """

    model_id: str
    devices: tuple[tuple[str, ...], ...]
    energies: tuple[tuple[str, ...], ...]


def gpu_section(session: ModelSession) -> GpuSection | None:
    """Return the section of a model, None when no GPU was watched."""
    watched = [row for row in session.per_quant if row.gpus]
    if not watched:
        return None
    return GpuSection(
        session.model_id,
        tuple(_device(row, gpu) for row in watched for gpu in row.gpus),
        tuple(_energy(row, row.energy) for row in watched if row.energy),
    )


def _device(row: SummaryRow, gpu: GpuSummary) -> tuple[str, ...]:
    return (
        row.quant_tag,
        f"{gpu.index}: {gpu.name}{', part' if gpu.part_of else ''}",
        "yes" if gpu.used else "not seen",
        shown(gpu.reading("server_vram_peak_mib"), figure),
        shown(gpu.reading("memory_used_peak_mib"), figure),
        shown(gpu.reading("temperature_start_c"), figure),
        shown(gpu.reading("temperature_max_c"), figure),
        shown(gpu.reading("clock_mhz_mean"), figure),
        shown(gpu.reading("power_watts_mean"), figure),
        shown(gpu.reading("idle_watts"), figure),
        shown(gpu.reading("power_limit_watts"), figure),
        shown(gpu.reading("fan_percent_max"), figure),
        _link(gpu),
        shown(gpu.reading("throttled_ratio"), ratio),
        ", ".join(gpu.throttle_reasons) or "none",
    )


def _link(gpu: GpuSummary) -> str:
    if gpu.pcie_generation_max is None or gpu.pcie_width_max is None:
        return DASH
    return f"gen {gpu.pcie_generation_max} x{gpu.pcie_width_max}"


def _energy(row: SummaryRow, energy: RowEnergy) -> tuple[str, ...]:
    return (
        row.quant_tag,
        shown(energy.reading("joules_per_output_token"), figure),
        shown(energy.reading("joules_per_output_token_above_idle"), figure),
        shown(energy.reading("joules_per_correct_answer"), figure),
        shown(energy.reading("joules_per_correct_answer_above_idle"), figure),
        _METHODS[energy.method],
    )
