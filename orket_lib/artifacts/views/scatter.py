"""The points of the plot of quality against speed, for other plotting tools."""

from __future__ import annotations

from typing import Literal

from orket_lib.artifacts.base import Labelled, Measured, Reading

FrontierRole = Literal["", "minimum_viable", "best_value", "minimum_viable+best_value"]


class ScatterPoint(Measured):
    """One row as a point."""

    model_id: str
    quant_tag: str
    quant_rank: Reading
    generation_tps: Reading
    adherence_score: Reading
    total_latency: Reading
    valid: bool
    frontier_role: FrontierRole


class Scatter(Labelled):
    """`sweep_scatter.json`."""

    schema_version: Literal["orket.scatter.v1"] = "orket.scatter.v1"
    source_summary: str
    include_invalid: bool
    points: tuple[ScatterPoint, ...]
