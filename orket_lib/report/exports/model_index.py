"""Measurements as the `model-index` of a model card on the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orket_lib.analysis.frontier import memory_mib
from orket_lib.analysis.rows.adherence_interval import adherence_interval
from orket_lib.artifacts.measurements.spec import TaskSelection
from orket_lib.artifacts.views.summary import ModelSession, Summary, SummaryRow
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.text import visible

_DECODE = "generation_tokens_per_second"
_NAMES = {
    "adherence": "Adherence, 0 to 1",
    "decode_tokens_per_second": "Decode rate, tokens/s",
    "peak_memory_mib": "Peak memory, MiB",
}


def model_index(
    session: ModelSession, summary: Summary, tasks: TaskSelection | None, measured_at: str
) -> str:
    """Return YAML for the metadata of a model card: each quant's measured values.

    What was not measured is left out, as are speeds that are no evidence.

    Args:
        session: The model.
        summary: The sweep that it is from.
        tasks: What was asked; None if that is not known any more.
        measured_at: Day of the measurement.

    Raises:
        ArtifactError: There is no measured value.
    """
    import yaml

    metrics = [it for row in session.per_quant for it in _metrics(row, session, summary)]
    if not metrics:
        raise ArtifactError(
            f"{session.model_id}: nothing was measured that counts; `orket show` says why"
        )
    dataset: dict[str, Any] = {
        "type": tasks.bank_id if tasks else str(summary.matrix.get("task_bank", "tasks")),
        "name": f"Orket task bank {tasks.bank_id}" if tasks else "Orket tasks",
    }
    if tasks:
        dataset |= {"revision": tasks.sha256, "args": {"tasks": len(tasks.ids)}}
    for metric in metrics:
        metric["args"]["measured_at"] = measured_at
    result = {
        "task": {"type": "text-generation", "name": "Text Generation"},
        "dataset": dataset,
        "metrics": metrics,
    }
    found = {"model-index": [{"name": session.model_id, "results": [result]}]}
    return yaml.safe_dump(_shown(found), sort_keys=False, allow_unicode=True, width=1000)


def _metrics(row: SummaryRow, session: ModelSession, summary: Summary) -> Iterator[dict[str, Any]]:
    """Yield the metrics of a quant in the Hub's form, each with how it was measured."""
    served = {
        "quant": row.quant_tag,
        "bits_per_weight": None if row.quant_rank is None else round(row.quant_rank / 100, 4),
        "file_bytes": row.artifact.bytes,
        "file_sha256": row.artifact.sha256,
        "server": row.artifact.build,
        "context_tokens": summary.settings_of(row.model_id).get("n_ctx"),
    }
    if row.quality_valid and row.adherence_score is not None:
        verdict = next((it for it in session.verdicts if it.quant_tag == row.quant_tag), None)
        judged = verdict if verdict and verdict.probability is not None else None
        yield _metric(
            "adherence",
            row,
            row.adherence_score,
            served
            | {
                "interval_95": _interval(*adherence_interval(row)),
                "tasks": row.tasks,
                "runs": row.test_runs,
                "failed_runs": row.failed_runs,
                "baseline_quant": session.baseline_quant,
                "verdict": judged.verdict.value if judged else None,
                "probability_that_it_keeps_the_threshold": judged.probability if judged else None,
            },
        )
    if not row.speed_valid:
        return
    on = served | {"machine": summary.hardware_fingerprint}
    if summary.execution_lane is not Lane.CI and row.generation_tokens_per_second is not None:
        interval = _interval(*row.intervals.get(_DECODE, (None, None)))
        yield _metric(
            "decode_tokens_per_second",
            row,
            row.generation_tokens_per_second,
            on | {"interval_95": interval},
        )
    memory = memory_mib(row)
    if not isinstance(memory, Null):
        yield _metric("peak_memory_mib", row, memory, on)


def _metric(kind: str, row: SummaryRow, value: float, args: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": kind,
        "name": f"{_NAMES[kind]} ({row.quant_tag})",
        "value": value,
        "args": {name: it for name, it in args.items() if it is not None},
    }


def _interval(low: float | None, high: float | None) -> list[float] | None:
    return None if low is None or high is None else [low, high]


def _shown(value: Any) -> Any:
    """Return the same with every text visible and on one line."""
    if isinstance(value, dict):
        return {name: _shown(it) for name, it in value.items()}
    if isinstance(value, list):
        return [_shown(it) for it in value]
    return visible(value, "") if isinstance(value, str) else value
