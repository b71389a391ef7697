"""Summary of the host over a session, from its samples."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise

from orket_lib.artifacts.measurements.host import HostSummary
from orket_lib.telemetry import windows
from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary.nulls import Null, any_of
from orket_lib.vocabulary.thresholds import TELEMETRY_GAP_S
from orket_lib.vocabulary.units import MIB

_US = 1e6
_LEAST_USE = 0.02  # of all cores: an idle desktop


def summarize_host(samples: Sequence[Sample], cpus: int) -> HostSummary:
    """Return the summary of a session's samples; all null with fewer than two."""
    if len(samples) < 2:
        return HostSummary.of(
            samples=len(samples), **dict.fromkeys(HostSummary.readings(), windows.NOT_SAMPLED)
        )
    first, last = samples[0], samples[-1]
    seconds = last.at_s - first.at_s
    temperatures = [item.temperature_c for item in samples if item.temperature_c is not None]
    frequencies = [item.frequency_mhz for item in samples if item.frequency_mhz is not None]
    no_sensor, no_clock = Null("NO_TEMPERATURE_SENSOR"), Null("NO_FREQUENCY_COUNTER")
    return HostSummary.of(
        samples=len(samples),
        seconds=seconds,
        longest_gap_s=windows.longest_gap_s(samples),
        foreign_cpu_ratio=windows.foreign_cpu_ratio(samples, cpus),
        foreign_cpu_peak=_worst_second(samples, cpus),
        own_cpu_ratio=(last.own_s - first.own_s) / (cpus * seconds),
        server_cpu_ratio=(last.server_s - first.server_s) / (cpus * seconds),
        steal_ratio=windows.steal_ratio(samples, cpus),
        throttled_ratio=windows.throttled_ratio(samples),
        swapped_mib=windows.swapped_mib(samples),
        peak_own_rss_mib=max(item.own_rss for item in samples) / MIB,
        peak_server_rss_mib=max(item.server_rss for item in samples) / MIB,
        peak_foreign_mib=max(
            max(0, item.used_rss - item.own_rss - item.server_rss) for item in samples
        )
        / MIB,
        psi_cpu_some_ratio=_share(samples, lambda item: item.psi_cpu_some_us, seconds),
        psi_memory_full_ratio=_share(samples, lambda item: item.psi_memory_full_us, seconds),
        frequency_mhz_min=min(frequencies) if frequencies else no_clock,
        frequency_mhz_mean=statistics.fmean(frequencies) if frequencies else no_clock,
        temperature_start_c=temperatures[0] if temperatures else no_sensor,
        temperature_end_c=temperatures[-1] if temperatures else no_sensor,
        temperature_max_c=max(temperatures) if temperatures else no_sensor,
        energy_j=_energy(samples),
    )


def foreign_use(samples: Sequence[Sample], cpus: int) -> str | None:
    """Return how much CPU other programs used, and which one most; None if hardly any."""
    foreign = windows.foreign_cpu_ratio(samples, cpus)
    if isinstance(foreign, Null) or foreign < _LEAST_USE:
        return None
    return f"foreign CPU use {foreign:.0%} of all cores; {windows.culprit(samples)}"


def _worst_second(samples: Sequence[Sample], cpus: int) -> float | Null:
    """Return the largest foreign share in any window of a second."""
    around = [windows.window(samples, item.at_s, item.at_s) for item in samples]
    shares = (windows.foreign_cpu_ratio(part, cpus) for part in around)
    return any_of(shares, max, windows.NOT_SAMPLED)


def _share(
    samples: Sequence[Sample], counter: Callable[[Sample], int | None], seconds: float
) -> float | Null:
    """Return the growth of a microsecond counter as a share of the time."""
    start, end = counter(samples[0]), counter(samples[-1])
    return Null("NO_PSI") if start is None or end is None else (end - start) / _US / seconds


def _energy(samples: Sequence[Sample]) -> float | Null:
    first, last = samples[0], samples[-1]
    if first.energy_uj is None or last.energy_uj is None:
        return Null("NO_ENERGY_COUNTER")
    # Many processors reset it after 262 kJ, and its last value may exceed the first one again.
    counts = [item.energy_uj for item in samples if item.energy_uj is not None]
    if any(after < before for before, after in pairwise(counts)):
        return Null("ENERGY_COUNTER_RESET")
    gap = windows.longest_gap_s(samples)
    if isinstance(gap, Null) or gap > TELEMETRY_GAP_S:
        return Null("TELEMETRY_GAP")
    return (last.energy_uj - first.energy_uj) / _US
