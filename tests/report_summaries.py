"""Summaries for the report's tests, built by the analysis from rows written by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from builders import metrics
from builders import row as whole_row

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.kpis import stability_kpis
from orket_lib.analysis.ranking.models import rank_models
from orket_lib.analysis.sessions import build_session
from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.views.row import FamilyScore, RowArtifact, RowMetrics, TaskScore
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.artifacts.views.summary import CanarySummary, FailedRow, Summary
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import (
    Lane,
    Quality,
    RunStatus,
    VramProfile,
)

MACHINE = "linux|intel(r)_xeon(r)_platinum_8488c_cpu_@_2.40ghz|4|16|none"
TASKS = 168

# tag, bits, adherence, decode t/s, RSS MiB: what the reference model comes to
SEVEN = (
    ("F16", 16.05, 0.976, 1610.0, 70.2),
    ("Q8_0", 8.53, 0.976, 2160.0, 66.9),
    ("Q6_K", 6.6, 0.976, 2240.0, 65.0),
    ("Q5_K_M", 5.7, 0.976, 2235.0, 63.8),
    ("Q4_K_M", 4.9, 0.964, 2561.0, 62.4),
    ("Q3_K_M", 4.05, 0.833, 2410.0, 61.3),
    ("Q2_K", 3.16, 0.22, 2590.0, 60.1),
)


def row(tag: str, bits: float | Null, adherence: float | Null, **changes: Any) -> RowMetrics:
    """Return a measured row; `changes` name the fields that differ."""
    values: dict[str, Any] = {
        "model_id": "orket-nano",
        "adherence_score": adherence,
        "adherence_by_family": (
            FamilyScore(family="add", adherence_score=0.25, tasks=84),
            FamilyScore(family="sort", adherence_score=0.75, tasks=84),
        ),
        "total_latency": 0.0273,
        "peak_memory_rss": 64.0,
        "init_latency": 0.4,
        "ttft_ms": 11.94,
        "prompt_tokens_per_second": 9876.5,
        "generation_tokens_per_second": 2000.0,
        "test_runs": 2 * TASKS,
        "artifact": RowArtifact(sha256="0" * 64, digest=None, path=None, tag=None, bytes=1),
        "report_path": "storage/runs/orket-nano/run.json",
    }
    return metrics(tag, bits, **(values | changes))


def polluted(tag: str, bits: float, adherence: float, evidence: str, **changes: Any) -> RowMetrics:
    """Return a measured row that is not valid."""
    return row(
        tag,
        bits,
        adherence,
        run_quality_status=Quality.POLLUTED,
        run_quality_reasons=(Observation.of(Reason.THERMAL_THROTTLE, evidence),),
        valid=False,
        invalid_because=("run quality is POLLUTED",),
        **changes,
    )


def failed(tag: str, bits: float) -> RowMetrics:
    """Return the row of a cell that could not be loaded: nothing in it is a number."""
    figures: dict[str, Any] = dict.fromkeys(RowMetrics.readings(), Null("STATUS_LOAD_FAILED"))
    nothing = figures | dict.fromkeys(("rate_source", "token_metrics_status", "run_quality_status"))
    changes = nothing | {
        "quant_rank": bits * 100,
        "status": RunStatus.LOAD_FAILED,
        "status_reason": "the file is | not a model",
        "adherence_by_family": (),
        "test_runs": 0,
        "valid": False,
        "invalid_because": ("status is load_failed",),
    }
    score = changes.pop("adherence_score")
    return row(tag, bits, score, **changes)


def seven() -> list[RowMetrics]:
    """Return rows like those of the reference model."""
    return [
        row(
            tag,
            bits,
            score,
            generation_tokens_per_second=rate,
            peak_memory_rss=rss,
            total_latency=46 / rate,
        )
        for tag, bits, score, rate, rss in SEVEN
    ]


def summary(
    *models: Sequence[RowMetrics],
    lane: Lane = Lane.LAB,
    include_invalid: bool = False,
    quality_only: bool = False,
    **changes: Any,
) -> Summary:
    """Return the summary of each model's rows."""
    policy = FrontierPolicy(0.95, 2.0, include_invalid, quality_only=quality_only)
    sessions = [
        build_session(
            rows[0].model_id, rows, {row.quant_tag: _scores(row) for row in rows}, policy, lane
        )
        for rows in models
    ]
    values: dict[str, Any] = {
        "generated_at": "2026-01-02T03:04:05Z",
        "provenance": Provenance(
            ref="local-run:manual", commit_sha="c0ffee", dirty=True, config_sha256="f00d"
        ),
        "execution_lane": lane,
        "vram_profile": VramProfile.SAFE,
        "hardware_fingerprint": MACHINE,
        "commit_sha": "c0ffee",
        "matrix": {
            "sweep": "reference",
            "task_bank": "config/task_banks/reference.json",
            "runs_per_quant": 2,
            "probe_runs": 5,
            "provider": "embedded",
            "seed": 7,
            "threads": None,
        },
        "canary": CanarySummary(
            enabled=True,
            passed=True,
            failed_reasons=(),
            adherence_variance=0.0,
            internal_latency_cv=0.0123,
            latency_variance_threshold=0.03,
        ),
        "sessions": sessions,
        "ranking": rank_models(
            [whole_row(row, tuple(_scores(row))) for rows in models for row in rows],
            include_invalid,
            lane,
        ),
        "stability_kpis": stability_kpis(models, policy, lane),
        "failed_rows": [
            FailedRow(
                model_id=row.model_id,
                quant_tag=row.quant_tag,
                status=row.status.value,
                status_reason=row.status_reason,
            )
            for rows in models
            for row in rows
            if row.status is not RunStatus.MEASURED
        ],
    }
    return Summary(**(values | changes))


def _scores(row: RowMetrics) -> list[TaskScore]:
    """Return scores of which the first tasks pass, as many as the adherence says."""
    passes = round((row.adherence_score or 0.0) * TASKS)
    return [
        TaskScore(test_id=f"task-{n}", passed=n < passes, adherence_score=float(n < passes))
        for n in range(TASKS)
    ]


def cells(line: str) -> list[str]:
    """Return the cells of a Markdown table line."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def row_of(text: str, tag: str) -> list[str]:
    """Return the cells of the first line of a quant."""
    return next(cells(line) for line in text.splitlines() if line.startswith(f"| {tag} |"))


def section(text: str, title: str) -> str:
    """Return a section of a report, or of a page's text."""
    return text.split(f"## {title}\n")[1].split("\n## ")[0] + "\n"
