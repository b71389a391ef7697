"""Waits for the cooldown target of the config, before a model is loaded and before each repeat of a
thermal series.

The reached temperature is recorded. A target that is not reached, or a machine without a sensor,
makes an observation, but never stops a measurement.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from orket_lib.artifacts.measurements.readiness import CooldownRecord
from orket_lib.artifacts.measurements.spec import CooldownSettings, MeasurementSpec
from orket_lib.artifacts.views.run_report import Observation, Session
from orket_lib.providers.base import Source
from orket_lib.telemetry.counters import cpu_temperature_c
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.vocabulary.nulls import Null, all_of, known
from orket_lib.vocabulary.providers import PROVIDERS
from orket_lib.vocabulary.reasons import Reason

Sensor = Literal["cpu", "gpu"]
Thermometer = Callable[[], float | Null]

_POLL_S = 1.0
_NO_SENSOR = Null("NO_SENSOR")


def cool_down(spec: MeasurementSpec, source: Source) -> CooldownRecord | None:
    """Wait for the cooldown target of a spec, or its time limit; None if it has none.

    Args:
        spec: With the target and the GPUs.
        source: Where the model will be served.
    """
    return None if spec.cooldown is None else cool_to(spec.cooldown, spec, source)


def cool_to(
    settings: CooldownSettings, spec: MeasurementSpec, source: Source, main_memory: bool = False
) -> CooldownRecord:
    """Wait for the target or the time limit; without a sensor, don't wait.

    Args:
        settings: The target and the time limit.
        spec: With the GPUs.
        source: Where the model is served.
        main_memory: The model is loaded already, and uses no GPU.
    """
    target_c, limit_s = settings.target_c, settings.timeout_sec
    with _thermometer(spec, source, main_memory, target_c) as (sensor, read):
        begin = time.monotonic()
        first = now = read()
        while not isinstance(now, Null) and now > target_c and time.monotonic() - begin < limit_s:
            time.sleep(min(_POLL_S, limit_s))
            now = read()
        waited = time.monotonic() - begin
    return CooldownRecord.of(
        target_c=target_c,
        sensor=sensor,
        start_c=first,
        end_c=now,
        waited_s=waited,
        reached=not isinstance(now, Null) and now <= target_c,
    )


def too_warm(sessions: Sequence[Session]) -> Iterator[Observation]:
    """Yield the cooldowns that did not reach their target."""
    for session in sessions:
        cooled = session.cooldown
        if cooled and not cooled.reached:
            now = "unknown" if cooled.end_c is None else f"{cooled.end_c:g} °C"
            why = cooled.null_reasons.get("end_c", f"after {cooled.waited_s:.0f} s")
            yield Observation.of(
                Reason.COOLDOWN_TARGET_NOT_REACHED,
                f"{cooled.sensor} {now} ({why}) before load {session.index}, "
                f"asked for {cooled.target_c:g} °C",
            )


@contextmanager
def _thermometer(
    spec: MeasurementSpec, source: Source, main_memory: bool, target_c: float
) -> Iterator[tuple[Sensor, Thermometer]]:
    """Open the sensor: the hottest GPU that may serve the model, else the CPU.

    One GPU that is too warm is enough to wait; all must have a reading to be cool.
    """
    if source.place.remote is not None:
        yield "cpu", lambda: Null("REMOTE_SERVER")
        return
    if PROVIDERS[spec.provider].on_cpu or main_memory:
        yield "cpu", _cpu
        return
    with open_devices("any") as found:
        devices = found.chosen(spec.gpu_devices).devices
        if not devices:
            yield "cpu", _cpu
            return

        def hottest() -> float | Null:
            readings = [device.gauges().temperature_c for device in devices]
            above = [value for value in known(readings) if value > target_c]
            return max(above) if above else all_of(readings, max, _NO_SENSOR)

        yield "gpu", hottest


def _cpu() -> float | Null:
    found = cpu_temperature_c()
    return _NO_SENSOR if found is None else found
