"""Baselines: what each task once came to in a cell, kept so that a later sweep can be held to it.

A record is one task of one measurement. What a measurement has but once (probes, memory, load time)
is repeated in each of its tasks' records: a history is one file per task, and each of them can be
read on its own.
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
        description="of the measurement, the same for all its tasks; what `--baseline-ref` names",
    )
    model_id: str
    model_hash: str | None = Field(description="SHA-256 of the file, or the server's digest")
    quant_tag: str
    bank_id: str
    hardware_fingerprint: str
    task_revision: str = Field(description="digest of the task's content")
    settings_digest: str | None = Field(
        None,
        description="of what else the times depend on: context, controls, server arguments",
    )
    build: str | None = Field(None, description="of the server")
    created_at: Time = Field(
        description="when the measurement began, ISO 8601; without an offset it is UTC"
    )
    execution_lane: Lane | None = Field(None, description="null when only its report was recorded")
    clean: bool | None = Field(
        None,
        description="nothing disturbed it, by the rules of lane `lab`; null: older than the field",
    )
    pinned: bool = Field(False, description="kept by every prune")


class GoldTelemetry(Measured):
    """What the task came to, and the figures of its measurement."""

    adherence_score: float = Field(ge=0, le=1, description="mean over the runs of the task")
    total_latency: Reading = Field(description="mean of the task's runs that answered, s")
    fastest_latency: Reading = Field(
        description="of the fastest of them: what disturbs a run only ever makes it slower"
    )
    runs: int = Field(ge=1, description="of the task")
    ttft_ms: Reading = Field(description="median over the probes")
    prompt_tokens_per_second: Reading = Field(description="probes: total tokens / total time")
    generation_tokens_per_second: Reading = Field(description="probes: total tokens / total time")
    rate_source: Literal["server", "client"] | None = Field(
        None, description="whose clock the two rates come from; rates of two are never compared"
    )
    peak_memory_rss: Reading = Field(description="of the server's process tree, MiB")
    peak_vram_mib: Reading
    init_latency: Reading = Field(description="load of the model, s")


class Baseline(Record):
    """One record of a history."""

    baseline_metadata: BaselineMetadata
    gold_telemetry: GoldTelemetry


class BaselineHistory(Record):
    """A file of `storage/baselines/`: what one task came to in earlier measurements."""

    schema_version: Literal["orket.baselines.v1"] = "orket.baselines.v1"
    test_id: str
    history: tuple[Baseline, ...]


class Recorded(Record):
    """A measurement that is a baseline now."""

    test_run_id: str
    model_id: str
    quant_tag: str
    tasks: int
    added: int = Field(description="records that were not there yet")
    replaced: int = Field(0, description="records that were there with fewer runs, or said less")
    clean: bool | None = Field(None, description="whether lane `lab` takes its times")


class NotRecorded(Record):
    """A measurement that is no baseline, and why."""

    model_id: str
    quant_tag: str
    reason: str


class BaselineReceipt(Artifact):
    """What recording a sweep did (`baselines_recorded.json`)."""

    schema_version: Literal["orket.baseline_receipt.v1"] = "orket.baseline_receipt.v1"
    recorded: tuple[Recorded, ...]
    not_recorded: tuple[NotRecorded, ...]
