"""Asks a task once of a served model, and returns the result of a runner.

This is the simplest possible runner: with it, a sweep gets the same answers as without a runner.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import write_json, write_text
from orket_lib.artifacts.measurements.runner import RunnerTask
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.base import Generation, GenerationRequest, RunningModel
from orket_lib.providers.registry import ask_running
from orket_lib.vocabulary.nulls import Null

ANSWER, DETAILS = "answer.txt", "details.json"


@dataclass(frozen=True)
class AskSettings:
    """Settings of the request; see `GenerationRequest`."""

    seed: int | None
    max_tokens: int
    temperature: float
    timeout_s: float
    thinking: bool | None = None
    thinking_budget: int | None = None


def ask_single_task(
    task: RunnerTask, model: RunningModel, settings: AskSettings, run_dir: Path
) -> dict[str, Any]:
    """Ask a task, write answer and details to a folder, and return the runner's result.

    Raises:
        ProviderError: The model gave no answer.
        ArtifactError: The folder is not writable.
    """
    request = GenerationRequest(
        prompt=task.prompt,
        tools=task.tools,
        **asdict(settings),
    )
    begin = time.perf_counter()
    generation = ask_running(model, request)
    total_s = time.perf_counter() - begin
    write_text(run_dir / ANSWER, generation.text)
    names = ("finish_reason", "reasoning", "chunk_s", "usage", "timings")
    made = [call.model_dump() for call in generation.tool_calls]
    calls = {"tool_calls": made} if made else {}
    write_json(run_dir / DETAILS, {name: getattr(generation, name) for name in names} | calls)
    return {"answer": generation.text, **calls, "telemetry": _telemetry(generation, total_s)}


def _telemetry(generation: Generation, total_s: float) -> dict[str, Any]:
    tokens = Tokens.of(generation, None)
    internal = tokens.internal_s
    metrics = tokens.metrics()
    return {
        "total_latency": total_s,
        "internal_model_seconds": None if isinstance(internal, Null) else internal,
        "token_metrics": {
            name: getattr(metrics, name).model_dump(mode="json", exclude={"null_reasons"})
            for name in ("counts", "latencies", "throughput")
        },
    }
