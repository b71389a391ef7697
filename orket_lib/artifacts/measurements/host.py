"""Host measurements: around one run and over a session; see `gpu` for the GPUs."""

from __future__ import annotations

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading


class HostWindow(Measured):
    """The host during one run: whole sampling intervals, at least one second."""

    foreign_cpu_ratio: Reading = Field(
        description="busy time of other programs, share of all cores"
    )
    foreign_load: Reading = Field(
        description="1-minute load average less the cores that the sweep kept busy"
    )
    steal_ratio: Reading = Field(
        description="time given to other virtual machines, share of all cores"
    )
    throttled_ratio: Reading = Field(
        None, description="periods in which a CPU quota stopped the sweep, share of all periods"
    )
    swapped_mib: Reading = Field(description="swapped in and out by the whole machine")
    longest_gap_s: Reading = Field(description="longest time between two samples")


class HostSummary(Measured):
    """The host over a whole session, from its raw samples (`samples.csv.gz`)."""

    samples: int
    seconds: Reading = Field(description="from the first sample to the last")
    longest_gap_s: Reading
    foreign_cpu_ratio: Reading = Field(description="mean, share of all cores")
    foreign_cpu_peak: Reading = Field(description="the worst second")
    own_cpu_ratio: Reading = Field(description="the harness without the server, share of all cores")
    server_cpu_ratio: Reading = Field(description="the server's tree, share of all cores")
    steal_ratio: Reading
    throttled_ratio: Reading = Field(None, description="share of the periods of a CPU quota")
    swapped_mib: Reading
    peak_own_rss_mib: Reading = Field(description="of the harness without the server")
    peak_server_rss_mib: Reading = Field(description="of the server's tree, sampled")
    peak_foreign_mib: Reading = Field(description="memory in use by other programs")
    psi_cpu_some_ratio: Reading = Field(description="time in which a task waited for a CPU")
    psi_memory_full_ratio: Reading = Field(description="time in which all tasks waited for memory")
    frequency_mhz_min: Reading
    frequency_mhz_mean: Reading
    temperature_start_c: Reading
    temperature_end_c: Reading
    temperature_max_c: Reading
    energy_j: Reading = Field(description="CPU packages, first sample to last")
