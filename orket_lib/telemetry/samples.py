"""Samples of the host, and the CSV file that records them.

One line per sample, with cumulative counters as read, so that every figure can be recomputed from
the file. An empty cell is a counter that this machine doesn't have.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from orket_lib.vocabulary.text import spreadsheet_text


@dataclass(frozen=True)
class Sample:
    """The counters of the host at one moment.

    Attributes:
        at_s: Seconds since the session began.
        busy_s: CPU time since boot, all processes and cores.
        own_s: Of that, our own process tree (Snakemake, harness, sampler), without the server.
        server_s: Of that, the server's process tree.
        own_rss: Resident memory of our tree, bytes.
        server_rss: Of the server's tree, bytes.
        used_rss: Of everything, bytes.
        quota_periods: Periods in which a CPU quota was enforced on us, since the first sample.
        throttled_periods: Those in which the quota was used up.
        throttled_s: For how long we were stopped, summed over CPUs.
        top_pid, top_name, top_s: The foreign process that used the most CPU time since the last
            sample, and how much.
    """

    at_s: float
    busy_s: float
    own_s: float
    server_s: float
    own_rss: int
    server_rss: int
    used_rss: int
    steal_s: float | None = None
    load_1min: float | None = None
    swapped: int | None = None
    psi_cpu_some_us: int | None = None
    psi_memory_full_us: int | None = None
    frequency_mhz: float | None = None
    temperature_c: float | None = None
    energy_uj: int | None = None
    quota_periods: int | None = None
    throttled_periods: int | None = None
    throttled_s: float | None = None
    top_pid: int | None = None
    top_name: str | None = None
    top_s: float | None = None


COLUMNS = tuple(field.name for field in dataclasses.fields(Sample))
_WHOLE = {
    "own_rss",
    "server_rss",
    "used_rss",
    "swapped",
    "psi_cpu_some_us",
    "psi_memory_full_us",
    "energy_uj",
    "quota_periods",
    "throttled_periods",
    "top_pid",
}


def to_cells(sample: Sample) -> list[str]:
    """Return a sample as the cells of one CSV line."""
    values = dataclasses.astuple(sample)
    return ["" if value is None else _text(value) for value in values]


def from_lines(lines: Iterable[str]) -> list[Sample]:
    """Return the samples of a CSV file; a torn last line is dropped.

    Files of older versions lack columns of counters that are newer.
    """
    samples = []
    rows = csv.DictReader(lines)
    columns = [name for name in COLUMNS if name in (rows.fieldnames or ())]
    for row in rows:
        try:
            samples.append(Sample(**{name: _value(name, row[name]) for name in columns}))
        except (KeyError, TypeError, ValueError):
            break
    return samples


def _text(value: object) -> str:
    if isinstance(value, str):  # the name of a process, which may contain anything
        return spreadsheet_text(value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _value(name: str, cell: str | None) -> Any:
    if cell is None:
        raise ValueError(f"{name}: the line is torn")
    if name == "top_name":
        return cell or None
    if not cell:
        return None
    return int(cell) if name in _WHOLE else float(cell)
