"""The report's section on GPUs: their state during the runs, and the energy used."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.views.row import RowEnergy
from orket_lib.artifacts.views.summary import ModelSession, SummaryRow
from orket_lib.report.formatting import DASH, figures, ratio, shown

_METHODS = {
    "counter": "energy counters of the devices",
    "power": "power integrated over time (no counter)",
    "mixed": "counters of some devices, integrated power of others",
    None: "none",
}


@dataclass(frozen=True)
class GpuSection:
    """The GPUs of one model.

    Attributes:
        model_id: The model.
        devices: Cells of one table line per quant and GPU.
        energies: Cells of one table line per quant.
    """

    model_id: str
    devices: tuple[tuple[str, ...], ...]
    energies: tuple[tuple[str, ...], ...]


def gpu_section(session: ModelSession) -> GpuSection | None:
    """Return the section of a model; None if no GPU was monitored."""
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
        *figures(gpu, "server_vram_peak_mib", "memory_used_peak_mib"),
        *figures(gpu, "temperature_start_c", "temperature_max_c", "clock_mhz_mean"),
        *figures(gpu, "power_watts_mean", "idle_watts", "power_limit_watts", "fan_percent_max"),
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
        *figures(energy, "joules_per_output_token", "joules_per_output_token_above_idle"),
        *figures(energy, "joules_per_correct_answer", "joules_per_correct_answer_above_idle"),
        _METHODS[energy.method],
    )
