"""Runners: the user's commands that answer the graded tasks, such as an agent.

The harness loads, identifies and probes the model as always; only the answers come from the
command. What the command reports is kept apart from what the harness measured.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from orket_lib.artifacts.base import Count, Measured, Reading, Record, volatile


class RunnerSettings(Record):
    """The settings of a runner that answers depend on."""

    template: tuple[str, ...] = Field(description="arguments of the command, with placeholders")
    runtime_target: str | None = None
    execution_mode: str | None = None
    environment: dict[str, str] = Field(
        default_factory=dict, description="of the command; a secret is a reference, `${ENV:NAME}`"
    )


class RunnerReadings(Measured):
    """What a command reports about its run; the harness measured none of it."""

    total_latency: Reading = Field(description="s")
    internal_model_seconds: Reading = Field(description="s, spent waiting for the model")
    adherence_score: Reading = Field(description="the command's score, from 0 to 1")
    ttft_ms: Reading
    prefill_seconds: Reading
    decode_seconds: Reading
    prompt_tokens: Count = Field(description="sum over its requests")
    output_tokens: Count = Field(description="sum over its requests")
    prompt_tokens_per_second: Reading
    generation_tokens_per_second: Reading


class RunnerRun(Record):
    """One graded run by a command."""

    folder: str = Field(description="`run_dir`, relative to the measurement's folder")
    error: str | None = Field(description="why it did not exit by itself; else null")
    exit_status: int | None = Field(description="null when it did not exit by itself")
    seconds: float | None = volatile("how long it ran, by the harness's clock")
    reported: RunnerReadings | None = Field(description="null without a result file")


class RunnerTask(Record):
    """The task file: what a runner may see of a task, without expected values and graders."""

    schema_version: Literal["orket.task.v1"] = "orket.task.v1"
    id: int
    test_id: str
    category: str
    tier: int
    prompt: str
    tools: tuple[dict[str, Any], ...] = Field(
        (),
        description="functions to offer: name, description and parameters (JSON Schema)",
        exclude_if=lambda value: not value,
    )
