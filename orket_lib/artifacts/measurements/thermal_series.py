"""A thermal series: one fixed load, again and again, with a rest before each time.

It is one measurement, with one load of the model and one device lock from first to last: a series
that was put together from several would show what differs between loads, and call it heat.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from orket_lib.artifacts.base import Artifact, Measured, Reading, Record, volatile
from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.measurements.host import HostSummary
from orket_lib.artifacts.measurements.readiness import CooldownRecord
from orket_lib.artifacts.measurements.request import ServableCell
from orket_lib.artifacts.measurements.spec import CooldownSettings, MeasurementSpec
from orket_lib.artifacts.views.run_report import Observation, Probe, Session
from orket_lib.vocabulary.statuses import RunStatus

Column = tuple[float | None, ...]


class ThermalSettings(Record):
    """`policy/thermal.json`: what of the config a series depends on."""

    quant_tag: str | None = Field(None, description="null = the one that the frontier picks")
    repeats: int
    generations: int = Field(description="in each repeat")
    rests: CooldownSettings


class ThermalSpec(MeasurementSpec):
    """What a series depends on; the bank's tasks are not in it."""

    kind: Literal["thermal"] = "thermal"
    repeats: int
    generations: int = Field(description="in each repeat, of a probe's size")
    rests: CooldownSettings = Field(description="before each repeat")

    @classmethod
    def of(cls, cell: ServableCell, settings: ThermalSettings) -> Self:
        """Return the spec of a series over one cell.

        How cool the machine had to be before a load of the sweep plays no part: rests do.
        """
        return cls(
            **cell.spec.model_dump(exclude={"cooldown"}),
            repeats=settings.repeats,
            generations=settings.generations,
            rests=settings.rests,
        )


class ThermalRepeat(Measured):
    """The load, once."""

    index: int
    cooldown: CooldownRecord = Field(description="the rest before it")
    window_s: tuple[float, float] = volatile("seconds since the session began")
    sensor: Literal["cpu", "gpu"] = Field(
        description="whose temperature it is: the hottest GPU that serves the model, else the CPU"
    )
    temperature_start_c: Reading = Field(description="first look of the repeat")
    temperature_end_c: Reading = Field(description="last look of it")
    probes: tuple[Probe, ...] = Field(description="fewer than asked for where the server died")


class ThermalTrace(Record):
    """The samples of the whole series as columns, averaged to a few hundred points."""

    sensor: Literal["cpu", "gpu"]
    t_s: tuple[float, ...] = volatile("since the session began, the middle of a point's samples")
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
        """Yield what was measured, with its name."""
        for name in ("temperature_c", "clock_mhz", "power_w"):
            yield name, getattr(self, name)


class ThermalSeries(Artifact):
    """`series.json`."""

    schema_version: Literal["orket.thermal_series.v1"] = "orket.thermal_series.v1"
    status: RunStatus = Field(description="`not_run`: there was no quant to measure")
    status_reason: str | None = Field(description="what went wrong; null when measured")
    model_id: str
    quant_tag: str = Field(description="`unknown` when nothing was run")
    measured_at: str | None = volatile("UTC; names its attempt; null when nothing was run")
    finished_at: str | None = volatile("UTC")
    boot_id: str | None = volatile("of the machine's boot")
    hardware_fingerprint: str | None = Field(description="null when nothing was run")
    cpus: int | None = Field(description="logical CPUs, what shares are shares of")
    platform: dict[str, str] = Field(description="kernel, driver and runtime versions")
    spec: ThermalSpec | None = Field(description="null when nothing was run")
    spec_digest: str | None
    session: Session | None = Field(description="null when the model did not load")
    host: HostSummary | None
    gpus: tuple[GpuSummary, ...] = Field(description="each that was watched")
    gpus_absent: dict[str, str] = Field(description="why a vendor has none, by vendor")
    repeats: tuple[ThermalRepeat, ...]
    trace: ThermalTrace | None = Field(description="null when nothing was sampled")
    observations: tuple[Observation, ...] = Field(description="of the series as a whole")
