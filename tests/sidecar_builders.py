"""Specs and measurements of hardware sidecars with one call each."""

from __future__ import annotations

import json
from typing import Any

from builders import MACHINE, NOW, PROVENANCE, probe, session

from orket_lib.artifacts.measurements.sidecar import (
    CapturedText,
    SensorReadings,
    ServedProbes,
    ServingSettings,
    SidecarMeasurement,
    SidecarSpec,
)
from orket_lib.artifacts.measurements.sidecar_fields import OPTIONAL, REQUIRED
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings
from orket_lib.vocabulary.nulls import Null

SERVING = ServingSettings(
    provider="embedded",
    provider_version="1.0",
    n_ctx=2048,
    temperature=0.0,
    task_timeout_sec=30.0,
    controls=ControlSettings(seed=7, threads=1),
    probe_runs=2,
)
# What a command prints that knows everything.
FULL: dict[str, Any] = {field: float(n) for n, field in enumerate((*REQUIRED, *OPTIONAL), start=1)}


def sidecar_spec(*template: str, **changes: Any) -> SidecarSpec:
    """Return the spec of a template, or of our own measurement when there is none."""
    values: dict[str, Any] = {
        "model_id": "nano",
        "quant_tag": "Q4_K_M",
        "artifact": ArtifactIdentity(sha256="a" * 64),
        "machine": MACHINE,
        "backend": "any" if template else "cpu",
        "template": template or None,
        "timeout_sec": 30.0,
        "serving": None if template else SERVING,
    }
    return SidecarSpec(**(values | changes))


def captured(text: str = "", end: str | None = None) -> CapturedText:
    """Return what a command wrote."""
    return CapturedText(text=text, end=end, bytes=len(text) + len(end or ""))


def sensors(**changes: Any) -> SensorReadings:
    """Return the readings of a machine without any sensor, but for `changes`."""
    values: dict[str, Any] = dict.fromkeys(SensorReadings.readings(), Null("NO_GPU"))
    no_sensor = Null("NO_TEMPERATURE_SENSOR")
    values |= {"source": "sampler", "thermal_start_c": no_sensor, "thermal_end_c": no_sensor}
    return SensorReadings.of(**(values | changes))


def served(**changes: Any) -> ServedProbes:
    """Return what our own measurement sees of a healthy model."""
    values: dict[str, Any] = {
        "failure": None,
        "failure_detail": None,
        "session": session(),
        "probes": (probe(0), probe(1)),
        "floor_ms": (3.0, 2.0, 9.0),
    }
    return ServedProbes(**(values | changes))


def measurement(printed: object = None, **changes: Any) -> SidecarMeasurement:
    """Return the measurement of a template that printed something; text as it is, else as JSON."""
    text = printed if isinstance(printed, str) else json.dumps(FULL if printed is None else printed)
    chosen = changes.pop("spec", sidecar_spec("tool"))
    values: dict[str, Any] = {
        "generated_at": NOW,
        "provenance": PROVENANCE,
        "measured_at": NOW,
        "boot_id": "boot",
        "hardware_fingerprint": MACHINE,
        "spec": chosen,
        "spec_digest": chosen.digest(),
        "applicable": True,
        "error": None,
        "command": ("tool",),
        "exit_status": 0,
        "seconds": 1.0,
        "stdout": captured(text),
        "stderr": captured(),
        "out_file": captured(),
        "serving": None,
        "sensors": sensors(),
    }
    return SidecarMeasurement(**(values | changes))


def own(serving: ServedProbes | None = None, **changes: Any) -> SidecarMeasurement:
    """Return our own measurement."""
    values = {"spec": sidecar_spec(), "serving": serving or served()}
    return measurement("", **(values | changes))
