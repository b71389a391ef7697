"""The result of one context of a context sweep: `orket.context_summary.v1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from orket_lib.artifacts.base import Labelled, Measured, Reading, Record
from orket_lib.artifacts.measurements.spec import ContextFill, OnServerDeath
from orket_lib.artifacts.views.context_ceiling import ContextThresholds, DepthScore
from orket_lib.artifacts.views.row import RowMetrics

ContextSearch = Literal["all", "bisect"]


class ContextSettings(Record):
    """`policy/context.json`: the settings of the context sweep."""

    contexts: tuple[int, ...] = Field(description="smallest first")
    search: ContextSearch
    quant_tag: str | None = Field(description="the only quant; null = the recommended one")
    quants: tuple[str, ...] = Field(
        (), description="measured besides, each by itself; empty = one quant only"
    )
    fill: ContextFill
    probe_runs: int
    on_server_death: OnServerDeath
    rerun_polluted: int
    thresholds: ContextThresholds


class ContextAnswer(Record):
    """The score of one task."""

    task: str
    family: str
    score: float


class ContextRow(Measured):
    """The row of the quant at this context; valid only if its prompts filled the context."""

    metrics: RowMetrics
    asked_tokens: int = Field(description="intended length of a prompt, chat template included")
    filled_min: Reading = Field(description="smallest share of the context that a prompt filled")
    filled_mean: Reading = Field(description="mean share, by the server's token counts")
    ttft_ms: Reading = Field(description="median over the follow-ups")
    ttft_cold_ms: Reading = Field(description="median over the prompts that fill the context")
    cached_tokens: Reading = Field(
        description="prompt tokens of a follow-up that the server took from its cache, median"
    )
    depths: tuple[DepthScore, ...]
    answers: tuple[ContextAnswer, ...] = Field(
        (), description="every quant is asked the same; empty in older files"
    )


class ContextSummary(Labelled):
    """`context_<n>.json`."""

    schema_version: Literal["orket.context_summary.v1"] = "orket.context_summary.v1"
    model_id: str
    quant_tag: str = Field(description="`unknown` when none is recommended")
    sweep: str | None
    context: Annotated[int, Field(gt=0, description="tokens")]
    status: Literal["tried", "not_tried"]
    status_reason: str | None = Field(description="why it was not tried; null when it was")
    fill: ContextFill
    rows: tuple[ContextRow, ...] = Field(description="one row; none when it was not tried")
