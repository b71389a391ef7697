"""Runners: commands of the user's own that answer the graded tasks in our place.

The model is loaded, identified and probed by us as always; only who asks it for the answers is
another one. What such a command says of itself is kept apart from what we measured of it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Count, Measured, Reading, Record, volatile


class RunnerSettings(Record):
    """A runner, as far as answers depend on it."""

    template: tuple[str, ...] = Field(description="arguments of the command, with placeholders")
    runtime_target: str | None = None
    execution_mode: str | None = None
    environment: dict[str, str] = Field(
        default_factory=dict, description="of the command; `${ENV:NAME}` stands for a secret"
    )


class RunnerReadings(Measured):
    """What a command reports of its own run: its words, none of them measured by us."""

    total_latency: Reading = Field(description="s")
    internal_model_seconds: Reading = Field(description="time that it spent waiting for the model")
    adherence_score: Reading = Field(description="its own score, from 0 to 1")
    ttft_ms: Reading
    prefill_seconds: Reading
    decode_seconds: Reading
    prompt_tokens: Count = Field(description="of all its requests together")
    output_tokens: Count = Field(description="of all its requests together")
    prompt_tokens_per_second: Reading
    generation_tokens_per_second: Reading


class RunnerRun(Record):
    """One graded run by command."""

    folder: str = Field(description="its run_dir, below the measurement's folder")
    error: str | None = Field(description="what kept it from ending by itself; else null")
    exit_status: int | None = Field(description="null when it did not end by itself")
    seconds: float | None = volatile("how long it ran, by our clock")
    reported: RunnerReadings | None = Field(description="null when it brought no result")


class RunnerTask(Record):
    """The task file: what a runner may see of a task, never what judges its answer."""

    schema_version: Literal["orket.task.v1"] = "orket.task.v1"
    id: int
    test_id: str
    category: str
    tier: int
    prompt: str
