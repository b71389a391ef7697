"""Summary of each GPU over a session, from its samples."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.measure.quality.gpu_verdicts import WatchedGpus
from orket_lib.telemetry.devices.reading import Details, Gauges, Throttle, Value
from orket_lib.telemetry.gpu import windows as gpu_windows
from orket_lib.telemetry.gpu.energy import energy, idle_watts
from orket_lib.telemetry.gpu.samples import GpuRecord
from orket_lib.telemetry.windows import NOT_SAMPLED
from orket_lib.vocabulary.nulls import any_of

_T = TypeVar("_T", Gauges, Details)

_EVERYTHING: tuple[Throttle, ...] = (
    "sw_thermal",
    "hw_thermal",
    "hw_slowdown",
    "hw_power_brake",
    "sw_power_cap",
)


def summarize_gpus(watched: WatchedGpus, session: int) -> tuple[GpuSummary, ...]:
    """Return the summary of each GPU that was sampled in a session."""
    devices = range(len(watched.record.devices))
    return tuple(_summary(watched.record, device, session) for device in devices)


def _summary(record: GpuRecord, device: int, session: int) -> GpuSummary:
    samples, info = record.samples, record.devices[device]
    gauges = [sample.gauges[device] for sample in samples]
    details = [sample.details[device] for sample in samples if sample.details is not None]
    begin, end = (samples[0].at_s, samples[-1].at_s) if samples else (0.0, 0.0)
    spent = energy(samples, (device,), begin, end)
    alone = _only(record, device)
    held = gpu_windows.server_vram_peaks(alone)
    heat = [item.temperature_c for item in gauges]
    return GpuSummary.of(
        session=session,
        uuid=info.uuid,
        name=info.name,
        index=info.index,
        source=info.source,
        part_of=info.parent_uuid,
        used=gpu_windows.server_was_seen(record) and device in gpu_windows.used_devices(record),
        samples=len(samples),
        memory_total_mib=_of(gauges, lambda item: item.memory_total_mib, max),
        memory_used_peak_mib=_of(gauges, lambda item: item.memory_used_mib, max),
        server_vram_peak_mib=gpu_windows.server_vram_mib(alone, held, end),
        utilization_mean=_of(gauges, lambda item: item.utilization, statistics.fmean),
        clock_mhz_mean=_of(gauges, lambda item: item.clock_mhz, statistics.fmean),
        memory_clock_mhz_max=_of(details, lambda item: item.memory_clock_mhz, max),
        temperature_start_c=heat[0] if heat else NOT_SAMPLED,
        temperature_end_c=heat[-1] if heat else NOT_SAMPLED,
        temperature_max_c=_of(gauges, lambda item: item.temperature_c, max),
        power_watts_mean=_of(gauges, lambda item: item.power_watts, statistics.fmean),
        power_watts_max=_of(gauges, lambda item: item.power_watts, max),
        power_limit_watts=_of(details, lambda item: item.power_limit_watts, max),
        idle_watts=idle_watts(samples, (device,)) if samples else NOT_SAMPLED,
        energy_joules=spent.joules,
        energy_method=spent.method,
        throttled_ratio=gpu_windows.throttling(samples, device)[0],
        throttle_reasons=sorted(gpu_windows.throttling(samples, device, _EVERYTHING)[1]),
        fan_percent_max=_of(details, lambda item: item.fan_percent, max),
        pcie_generation_max=_of(details, lambda item: item.pcie_generation, max),
        pcie_width_max=_of(details, lambda item: item.pcie_width, max),
    )


def _of(
    items: Sequence[_T], pick: Callable[[_T], Value], combine: Callable[[Sequence[float]], float]
) -> Value:
    """Return one reading over a session, from the samples that have it."""
    return any_of(map(pick, items), combine, NOT_SAMPLED)


def _only(record: GpuRecord, device: int) -> GpuRecord:
    """Return the record of one GPU."""
    return GpuRecord(
        (record.devices[device],),
        record.absent,
        tuple(
            replace(
                sample,
                gauges=(sample.gauges[device],),
                details=sample.details and (sample.details[device],),
                processes=sample.processes and (sample.processes[device],),
            )
            for sample in record.samples
        ),
    )
