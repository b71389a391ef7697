"""Baselines: results of a cell's tasks, recorded so that later sweeps can be compared with them.

A record is one task of one measurement. The figures of the whole measurement (probes, memory, load
time) are repeated in each of its records, so the history of a task can be read without the others.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, Measured, Reading, Record, Time
from orket_lib.vocabulary.statuses import Lane


class BaselineMetadata(Record):
    """What was measured, where and when."""

    test_run_id: str = Field(
        min_length=1,
        description="of the measurement, the same for all its tasks; `--baseline-ref` takes it",
    )
    model_id: str
    model_hash: str | None = Field(description="SHA-256 of the file, or the server's digest")
    quant_tag: str
    bank_id: str
    hardware_fingerprint: str
    task_revision: str = Field(description="digest of the task's content")
    settings_digest: str | None = Field(
        None,
        description="of the other settings that times depend on, such as context and controls",
    )
    build: str | None = Field(None, description="of the server")
    created_at: Time = Field(
        description="when the measurement began, ISO 8601; without an offset it is UTC"
    )
    execution_lane: Lane | None = Field(None, description="null if only its report was recorded")
    clean: bool | None = Field(
        None,
        description="not disturbed, by the rules of lane `lab`; null in older records",
    )
    pinned: bool = Field(False, description="never pruned")


class GoldTelemetry(Measured):
    """The results of the task, and the figures of its measurement."""

    adherence_score: float = Field(ge=0, le=1, description="mean over the runs of the task")
    total_latency: Reading = Field(description="mean of the task's runs that answered, s")
    fastest_latency: Reading = Field(
        description="of the fastest run, s: disturbances only make runs slower"
    )
    runs: int = Field(ge=1, description="of the task")
    ttft_ms: Reading = Field(description="median over the probes")
    prompt_tokens_per_second: Reading = Field(description="probes: total tokens / total time")
    generation_tokens_per_second: Reading = Field(description="probes: total tokens / total time")
    rate_source: Literal["server", "client"] | None = Field(
        None, description="clock of the two rates; rates by different clocks are never compared"
    )
    peak_memory_rss: Reading = Field(description="of the server's process tree, MiB")
    peak_vram_mib: Reading
    init_latency: Reading = Field(description="load of the model, s")


class Baseline(Record):
    """One record of a history."""

    baseline_metadata: BaselineMetadata
    gold_telemetry: GoldTelemetry


class BaselineHistory(Record):
    """A file in `storage/baselines/`: the results of one task in earlier measurements."""

    schema_version: Literal["orket.baselines.v1"] = "orket.baselines.v1"
    test_id: str
    history: tuple[Baseline, ...]


class Recorded(Record):
    """A measurement that was recorded as a baseline."""

    test_run_id: str
    model_id: str
    quant_tag: str
    tasks: int
    added: int = Field(description="new records")
    replaced: int = Field(0, description="records that replaced one with fewer runs or fields")
    clean: bool | None = Field(None, description="whether lane `lab` accepts its times")


class NotRecorded(Record):
    """A measurement that was not recorded, and why."""

    model_id: str
    quant_tag: str
    reason: str


class BaselineReceipt(Artifact):
    """The result of recording a sweep (`baselines_recorded.json`)."""

    schema_version: Literal["orket.baseline_receipt.v1"] = "orket.baseline_receipt.v1"
    recorded: tuple[Recorded, ...]
    not_recorded: tuple[NotRecorded, ...]
