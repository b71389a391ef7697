"""Caveats of a decision: failures with causes other than the quant, and disturbed times."""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.vocabulary.statuses import ADVICE, Lane, RunStatus


def caveats(rows: Sequence[RowMetrics], lane: Lane, include_invalid: bool) -> list[str]:
    """Return the caveats as sentences, the most important first.

    Args:
        rows: Rows of the model.
        lane: In lane ci speeds are not evidence.
        include_invalid: Whether rows that are not valid are included.
    """
    judged = [row for row in rows if row.status is RunStatus.MEASURED]
    said = [*_not_the_quants(judged), *_disturbed(judged)]
    if include_invalid and not all(row.valid for row in judged):
        said.append("Rows that are not valid were included.")
    if lane is Lane.CI:
        said.append("Lane ci: speeds are not evidence.")
    return said


def _not_the_quants(rows: Sequence[RowMetrics]) -> list[str]:
    """Return a sentence for each kind of failure that may have a cause other than the quant."""
    said = []
    graded = any(row.adherence_score is not None for row in rows)
    wrong = "wrong" if graded else "different from the baseline's"
    for failure, advice in ADVICE.items():
        counts = [
            (row.quant_tag, item.runs, row.test_runs, item.first)
            for row in rows
            for item in row.failures
            if item.failure is failure
        ]
        if counts:
            listed = ", ".join(f"{tag} {runs} of {asked}" for tag, runs, asked, _ in counts)
            said.append(
                f"Answers that failed for {failure.value} count as {wrong}: {listed} runs "
                f"(first: {counts[0][3]}); {advice}."
            )
    return said


def _disturbed(rows: Sequence[RowMetrics]) -> list[str]:
    """Return a sentence on rows with valid answers but disturbed times."""
    found = [row for row in rows if row.quality_valid and not row.valid]
    if not found:
        return []
    names = ", ".join(row.quant_tag for row in found)
    reason = next(
        (f"{item.reason.value}: {item.evidence}" for item in found[0].run_quality_reasons),
        "; ".join(found[0].invalid_because),
    )
    return [f"The times of {names} were disturbed and don't count ({reason})."]
