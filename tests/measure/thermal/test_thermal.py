"""A thermal series from load to file: rests, repeats, failures, and what an interruption leaves."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, PROVENANCE
from fake_provider import FakeProvider, failing, quiet, ready_at_once
from gpu_replay import record_of
from nvml_replay import load_trace
from silent import Silent
from thermal_builders import RESTS, thermal_spec

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.measurements.thermal_series import ThermalSeries, ThermalSpec
from orket_lib.measure.session import cooldown, gpu_watch, session
from orket_lib.measure.session.readiness import Ready
from orket_lib.measure.thermal import series as thermal
from orket_lib.measure.thermal.series import ThermalMeasurement
from orket_lib.providers.base import GenerationRequest, Model, Source
from orket_lib.stores.attempts import AttemptStore, read_taken
from orket_lib.telemetry.gpu import windows as gpu_windows
from orket_lib.telemetry.gpu.samples import header, to_line
from orket_lib.telemetry.sampler import GpuWatch
from orket_lib.vocabulary.errors import LoadError, RequestTimedOut, ServerCrashed
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import RunStatus

SHORT = {"repeats": 3, "generations": 2}
REST_S, ASK_S = 5.0, 2.0


class Machine:
    """A machine whose clock moves while it works and while a test waits for it to cool.

    Each generation takes its time and warms it by a degree; each second of rest cools it by two.
    """

    def __init__(self, heat_c: float | None = 55.0) -> None:
        self.now_s = 0.0
        self.heat_c = heat_c

    def ask(self, _: GenerationRequest) -> None:
        self.now_s += ASK_S
        if self.heat_c is not None:
            self.heat_c += 1

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self.heat_c is not None:
            self.heat_c -= 2 * seconds

    def monotonic(self) -> float:
        return self.now_s

    def temperature(self) -> float | None:
        return self.heat_c


@pytest.fixture
def machine(provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return the machine that serves, with samples of 100 s of it."""
    found = Machine()
    monkeypatch.setattr(cooldown, "time", found)
    monkeypatch.setattr(cooldown, "cpu_temperature_c", found.temperature)
    monkeypatch.setattr(thermal, "machine_of", lambda *_: MACHINE)
    monkeypatch.setattr(session.OpenSession, "now_s", lambda _: found.now_s)
    provider.fault = found.ask
    provider.samples = [
        replace(quiet(float(second)), temperature_c=50 + second / 10, frequency_mhz=2000.0)
        for second in range(100)
    ]
    return found


def measure(folder: Path, source: Source | None = None, **changes: Any) -> ThermalSeries:
    spec = thermal_spec(**(SHORT | changes))
    served_from = source or Source(Path("nano.gguf"))
    store = AttemptStore(folder, "series")
    taken = ThermalMeasurement(spec, served_from, store, Silent(), PROVENANCE).run()
    return read_taken(taken, ThermalSeries)


def test_each_repeat_rests_before_it_works(tmp_path: Path, machine: Machine) -> None:
    series = measure(tmp_path / "series")
    assert series.status is RunStatus.MEASURED, series.status_reason
    assert [repeat.index for repeat in series.repeats] == [0, 1, 2]
    assert [len(repeat.probes) for repeat in series.repeats] == [2, 2, 2]
    assert [probe.index for repeat in series.repeats for probe in repeat.probes] == list(range(6))
    for repeat in series.repeats:
        assert repeat.cooldown.reached
        start_c, end_c = repeat.cooldown.start_c, repeat.cooldown.end_c
        assert start_c is not None
        assert end_c is not None
        assert start_c > 50 >= end_c
        assert repeat.window_s[1] - repeat.window_s[0] == 2 * ASK_S
    first, second, _ = series.repeats
    assert second.window_s[0] - first.window_s[1] == second.cooldown.waited_s == 1.0
    assert first.temperature_start_c == 50 + int(first.window_s[0]) / 10
    assert first.temperature_end_c == 50 + int(first.window_s[1]) / 10


def test_the_trace_marks_work_and_rest(tmp_path: Path, machine: Machine) -> None:
    trace = measure(tmp_path / "series").trace
    assert trace is not None
    assert trace.sensor == "cpu"
    assert len(trace.t_s) == 100
    assert {repeat for repeat in trace.repeat if repeat is not None} == {0, 1, 2}
    assert trace.temperature_c[10] == pytest.approx(51.0)
    assert trace.missing == {"power_w": "NO_ENERGY_COUNTER"}
    assert set(trace.power_w) == {None}


