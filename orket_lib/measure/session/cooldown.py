"""Waiting until the machine is as cool as the config wants it: before a model is loaded, and before
each repeat of a thermal series.

What was reached is written down, whatever it is: a target that can't be reached, or a machine
without a sensor, costs time and is told, and never stops a measurement.
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
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.providers import PROVIDERS
from orket_lib.vocabulary.reasons import Reason

Sensor = Literal["cpu", "gpu"]
Thermometer = Callable[[], float | Null]

_POLL_S = 1.0


def cool_down(spec: MeasurementSpec, source: Source) -> CooldownRecord | None:
    """Wait until what will serve the model is cool, or the time is up; None where nobody asked.

    Args:
        spec: With the target, and which GPUs count.
        source: Where the model will be served.
    """
    return None if spec.cooldown is None else cool_to(spec.cooldown, spec, source)


def cool_to(
    settings: CooldownSettings, spec: MeasurementSpec, source: Source, main_memory: bool = False
) -> CooldownRecord:
    """Wait until what serves the model is cool, or the time is up; without a sensor, for nothing.

    Args:
        settings: The target, and how long to wait for it at most.
        spec: Which GPUs count.
        source: Where the model is served.
        main_memory: It is served already, and on no GPU.
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
    """Yield the cooldowns that did not get where they should."""
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
    """Give what is read, and how: the hottest GPU that may serve the model, else the CPU.

    One GPU that is too warm is enough to wait for; that all are cool is known only of all.
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
            known = [value for value in readings if not isinstance(value, Null)]
            hidden = next((value for value in readings if isinstance(value, Null)), None)
            if hidden and not (known and max(known) > target_c):
                return hidden
            return max(known)

        yield "gpu", hottest


def _cpu() -> float | Null:
    found = cpu_temperature_c()
    return Null("NO_SENSOR") if found is None else found
