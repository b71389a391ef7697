"""All runs of a sweep as one tidy table: CSV, or Parquet with an optional package."""

from __future__ import annotations

import csv
import io
import types
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, NamedTuple, get_args

from orket_lib.analysis.rows.answer_failures import Limits, failure_of
from orket_lib.artifacts.printed.run_table import ExportedRun
from orket_lib.artifacts.views.run_report import NotAsked, Observation, Probe, RunReport, TestRun
from orket_lib.artifacts.views.summary import Summary, SummaryRow
from orket_lib.vocabulary.errors import OrketError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.text import printable, spreadsheet_text, well_formed

ANSWER = "answer"
_REASONS = "null_reasons"
_LATENCIES = ("ttft_ms", "prefill_seconds", "decode_seconds")
_LONGEST = 32_000  # characters of a cell that spreadsheets and readers of CSV take
_OTHER_KIND = Null("NOT_OF_THIS_KIND")
_TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false"}


class Column(NamedTuple):
    """A column of the table: its name, type, unit (`""` for none), and meaning."""

    name: str
    kind: str
    unit: str
    meaning: str


def columns(answers: bool = True) -> tuple[Column, ...]:
    """Return the columns in order.

    Args:
        answers: With the text of the answers.
    """
    fields = ExportedRun.model_fields
    named = [name for name in fields if name != _REASONS and (answers or name != ANSWER)]
    described = [
        Column(name, _TYPES[_type_of(name)], str(extra.get("unit", "")), field.description or "")
        for name in named
        for field in [fields[name]]
        for extra in [field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}]
    ]
    why = "why numbers of this row are missing: `name: REASON`, separated by `; `"
    return (*described, Column(_REASONS, "text", "", why))


def run_rows(summary: Summary, row: SummaryRow, report: RunReport | None) -> Iterator[ExportedRun]:
    """Yield the runs of one quant: probes, then answers, then tasks that were not asked.

    Args:
        summary: The sweep.
        row: The quant.
        report: All its rounds or batches as one; None if there is no report, because it was not
            measured.
    """
    common = _common(summary, row, report)
    if report is None or not (report.probes or report.test_runs or report.not_asked):
        yield _row(common, Null(f"STATUS_{row.status.upper()}"), kind="no_run", counted=False)
        return
    for probes, counted in ((report.probes, True), (report.discarded_probes, False)):
        for probe in probes:
            yield _probe(common, report, probe, counted)
    limits = Limits.of(report)
    for runs, counted in ((report.test_runs, True), (report.discarded_runs, False)):
        for run in runs:
            yield _answer(common, report, run, limits, counted)
    for task in report.not_asked:
        yield _not_asked(common, task)


def csv_text(rows: Iterable[ExportedRun], answers: bool) -> str:
    """Return the table as CSV; texts are short enough, on one line, and no formulas."""
    names = [column.name for column in columns(answers)]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    for row in rows:
        cells = (_cell(row, name) for name in names)
        table.writerow([_short(it) if isinstance(it, str) else it for it in cells])
    return text.getvalue()


