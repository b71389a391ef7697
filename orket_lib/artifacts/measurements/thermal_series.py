"""A thermal series: one fixed load, repeated, with a rest before each repeat.

It is one measurement with one load of the model and one device lock. A series made of several loads
would mistake the differences between loads for heat.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from orket_lib.artifacts.base import Artifact, Measured, Reading, Record, Time, volatile
from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.measurements.host import HostSummary
from orket_lib.artifacts.measurements.readiness import CooldownRecord
from orket_lib.artifacts.measurements.request import ServableCell
from orket_lib.artifacts.measurements.spec import CooldownSettings, MeasurementSpec
from orket_lib.artifacts.views.run_report import Observation, Probe, Session
from orket_lib.vocabulary.statuses import RunStatus

Column = tuple[float | None, ...]


class ThermalSettings(Record):
    """`policy/thermal.json`: the settings that a series depends on."""

    quant_tag: str | None = Field(None, description="null = the recommended quant")
    repeats: int
    generations: int = Field(description="in each repeat")
    rests: CooldownSettings


class ThermalSpec(MeasurementSpec):
    """What a series depends on; the tasks of the bank are not part of it."""

    kind: Literal["thermal"] = "thermal"
    repeats: int
    generations: int = Field(description="in each repeat, each with the size of a probe")
    rests: CooldownSettings = Field(description="before each repeat")

    @classmethod
    def of(cls, cell: ServableCell, settings: ThermalSettings) -> Self:
        """Return the spec of a series over one cell.

        The sweep's cooldown before a load does not apply; the rests of the series do.
        """
        return cls(
            **cell.spec.model_dump(exclude={"cooldown"}),
            repeats=settings.repeats,
            generations=settings.generations,
            rests=settings.rests,
        )


class ThermalRepeat(Measured):
    """One repeat of the load."""

    index: int
    cooldown: CooldownRecord = Field(description="the rest before it")
    window_s: tuple[float, float] = volatile("seconds since the session began")
    sensor: Literal["cpu", "gpu"] = Field(
        description="source of the temperature: the hottest GPU that serves the model, else the CPU"
    )
    temperature_start_c: Reading = Field(description="first sample of the repeat")
    temperature_end_c: Reading = Field(description="last sample of the repeat")
    probes: tuple[Probe, ...] = Field(description="fewer than requested where the server died")


class ThermalTrace(Record):
    """The samples of the whole series, as columns, averaged to a few hundred points."""

    sensor: Literal["cpu", "gpu"]
    t_s: tuple[float, ...] = volatile(
        "seconds since the session began, middle of the point's samples"
    )
    repeat: tuple[int | None, ...] = volatile("null while the machine rested")
    temperature_c: Column = volatile("the hottest sensor, or GPU")
    clock_mhz: Column = volatile("mean over the cores, or of the slowest GPU")
    power_w: Column = volatile("of the CPU packages, or the sum of the GPUs")
    missing: dict[str, str] = Field(
        default_factory=dict, description="why a column has nulls, by its name"
    )

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        for name, column in self.columns():
            if len(column) != len(self.t_s):
                raise ValueError(f"{name}: {len(column)} values at {len(self.t_s)} times")
            if (None in column) != (name in self.missing):
                raise ValueError(f"{name}: nulls without a reason, or a reason without a null")
        return self

    def columns(self) -> Iterator[tuple[str, Column]]:
        """Yield each column with its name."""
        for name in ("temperature_c", "clock_mhz", "power_w"):
            yield name, getattr(self, name)


class ThermalSeries(Artifact):
    """`series.json`."""

    schema_version: Literal["orket.thermal_series.v1"] = "orket.thermal_series.v1"
    status: RunStatus = Field(description="`not_run`: no quant was chosen")
    status_reason: str | None = Field(description="what went wrong; null when measured")
    model_id: str
    quant_tag: str = Field(description="`unknown` when nothing was run")
    measured_at: Time | None = volatile("UTC; names its folder; null when nothing was run")
    finished_at: Time | None = volatile("UTC")
    boot_id: str | None = volatile("of the machine's boot")
    hardware_fingerprint: str | None = Field(description="null when nothing was run")
    cpus: int | None = Field(description="logical CPUs, which shares refer to")
    platform: dict[str, str] = Field(description="kernel, driver and runtime versions")
    spec: ThermalSpec | None = Field(description="null when nothing was run")
    spec_digest: str | None
    session: Session | None = Field(description="null when the model did not load")
    host: HostSummary | None
    gpus: tuple[GpuSummary, ...] = Field(description="each GPU that was sampled")
    gpus_absent: dict[str, str] = Field(description="why there is no GPU of a vendor, by vendor")
    repeats: tuple[ThermalRepeat, ...]
    trace: ThermalTrace | None = Field(description="null when nothing was sampled")
    observations: tuple[Observation, ...] = Field(description="of the series as a whole")