def test_a_target_out_of_reach_costs_its_time_and_is_written_down(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cooldown, "cpu_temperature_c", lambda: 80.0)
    rests = RESTS.model_copy(update={"timeout_sec": REST_S})
    series = measure(tmp_path / "series", rests=rests)
    assert series.status is RunStatus.MEASURED
    for repeat in series.repeats:
        assert (repeat.cooldown.waited_s, repeat.cooldown.end_c) == (REST_S, 80.0)
        assert not repeat.cooldown.reached


def test_without_a_sensor_nobody_waits(
    tmp_path: Path, machine: Machine, provider: FakeProvider
) -> None:
    machine.heat_c = None
    provider.samples = [quiet(float(second)) for second in range(100)]
    series = measure(tmp_path / "series")
    for repeat in series.repeats:
        assert repeat.cooldown.null_reasons["end_c"] == "NO_SENSOR"
        assert repeat.cooldown.waited_s == 0
        assert repeat.null_reasons["temperature_end_c"] == "NO_TEMPERATURE_SENSOR"
    assert series.trace is not None
    assert series.trace.missing["temperature_c"] == "NO_TEMPERATURE_SENSOR"


def test_our_heat_says_nothing_of_a_server_elsewhere(tmp_path: Path, machine: Machine) -> None:
    far = Source(None, ServerLocation(base_url="http://10.0.0.5:11434"))
    series = measure(tmp_path / "series", far)
    (why,) = {repeat.null_reasons["temperature_end_c"] for repeat in series.repeats}
    assert why == "REMOTE_SERVER"
    assert series.trace is not None
    assert set(series.trace.missing.values()) == {"REMOTE_SERVER"}
    assert series.platform == {}


def test_the_files_of_a_series(tmp_path: Path, machine: Machine) -> None:
    measure(tmp_path / "series")
    (attempt,) = (tmp_path / "series").iterdir()
    assert sorted(path.name for path in attempt.iterdir()) == [
        "samples-0.csv.gz",
        "series.json",
        "server.log",
    ]
    assert gzip.decompress((attempt / "samples-0.csv.gz").read_bytes()).startswith(b"at_s,")


def test_a_series_that_is_measured_again_leaves_the_older_one(
    tmp_path: Path, machine: Machine, provider: FakeProvider
) -> None:
    before = measure(tmp_path / "series")
    assert measure(tmp_path / "series").measured_at != before.measured_at
    assert len(list((tmp_path / "series").glob("*/series.json"))) == 2


def fail_at(machine: Machine, error: BaseException, probe: int) -> Callable[[Any], None]:
    """Return a fault that fails one of the series' own generations, after the warm-up."""
    raising = failing(error, lambda _: True)
    seen: list[float] = []

    def fault(request: GenerationRequest) -> None:
        machine.ask(request)
        if machine.heat_c is not None and cooled:
            seen.append(machine.now_s)
            if len(seen) == probe + 1:
                raising(request)

    cooled: list[bool] = []
    plain = machine.sleep

    def sleep(seconds: float) -> None:
        cooled.append(True)
        plain(seconds)

    machine.sleep = sleep  # type: ignore[method-assign]
    return fault


def test_a_server_that_dies_leaves_what_was_measured(
    tmp_path: Path, machine: Machine, provider: FakeProvider
) -> None:
    provider.fault = fail_at(machine, ServerCrashed("the server died"), 3)
    series = measure(tmp_path / "series")
    assert series.status is RunStatus.CRASHED
    assert series.status_reason is not None
    assert series.status_reason.startswith("the server died (see ")
    assert [len(repeat.probes) for repeat in series.repeats] == [2, 1]


def test_a_generation_that_fails_is_one_without_numbers(
    tmp_path: Path, machine: Machine, provider: FakeProvider
) -> None:
    provider.fault = fail_at(machine, RequestTimedOut("too slow"), 2)
    series = measure(tmp_path / "series")
    assert series.status is RunStatus.MEASURED
    failed, fine = series.repeats[1].probes
    assert (failed.failure, fine.failure) == ("too slow", None)


def test_a_model_that_does_not_load_is_a_series_without_repeats(
    tmp_path: Path, machine: Machine, provider: FakeProvider
) -> None:
    provider.load_error = LoadError("unknown format")
    provider.last_words = b"llama_model_load: failed to allocate buffer\n"
    series = measure(tmp_path / "series")
    assert series.status is RunStatus.OUT_OF_MEMORY
    assert (series.repeats, series.session, series.trace) == ((), None, None)