def parquet_bytes(rows: Iterable[ExportedRun], answers: bool) -> bytes:
    """Return the table as a Parquet file, with unit and meaning of each column in its schema.

    Raises:
        OrketError: The package that writes Parquet is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise OrketError(
            "Parquet needs the package pyarrow, which is not here: type `pip install pyarrow`, or "
            "write CSV instead (--format csv)"
        ) from None
    found = list(rows)
    types_ = {
        "text": pyarrow.string(),
        "whole number": pyarrow.int64(),
        "number": pyarrow.float64(),
        "true or false": pyarrow.bool_(),
    }
    described = columns(answers)
    schema = pyarrow.schema(
        pyarrow.field(it.name, types_[it.kind], metadata={"unit": it.unit, "meaning": it.meaning})
        for it in described
    )
    values = {
        it.name: [
            well_formed(cell) if isinstance(cell, str) else cell
            for cell in (_cell(row, it.name) for row in found)
        ]
        for it in described
    }
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(values, schema=schema), sink, compression="zstd")
    return sink.getvalue()


def _short(text: str) -> str:
    return spreadsheet_text(text if len(text) <= _LONGEST else printable(text, _LONGEST))


def _type_of(name: str) -> type:
    """Return the type of a field without its null; enums and literals are text."""
    annotation: Any = ExportedRun.model_fields[name].annotation
    options = [it for it in get_args(annotation) if it is not types.NoneType] or [annotation]
    found = options[0]
    return found if found in (int, float, bool) else str


def _cell(row: ExportedRun, name: str) -> Any:
    if name == _REASONS:
        return "; ".join(map(": ".join, row.null_reasons.items()))
    value = getattr(row, name)
    return value.value if isinstance(value, Enum) else value


def _common(summary: Summary, row: SummaryRow, report: RunReport | None) -> dict[str, Any]:
    matrix, rank = summary.settings_of(row.model_id), row.reading("quant_rank")
    spec = report.spec if report else None
    controls = spec.controls if spec else None
    return {
        "sweep": str(matrix.get("sweep", "")),
        "model_id": row.model_id,
        "quant_tag": row.quant_tag,
        "bank_id": spec.tasks.bank_id if spec else str(matrix.get("task_bank", "")),
        "status": row.status,
        "status_reason": row.status_reason,
        "row_valid": row.valid,
        "invalid_because": "; ".join(row.invalid_because),
        "bits_per_weight": rank if isinstance(rank, Null) else rank / 100,
        "file_bytes": row.artifact.reading("bytes"),
        "file_sha256": row.artifact.sha256,
        "file_digest": row.artifact.digest,
        "file_tag": row.artifact.tag,
        "provider": spec.provider if spec else str(matrix.get("provider", "")),
        "server_build": row.artifact.build,
        "max_output_tokens": spec.max_output_tokens if spec else matrix.get("max_output_tokens"),
        "temperature": spec.temperature if spec else matrix.get("temperature"),
        "seed": controls.seed if controls else matrix.get("seed"),
        "threads": controls.threads if controls else matrix.get("threads"),
        "machine": (report and report.hardware_fingerprint) or summary.hardware_fingerprint or "",
        "execution_lane": summary.execution_lane,
        "vram_profile": summary.vram_profile,
        "measured_at": report.measured_at if report else summary.generated_at,
    }


def _row(common: dict[str, Any], why: Null, **values: Any) -> ExportedRun:
    """Return a row; readings that are not given are null because of `why`."""
    given = common | values
    empty = dict.fromkeys(name for name in ExportedRun.model_fields if name != _REASONS)
    silent = empty | {"run_quality_reasons": ""} | dict.fromkeys(ExportedRun.readings(), why)
    return ExportedRun.of(**(silent | given))


def _of_load(report: RunReport, index: int) -> dict[str, Any]:
    load = report.sessions[index]
    return {
        "session": index,
        "load_seconds": load.load.reading("load_seconds"),
        "n_ctx": load.served.reading("n_ctx"),
    }


def _answer(
    common: dict[str, Any], report: RunReport, run: TestRun, limits: Limits, counted: bool
) -> ExportedRun:
    telemetry = run.telemetry
    tokens = telemetry.token_metrics
    names = (
        *("adherence_score", "total_latency", "internal_model_seconds"),
        *("orchestration_overhead_ratio", "peak_memory_rss", "peak_vram_mib"),
    )
    return _row(
        common | _of_load(report, run.session),
        _OTHER_KIND,
        kind="answer",
        counted=counted,
        test_id=run.test_id,
        family=run.family,
        level=run.tier,
        run_index=run.run_index,
        started_s=run.window_s[0],
        outcome=run.outcome,
        failure=failure_of(run, limits),
        detail=run.outcome_detail or None,
        form_kept=run.form_kept,
        finish_reason=run.finish_reason,
        answer_sha256=run.answer_sha256,
        token_metrics_status=telemetry.token_metrics_status,
        run_quality_status=telemetry.run_quality_status,
        run_quality_reasons=_seen(telemetry.run_quality_reasons),
        answer=run.answer,
        **{name: telemetry.reading(name) for name in names},
        **{name: tokens.counts.reading(name) for name in ("prompt_tokens", "output_tokens")},
        **{name: tokens.latencies.reading(name) for name in _LATENCIES},
        **{name: tokens.throughput.reading(name) for name in tokens.throughput.readings()},
    )


def _probe(common: dict[str, Any], report: RunReport, probe: Probe, counted: bool) -> ExportedRun:
    names = (
        *("prompt_tokens", "output_tokens", *_LATENCIES, "internal_model_seconds"),
        *("prompt_tokens_per_second", "generation_tokens_per_second"),
    )
    return _row(
        common | _of_load(report, probe.session),
        _OTHER_KIND,
        kind="probe",
        counted=counted,
        run_index=probe.index,
        started_s=probe.window_s[0],
        detail=probe.failure,
        run_quality_reasons=_seen(probe.observations),
        **{name: probe.reading(name) for name in names},
    )


def _not_asked(common: dict[str, Any], task: NotAsked) -> ExportedRun:
    return _row(
        common,
        Null(task.reason),
        kind="not_asked",
        counted=False,
        test_id=task.test_id,
        family=task.family,
        level=task.tier,
        detail=task.reason,
    )


def _seen(observations: Iterable[Observation]) -> str:
    return "; ".join(f"{it.reason}: {it.evidence}" for it in observations)
