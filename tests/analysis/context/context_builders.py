"""Figures of contexts with one call each; `changes` name what differs."""

from __future__ import annotations

from typing import Any

from orket_lib.analysis.context.figures import ContextFigures
from orket_lib.artifacts.views.context_ceiling import ContextThresholds
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import RunStatus


def thresholds(**changes: Any) -> ContextThresholds:
    values: dict[str, Any] = {
        "adherence_min": 0.95,
        "ttft_ceiling_ms": 250.0,
        "decode_floor_tps": 20.0,
        "include_invalid": False,
    }
    return ContextThresholds(**(values | changes))


def figures(context: int, **changes: Any) -> ContextFigures:
    values: dict[str, Any] = {
        "context": context,
        "status": RunStatus.MEASURED,
        "status_reason": None,
        "adherence": 1.0,
        "ttft_ms": 20.0,
        "ttft_cold_ms": 400.0,
        "decode_tps": 50.0,
        "valid": True,
        "invalid_because": (),
        "unanswered": 0,
        "runs": 10,
        "failures": (),
        "asked": 20,
        "seen": None,
        "served": None,
        "summary_path": f"context_{context}.json",
    }
    values |= changes
    adherence = values["adherence"]
    right = 0.0 if isinstance(adherence, Null) else round(adherence * values["asked"], 9)
    values.setdefault("right", right)
    return ContextFigures(**values)


def not_loaded(context: int, why: str = "served 2048 of 4096 asked for") -> ContextFigures:
    nothing = Null("STATUS_LOAD_FAILED")
    return figures(
        context,
        status=RunStatus.LOAD_FAILED,
        status_reason=why,
        **dict.fromkeys(("adherence", "ttft_ms", "ttft_cold_ms", "decode_tps"), nothing),
        valid=False,
        invalid_because=("status is load_failed",),
    )