def test_an_interrupted_series_begins_anew(
    tmp_path: Path, machine: Machine, provider: FakeProvider
) -> None:
    provider.fault = fail_at(machine, KeyboardInterrupt(), 4)
    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path / "series")
    folder = tmp_path / "series"
    assert [path.name for path in folder.iterdir()] == ["open"]
    provider.fault = machine.ask
    again = measure(folder)
    assert (again.status, len(again.repeats)) == (RunStatus.MEASURED, 3)
    assert len(list(folder.glob("*/series.json"))) == 1


def test_another_quant_than_asked_for_is_seen(
    tmp_path: Path, machine: Machine, provider: FakeProvider
) -> None:
    provider.changes = {"quant_tag": "Q8_0", "file_quant_tag": "Q8_0"}
    seen = {item.reason for item in measure(tmp_path / "series").observations}
    assert Reason.QUANT_IDENTITY_MISMATCH in seen


@pytest.fixture
def hot_card(
    machine: Machine, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    """Serve on a replayed card that reaches its power limit at 3 s and is too hot from 6 s on."""
    trace = load_trace("throttling")
    trace["devices"][0]["segments"][2]["for_s"] = 40
    provider.changes = {"server_vram_mib": Null("NOT_REPORTED")}
    monkeypatch.setattr(gpu_watch, "_REST_S", 0.0)
    monkeypatch.setattr(session, "get_ready", partial(_ready, machine))

    @contextmanager
    def sampling(
        path: Path, server_pid: int | None, origin_s: float, gpus: GpuWatch | None = None
    ) -> Iterator[None]:
        with provider.sampling(path, server_pid, origin_s):
            assert gpus is not None
            record = record_of(trace)
            lines = [header(record.devices, record.absent), *map(to_line, record.samples)]
            gpus.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            yield

    monkeypatch.setattr(session, "sampling", sampling)
    yield machine


def _ready(machine: Machine, model: Model, spec: MeasurementSpec, *_: object) -> Ready:
    machine.now_s, machine.heat_c = 1.0, 30.0
    return ready_at_once(model, spec)


def test_a_card_that_slows_down_is_named_with_its_heat(tmp_path: Path, hot_card: Machine) -> None:
    series = measure(tmp_path / "series", provider="llama_server")
    assert series.status is RunStatus.MEASURED, series.status_reason
    assert {repeat.sensor for repeat in series.repeats} == {"gpu"}
    seen = [
        {item.reason for probe in repeat.probes for item in probe.observations}
        for repeat in series.repeats
    ]
    assert Reason.THERMAL_THROTTLE not in seen[0]
    assert Reason.SW_POWER_CAP in seen[0]
    assert Reason.THERMAL_THROTTLE in seen[1]
    assert series.repeats[1].temperature_end_c == 87.0
    assert series.trace is not None
    assert series.trace.sensor == "gpu"
    assert not series.trace.missing
    assert max(value for value in series.trace.power_w if value is not None) == 100.0
    assert [gpu.used for gpu in series.gpus] == [True]


def test_a_card_that_serves_nothing_is_not_whose_heat_it_is(
    tmp_path: Path, provider: FakeProvider, hot_card: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for = []
    monkeypatch.setattr(cooldown, "open_devices", lambda which: looked_for.append(which))
    monkeypatch.setattr(gpu_windows, "server_was_seen", lambda _: False)
    provider.changes = {"server_vram_mib": 0}
    series = measure(tmp_path / "series", provider="llama_server")
    assert series.status is RunStatus.MEASURED, series.status_reason
    assert looked_for == []  # the rest is the processor's, too
    assert {repeat.cooldown.sensor for repeat in series.repeats} == {"cpu"}
    assert {repeat.sensor for repeat in series.repeats} == {"cpu"}
    assert {gpu.used for gpu in series.gpus} == {False}
    for repeat in series.repeats:
        assert repeat.temperature_end_c == 50 + int(repeat.window_s[1]) / 10
    assert series.trace is not None
    assert series.trace.sensor == "cpu"


def test_a_series_has_an_address_of_its_own() -> None:
    plain = thermal_spec()
    assert plain.digest() != thermal_spec(generations=6).digest()
    assert (
        plain.digest() != thermal_spec(rests=RESTS.model_copy(update={"target_c": 45.0})).digest()
    )
    assert ThermalSpec.model_validate_json(plain.canonical()) == plain
