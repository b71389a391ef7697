from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from orket_lib.telemetry.sampler import read_samples
from orket_lib.telemetry.samples import COLUMNS, Sample, from_lines, to_cells

WHOLE = Sample(
    at_s=1.25,
    busy_s=1234.56,
    own_s=3.5,
    server_s=2.25,
    own_rss=10,
    server_rss=20,
    used_rss=30,
    steal_s=0.0,
    load_1min=0.75,
    swapped=4096,
    psi_cpu_some_us=7,
    psi_memory_full_us=0,
    frequency_mhz=2400.5,
    temperature_c=41.0,
    energy_uj=2**40,
    quota_periods=120,
    throttled_periods=60,
    throttled_s=3.25,
    top_pid=9,
    top_name="miner",
    top_s=0.25,
)
BLIND = Sample(1.0, 2.0, 0.0, 0.0, 1, 1, 1)


def write(path: Path, samples: Sequence[Sample]) -> Path:
    """Write a file of samples as the sampler does."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(map(to_cells, samples))
    return path


def test_samples_survive_their_file(tmp_path: Path) -> None:
    assert read_samples(write(tmp_path / "s.csv", [WHOLE, BLIND])) == [WHOLE, BLIND]


def test_a_counter_that_is_missing_stays_missing_and_a_zero_stays_zero(tmp_path: Path) -> None:
    (blind, whole) = read_samples(write(tmp_path / "s.csv", [BLIND, WHOLE]))
    optional = [item.name for item in dataclasses.fields(Sample) if item.default is None]
    assert [getattr(blind, name) for name in optional] == [None] * len(optional)
    assert (whole.steal_s, whole.psi_memory_full_us) == (0.0, 0)


def test_a_file_of_an_older_version_lacks_the_newer_counters(tmp_path: Path) -> None:
    newer: dict[str, Any] = dict.fromkeys(("quota_periods", "throttled_periods", "throttled_s"))
    path = write(tmp_path / "s.csv", [WHOLE])
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    kept = [place for place, name in enumerate(COLUMNS) if name not in newer]
    lines = [",".join(row[place] for place in kept) for row in rows]
    assert from_lines(lines) == [dataclasses.replace(WHOLE, **newer)]


@pytest.mark.parametrize(
    "name",
    ["a,b", 'say "x"', "tmux: server", "=1+1", "gr\u00fcn", "a\nb", "a\rb", "a\u2028b", "a\x85b"],
)
def test_a_wicked_process_name_costs_no_sample(tmp_path: Path, name: str) -> None:
    named = dataclasses.replace(WHOLE, top_name=name)
    found = read_samples(write(tmp_path / "s.csv", [BLIND, named, WHOLE]))
    assert [item.at_s for item in found] == [1.0, 1.25, 1.25]
    assert found[1].top_pid == 9
    assert found[1].top_s == 0.25
    assert found[1].top_name
    assert found[2] == WHOLE


def test_a_torn_last_line_is_dropped_wherever_it_is_torn(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", [WHOLE, dataclasses.replace(WHOLE, at_s=1.5)])
    content = path.read_bytes()
    start = content.rstrip(b"\n").rindex(b"\n") + 1
    last_comma = content.rindex(b",")
    for end in range(start, last_comma):
        path.write_bytes(content[:end])
        assert read_samples(path) == [WHOLE], content[start:end]


def test_a_file_without_samples_has_none(tmp_path: Path) -> None:
    assert read_samples(tmp_path / "missing.csv") == []
    assert read_samples(write(tmp_path / "empty.csv", [])) == []
    assert from_lines([]) == []


def test_a_file_of_other_columns_has_no_samples() -> None:
    assert from_lines(["at_s,busy_s", "1.0,2.0"]) == []
