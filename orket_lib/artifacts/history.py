"""Histories of explorer artifacts, and the output of `orket history`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Record, Time
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.frontier import FrontierExplorer
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.vocabulary.statuses import Lane, VramProfile

ChangeKind = Literal[
    "machine", "settings", "driver", "build", "artifact", "rows", "verdict", "validity", "numbers"
]
Scalar = str | bool | int | float | None


class History(Record):
    """A history file: artifacts of one kind, unchanged."""

    schema_version: Literal["orket.history.v1"] = "orket.history.v1"
    history: tuple[FrontierExplorer | ContextCeiling | ThermalProfile, ...]


class HistoryRecord(Record):
    """One record, as a list shows it."""

    id: str = Field(description="digest of its content")
    generated_at: Time
    store: str
    hardware_fingerprint: str | None
    execution_lane: Lane
    vram_profile: VramProfile
    sweep: str | None = Field(description="null if the record does not name it")
    verdicts: tuple[str, ...] = Field(description="one for each model")
    provenance_ref: str
    commit_sha: str | None


class HistoryList(Record):
    """`orket history list --json`."""

    schema_version: Literal["orket.history_list.v1"] = "orket.history_list.v1"
    records: tuple[HistoryRecord, ...] = Field(description="oldest first")


class Change(Record):
    """One difference between two records."""

    kind: ChangeKind
    what: str
    old: Scalar
    new: Scalar
    where: tuple[str, ...] = Field(description="models, quants, contexts or runs that differ")


class HistoryComparison(Record):
    """`orket history compare --json`."""

    schema_version: Literal["orket.history_comparison.v1"] = "orket.history_comparison.v1"
    old: HistoryRecord
    new: HistoryRecord
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = Field(description="what can't be compared")


class HistoryPoint(Measured):
    """One record's value of a metric."""

    id: str
    generated_at: Time
    value: Reading
    valid: bool


class HistorySeries(Record):
    """A metric over time."""

    name: str = Field(description="model, quant, and what else identifies the series")
    execution_lane: Lane
    points: tuple[HistoryPoint, ...] = Field(description="oldest first")


class HistoryOverTime(Record):
    """`orket history plot --json`."""

    schema_version: Literal["orket.history_over_time.v1"] = "orket.history_over_time.v1"
    metric: str
    series: tuple[HistorySeries, ...]
