"""GPU measurements: around one run and over a session, with a reason for each missing one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Count, Measured, Reading, volatile

# `counter`: end less start of the device's own counter. `power`: its power integrated over time,
# where it has no counter. `mixed`: some devices by counter, others by power.
EnergyMethod = Literal["counter", "power", "mixed"]


class GpuWindow(Measured):
    """The GPUs that the server uses, during one run."""

    server_vram_mib: Reading = Field(
        description="peak of the server's processes in this session, all GPUs, by the driver"
    )
    energy_joules: Reading = Field(description="of these GPUs, over the run's exact window")
    energy_method: EnergyMethod | None = Field(description="null without energy")
    idle_joules: Reading = Field(
        description="of that, what they would have used idle with the model loaded"
    )
    temperature_start_c: Reading = Field(description="of the hottest GPU")
    temperature_end_c: Reading
    clock_mhz: Reading = Field(description="mean of the slowest GPU")
    power_watts: Reading = Field(description="mean of the sum")
    utilization: Reading = Field(description="mean of the busiest GPU, share of the time")
    throttled_ratio: Reading = Field(
        description="share of the samples in which heat or hardware slowed a GPU"
    )


class GpuSummary(Measured):
    """One GPU over a session, from its raw samples (`samples-<session>.gpus.jsonl.gz`)."""

    session: int
    uuid: str
    name: str
    index: int = Field(description="number that the driver gives it, in bus order")
    source: str = Field(description="library or files that it was read from")
    part_of: str | None = Field(None, description="UUID of the card of a MIG instance")
    used: bool = Field(description="a process of the server was seen on it")
    samples: int
    memory_total_mib: Reading
    memory_used_peak_mib: Reading = Field(description="by all processes")
    server_vram_peak_mib: Reading = Field(description="by the server's processes")
    utilization_mean: Reading = Field(description="share of the time")
    clock_mhz_mean: Reading
    memory_clock_mhz_max: Reading
    temperature_start_c: Reading
    temperature_end_c: Reading
    temperature_max_c: Reading
    power_watts_mean: Reading
    power_watts_max: Reading
    power_limit_watts: Reading
    idle_watts: Reading = Field(description="of the lowest second in which nothing ran on it")
    energy_joules: Reading = Field(description="first sample to last")
    energy_method: EnergyMethod | None = None
    throttled_ratio: Reading = Field(description="share of the samples, by heat or hardware")
    throttle_reasons: tuple[str, ...] = volatile("all that were seen, power caps included")
    fan_percent_max: Reading
    pcie_generation_max: Count
    pcie_width_max: Count
