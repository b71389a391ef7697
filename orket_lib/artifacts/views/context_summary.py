"""What one context of a context sweep came to: `orket.context_summary.v1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from orket_lib.artifacts.base import Labelled, Measured, Reading, Record
from orket_lib.artifacts.measurements.spec import ContextFill, OnServerDeath
from orket_lib.artifacts.views.context_ceiling import ContextThresholds, DepthScore
from orket_lib.artifacts.views.row import RowMetrics

ContextSearch = Literal["all", "bisect"]


class ContextSettings(Record):
    """`policy/context.json`: what the config asks of the context sweep."""

    contexts: tuple[int, ...] = Field(description="smallest first")
    search: ContextSearch
    quant_tag: str | None = Field(description="null = the one that the frontier picks")
    fill: ContextFill
    probe_runs: int
    on_server_death: OnServerDeath
    rerun_polluted: int
    thresholds: ContextThresholds


class ContextRow(Measured):
    """The row of the quant at this context; valid only where its prompts really filled it."""

    metrics: RowMetrics
    asked_tokens: int = Field(description="that a prompt was to have, its template included")
    filled_min: Reading = Field(description="least share of the context that a prompt filled")
    filled_mean: Reading = Field(description="mean share, by the server's own token counts")
    ttft_ms: Reading = Field(description="of the follow-ups, median")
    ttft_cold_ms: Reading = Field(description="of the prompts that fill the context, median")
    cached_tokens: Reading = Field(
        description="prompt tokens of a follow-up that the server took from its cache, median"
    )
    depths: tuple[DepthScore, ...]


class ContextSummary(Labelled):
    """`context_<n>.json`."""

    schema_version: Literal["orket.context_summary.v1"] = "orket.context_summary.v1"
    model_id: str
    quant_tag: str = Field(description="`unknown` where the frontier picks none")
    sweep: str | None
    context: Annotated[int, Field(gt=0, description="tokens")]
    status: Literal["tried", "not_tried"]
    status_reason: str | None = Field(description="why it was not tried; null when it was")
    fill: ContextFill
    rows: tuple[ContextRow, ...] = Field(description="one; none when it was not tried")
