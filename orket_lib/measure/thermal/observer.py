"""The samples of the machine during a series, by which repeats are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.measurements.host import HostSummary
from orket_lib.artifacts.measurements.readiness import CooldownRecord
from orket_lib.artifacts.measurements.thermal_series import ThermalRepeat, ThermalTrace
from orket_lib.artifacts.views.run_report import Probe
from orket_lib.measure.quality.gpu_summary import summarize_gpus
from orket_lib.measure.quality.gpu_verdicts import UNUSED, WatchedGpus, watched
from orket_lib.measure.quality.host_summary import summarize_host
from orket_lib.measure.quality.host_verdicts import judge_probe
from orket_lib.measure.session.sample_files import gpu_samples_of
from orket_lib.measure.thermal.trace import Look, heat_around, looks_at, trace_of
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.telemetry.sampler import read_samples
from orket_lib.telemetry.samples import Sample


@dataclass(frozen=True)
class ThermalWatch:
    """The samples of a series.

    Attributes:
        samples: Of the host.
        gpus: The sampled GPUs; None if there are none.
        elsewhere: Whether the model is on another machine.
        cpus: Number of logical CPUs that we may use.
    """

    samples: Sequence[Sample]
    gpus: WatchedGpus | None
    elsewhere: bool
    cpus: int

    @classmethod
    def of(cls, samples: Path, elsewhere: bool, main_memory: bool = False) -> ThermalWatch:
        """Read the files of samples.

        Args:
            samples: Path of the host's samples.
            elsewhere: Whether the model is on another machine.
            main_memory: Whether the server claims to use no GPU.
        """
        gpus = watched(gpu_samples_of(samples), main_memory)
        return cls(read_samples(samples), gpus, elsewhere, cpu_allowance().cpus)

    @cached_property
    def on_gpu(self) -> bool:
        """Whether temperature, clock and power are those of GPUs, which the model must use."""
        if self.elsewhere or self.gpus is None or not self.gpus.record.devices:
            return False
        return self.gpus.counted not in UNUSED

    @cached_property
    def looks(self) -> tuple[Look, ...]:
        """Temperature, clock and power over time."""
        return looks_at(self.samples, self.gpus if self.on_gpu else None, self.elsewhere)

    @property
    def host(self) -> HostSummary:
        """Summary of the host."""
        return summarize_host(self.samples, self.cpus)

    @property
    def gpu_summaries(self) -> tuple[GpuSummary, ...]:
        """Summary of each GPU."""
        return summarize_gpus(self.gpus, 0) if self.gpus else ()

    @property
    def gpus_absent(self) -> dict[str, str]:
        """Why there are no GPUs, by vendor."""
        return dict(self.gpus.record.absent) if self.gpus else {}

    def repeat(self, index: int, rest: CooldownRecord, probes: Sequence[Probe]) -> ThermalRepeat:
        """Return a repeat with the readings of the machine around it.

        Args:
            index: Index of the repeat.
            rest: The cooldown before it.
            probes: At least one.
        """
        window_s = (probes[0].window_s[0], probes[-1].window_s[1])
        start_c, end_c = heat_around(self.looks, window_s)
        return ThermalRepeat.of(
            index=index,
            cooldown=rest,
            window_s=window_s,
            sensor="gpu" if self.on_gpu else "cpu",
            temperature_start_c=start_c,
            temperature_end_c=end_c,
            probes=[judge_probe(item, self.samples, self.cpus, self.gpus) for item in probes],
        )

    def trace(self, windows_s: Sequence[tuple[float, float]]) -> ThermalTrace | None:
        """Return the trace with the repeats marked; None without samples."""
        return trace_of(self.looks, windows_s, self.on_gpu)
