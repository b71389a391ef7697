"""Verdicts on quants, and how well founded a recommendation is."""

from __future__ import annotations

from enum import StrEnum


class QuantVerdict(StrEnum):
    """Whether a quant keeps the quality of its baseline."""

    KEPT = "KEPT"
    LOST = "LOST"
    UNDECIDED = "UNDECIDED"
    NOT_MEASURED = "NOT_MEASURED"


class DecisionStatus(StrEnum):
    """How well founded a recommendation is."""

    PROVED = "PROVED"
    PROVED_QUALITY = "PROVED_QUALITY"
    LIKELY = "LIKELY"
    ONE_QUANT = "ONE_QUANT"
    UNDECIDED = "UNDECIDED"
    TASKS_TOO_HARD = "TASKS_TOO_HARD"
    TASKS_TOO_EASY = "TASKS_TOO_EASY"
    TASKS_NOT_GRADED = "TASKS_NOT_GRADED"
    BASELINE_NOT_MEASURED = "BASELINE_NOT_MEASURED"
    NOTHING_MEASURED = "NOTHING_MEASURED"
    NOTHING_FITS = "NOTHING_FITS"


class DropReason(StrEnum):
    """Why a quant is not asked a batch of tasks."""

    DECIDED = "DECIDED"
    MATTERS_NO_MORE = "MATTERS_NO_MORE"
    NOTHING_OPEN = "NOTHING_OPEN"
    NOT_MEASURED = "NOT_MEASURED"
    TASKS_TOO_HARD = "TASKS_TOO_HARD"
    BUDGET_SPENT = "BUDGET_SPENT"


class WantStatus(StrEnum):
    """Whether a quant meets a requirement of the config."""

    MET = "met"
    NOT_MET = "not met"
    BORDERLINE = "borderline"
    NOT_ESTABLISHED = "not established"


class WantName(StrEnum):
    """Requirements on a quant besides its quality."""

    DECODE_TPS = "decode_tps"
    TTFT_MS = "ttft_ms"
    LATENCY_S = "latency_s"
    MEMORY_GIB = "memory_gib"
    VRAM_GIB = "vram_gib"
    RAM_GIB = "ram_gib"
    CONTEXT = "context"


class Prefer(StrEnum):
    """Which of several sufficient quants to recommend."""

    SMALLEST = "smallest"
    BEST = "best"
