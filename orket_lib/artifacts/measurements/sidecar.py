"""The hardware sidecar: a hardware probe of a cell, for diagnosis only.

The measurement (`storage/sidecars/<model>/<quant>/<digest>/sidecar.json`) holds the output of a
command, or the harness's own measurement, and the readings of the sensors at that time. The view
(`sidecar.parse.v1`) is made from it: each field with its value and its source.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, Labelled, Measured, Reading, Record, Time, volatile
from orket_lib.artifacts.measurements.sidecar_fields import Backend, Source
from orket_lib.artifacts.measurements.spec import (
    CONTRACT,
    Addressed,
    ArtifactIdentity,
    ControlSettings,
    later,
)
from orket_lib.artifacts.views.run_report import Probe, Session
from orket_lib.vocabulary.statuses import SidecarStatus

# Version of the meaning of a sidecar. Raise it when old and new ones become incomparable.
SIDECAR_CONTRACT = 1


class ServingSettings(Record):
    """How built-in profiles serve the model: as a run does. A template serves it as it likes."""

    contract: int = Field(CONTRACT, description="of the harness")
    provider: str
    provider_version: str | None
    server_args: tuple[str, ...] = later((), "of a server that the harness starts")
    gpu_devices: tuple[str, ...] | None = later(None, "null = all")
    n_ctx: int | None
    temperature: float
    task_timeout_sec: float
    controls: ControlSettings
    probe_runs: int


class SidecarSpec(Addressed):
    """What a sidecar depends on, apart from the cell's spec: neither makes the other outdated.

    It has no tasks, and settings of the provider only where the harness serves the model.
    """

    kind: Literal["sidecar"] = "sidecar"
    contract: int = SIDECAR_CONTRACT
    model_id: str
    quant_tag: str
    artifact: ArtifactIdentity
    machine: str = Field(description="fingerprint of the machine that measures")
    backend: Backend = Field(
        description="whose sensors are read; `any` reads whatever GPU is present"
    )
    template: tuple[str, ...] | None = Field(
        description="arguments of the command; null = the built-in measurement"
    )
    timeout_sec: float
    not_measured: tuple[str, ...] = later(
        (), "fields that a template's tool can't measure: null, and not reported as missing"
    )
    runtime_target: str | None = None
    execution_mode: str | None = None
    environment: dict[str, str] = Field(
        default_factory=dict, description="of the command; a secret is a reference, `${ENV:NAME}`"
    )
    serving: ServingSettings | None = Field(description="null for a template")


class CapturedText(Record):
    """Output of a command: all of it, or its beginning and its end."""

    text: str = volatile("with secrets cut out and invalid UTF-8 replaced")
    end: str | None = Field(None, description="the end, when the middle was dropped")
    bytes: int = volatile("size of the whole output")


class ServedProbes(Record):
    """Observations of the built-in measurement."""

    failure: Literal["model_not_loaded", "server_crashed", "serving_failed"] | None
    failure_detail: str | None
    session: Session | None
    probes: tuple[Probe, ...]
    floor_ms: tuple[float, ...] = volatile(
        "TTFT of each request with a one-token prompt and a one-token answer"
    )


class SensorReadings(Measured):
    """Readings of the sensors while the command ran."""

    source: Source
    vram_total_mb: Reading = Field(description="MiB, all devices")
    vram_used_mb: Reading = Field(description="MiB, all devices and processes, peak")
    thermal_start_c: Reading = Field(description="of the hottest device; of the CPU without a GPU")
    thermal_end_c: Reading
    gpu_clock_mhz: Reading = Field(description="mean of the fastest device")
    power_draw_watts: Reading = Field(description="mean of the sum over devices")
    fan_speed_percent: Reading = Field(description="peak")


class SidecarMeasurement(Artifact):
    """`sidecar.json`: the observations, not interpreted."""

    schema_version: Literal["orket.sidecar.v1"] = "orket.sidecar.v1"
    measured_at: Time = volatile("UTC; names its folder")
    boot_id: str | None = volatile("of the machine's boot")
    hardware_fingerprint: str
    spec: SidecarSpec
    spec_digest: str
    applicable: bool = Field(description="whether this machine has the hardware of the backend")
    error: str | None = Field(description="why the command did not exit by itself; else null")
    command: tuple[str, ...] = volatile("as it was run; empty when nothing was run")
    exit_status: int | None = Field(description="null when it did not exit by itself")
    seconds: float | None = volatile("how long it ran")
    stdout: CapturedText
    stderr: CapturedText
    out_file: CapturedText
    serving: ServedProbes | None = Field(description="of the built-in measurement")
    sensors: SensorReadings | None = Field(description="null when nothing was run")


class SidecarNumbers(Measured):
    """The fields of a sidecar."""

    vram_total_mb: Reading
    vram_used_mb: Reading
    ttft_ms: Reading
    prefill_tps: Reading
    decode_tps: Reading
    thermal_start_c: Reading
    thermal_end_c: Reading
    kernel_launch_ms: Reading
    model_load_ms: Reading
    pcie_throughput_gbps: Reading
    cuda_graph_warmup_ms: Reading
    gpu_clock_mhz: Reading
    power_draw_watts: Reading
    fan_speed_percent: Reading
    request_floor_ms: Reading = Field(
        description="median TTFT of requests with a one-token prompt and a one-token answer"
    )


class SidecarReport(SidecarNumbers, Labelled):
    """`<quant>_hardware_sidecar.json`."""

    schema_version: Literal["sidecar.parse.v1"] = "sidecar.parse.v1"
    model_id: str
    quant_tag: str
    backend: Backend
    measured_at: Time = volatile("UTC")
    spec_digest: str
    sidecar_parse_status: SidecarStatus
    sidecar_parse_errors: tuple[str, ...] = Field(description="sorted")
    source: dict[str, Source] = Field(description="source of each number, by field")
    command: tuple[str, ...] = volatile("as it was run")
    exit_status: int | None
    stdout: CapturedText
    stderr: CapturedText
    out_file: CapturedText
