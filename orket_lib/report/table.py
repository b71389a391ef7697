"""The rows of a sweep as one flat table, for spreadsheets and notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orket_lib.artifacts.views.summary import Summary, SummaryRow

if TYPE_CHECKING:
    from pandas import DataFrame

_WORDS = ("status", "token_metrics_status", "run_quality_status", "hardware_sidecar", "valid")


def summary_table(summary: Summary) -> DataFrame:
    """Return one line per row; an empty cell is a null, whose reason stands in `null_reasons`."""
    import pandas as pd

    rows = [row for session in summary.sessions for row in session.per_quant]
    return pd.DataFrame([_flat(row) for row in rows], columns=_columns())


def _columns() -> list[str]:
    readings = list(SummaryRow.readings())
    return ["model_id", "quant_tag", *_WORDS, *readings, "test_runs", "failed_runs", "null_reasons"]


def _flat(row: SummaryRow) -> dict[str, object]:
    flat = {name: getattr(row, name) for name in _columns() if name != "null_reasons"}
    flat["null_reasons"] = "; ".join(f"{name}: {why}" for name, why in row.null_reasons.items())
    return flat
