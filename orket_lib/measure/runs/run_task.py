"""One task asked once of a model that somebody else serves, told as a runner tells it.

This is the simplest runner there is: a sweep whose runner it is gets the same answers as one in
which we ask ourselves.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
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
class Asking:
    """How to ask; see `GenerationRequest`."""

    seed: int | None
    max_tokens: int
    temperature: float
    timeout_s: float


def ask_single_task(
    task: RunnerTask, model: RunningModel, asking: Asking, run_dir: Path
) -> dict[str, Any]:
    """Ask one task, keep answer and details in a folder, and return the runner's result.

    Raises:
        ProviderError: The model brought no answer.
        ArtifactError: The folder can't be written to.
    """
    request = GenerationRequest(
        prompt=task.prompt,
        max_tokens=asking.max_tokens,
        temperature=asking.temperature,
        seed=asking.seed,
        timeout_s=asking.timeout_s,
    )
    begin = time.perf_counter()
    generation = ask_running(model, request)
    total_s = time.perf_counter() - begin
    write_text(run_dir / ANSWER, generation.text)
    write_json(run_dir / DETAILS, _details(generation))
    return {"answer": generation.text, "telemetry": _telemetry(generation, total_s)}


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


def _details(generation: Generation) -> dict[str, Any]:
    return {
        "finish_reason": generation.finish_reason,
        "reasoning": generation.reasoning,
        "chunk_s": generation.chunk_s,
        "usage": generation.usage,
        "timings": generation.timings,
    }
