"""The raw record of the GPUs: nothing gets lost in it, least of all why something was missing."""

from __future__ import annotations

from pathlib import Path

from gpu_replay import record_of
from nvml_replay import load_trace

from orket_lib.telemetry.devices.reading import DeviceInfo
from orket_lib.telemetry.gpu.samples import (
    GpuRecord,
    from_lines,
    header,
    read_gpu_samples,
    to_line,
)
from orket_lib.vocabulary.nulls import Null


def lines_of(record: GpuRecord) -> list[str]:
    return [header(record.devices, record.absent), *map(to_line, record.samples)]


def test_a_record_survives_its_lines_with_every_reason() -> None:
    for name in ("mig", "wddm", "vanishing", "two_cards"):
        record = record_of(load_trace(name))
        assert from_lines(lines_of(record)) == record
    vanished = record_of(load_trace("vanishing")).samples[-1]
    assert vanished.gauges[0].throttle == Null("GPU_LOST")
    assert vanished.processes is None or vanished.processes[0] == Null("GPU_LOST")


def test_processes_and_details_are_asked_for_once_a_second() -> None:
    record = record_of(load_trace("two_cards"))
    whole = [item.at_s for item in record.samples if item.processes is not None]
    assert whole == [float(second) for second in range(13)]
    assert [item.at_s for item in record.samples if item.details is not None] == whole


def test_a_torn_last_line_is_dropped_wherever_it_is_torn() -> None:
    lines = lines_of(record_of(load_trace("two_cards")))[:3]
    whole = from_lines(lines)
    assert whole is not None
    for end in range(len(lines[-1])):
        torn = from_lines([*lines[:-1], lines[-1][:end]])
        assert torn is not None
        assert torn.samples == whole.samples[:1]


def test_no_file_is_nobody_who_looked_and_an_empty_record_says_why(tmp_path: Path) -> None:
    path = tmp_path / "gpus.jsonl"
    assert read_gpu_samples(path) is None
    path.write_text("", encoding="utf-8")
    assert read_gpu_samples(path) is None, "it ended before it could say anything"
    path.write_text(header([], {"nvidia": "NO_DRIVER"}) + "\n", encoding="utf-8")
    assert read_gpu_samples(path) == GpuRecord(absent={"nvidia": "NO_DRIVER"})


def test_a_record_of_another_version_is_none() -> None:
    assert from_lines(['{"devices": [{"id": 1}], "absent": {}}']) is None
    info = DeviceInfo("GPU-1", 0, "one", "nvidia", "nvml")
    seen = from_lines([header([info], {}), '{"at_s": 1.0, "gauges": [[1, 2]]}'])
    assert seen is not None
    assert seen.samples == ()
