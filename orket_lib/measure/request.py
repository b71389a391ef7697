"""Requests to the served model, with the settings of a measurement."""

from __future__ import annotations

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.providers.base import GenerationRequest


def request_for(
    spec: MeasurementSpec, prompt: str, max_tokens: int, ignore_eos: bool = False
) -> GenerationRequest:
    """Return a request with the sampler settings and the time limit of a spec."""
    return GenerationRequest(
        prompt=prompt,
        max_tokens=max_tokens,
        temperature=spec.temperature,
        seed=spec.controls.seed,
        timeout_s=spec.task_timeout_sec,
        ignore_eos=ignore_eos,
        thinking=None if spec.thinking is None else spec.thinking == "on",
        thinking_budget=spec.thinking_budget,
    )
