"""Caveats of a decision: failures with causes other than the quant, and disturbed times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.vocabulary.reasons import TRANSIENT, Reason, spoils_quality
from orket_lib.vocabulary.statuses import (
    ADVICE,
    MEANINGS,
    AnswerFailure,
    Lane,
    Quality,
    RunStatus,
)
from orket_lib.vocabulary.text import listed

# Share of a baseline's runs from which its failures are to be dealt with before anything else.
# Small models often answer in no form that can be read, which is no fault of the set-up.
_MANY, _MOSTLY = 0.05, 0.4


@dataclass(frozen=True)
class BaselineFails:
    """The most frequent failure of a baseline that may have another cause than the quant.

    Attributes:
        quant: The baseline.
        failure: How its answers failed.
        runs: How many of them.
        asked: Of how many.
    """

    quant: str
    failure: AnswerFailure
    runs: int
    asked: int

    def __str__(self) -> str:
        return f"{self.runs} of {self.asked} answers of {self.quant} failed for {self.failure}"


def baseline_fails(row: RowMetrics | None) -> BaselineFails | None:
    """Return how a baseline mostly fails, if that needs a change; None if it hardly does."""
    if row is None:
        return None
    found = [
        item
        for item in row.failures
        if item.failure in ADVICE and item.runs >= _needed(item.failure, row.test_runs)
    ]
    worst = max(found, key=lambda item: item.runs, default=None)
    if worst is None:
        return None
    return BaselineFails(row.quant_tag, worst.failure, worst.runs, row.test_runs)


def _needed(failure: AnswerFailure, runs: int) -> float:
    """Return how many of so many runs must fail in one way; of several, one is no pattern."""
    share = _MOSTLY if failure is AnswerFailure.UNPARSEABLE else _MANY
    return max(share * runs, min(2, runs))


def caveats(rows: Sequence[RowMetrics], lane: Lane, include_invalid: bool) -> list[str]:
    """Return the caveats as sentences, the most important first.

    Args:
        rows: Rows of the model.
        lane: In lane ci speeds are not evidence.
        include_invalid: Whether rows that are not valid are included.
    """
    judged = [row for row in rows if row.status is RunStatus.MEASURED]
    said = _not_the_quants(judged)
    if include_invalid and not all(row.valid for row in judged):
        said.append("Rows that are not valid were included.")
    if lane is Lane.CI:
        said.append("Lane ci: speeds are not evidence.")
    return said


def disturbed_times(rows: Sequence[RowMetrics]) -> str:
    """Return what is to be said first of rows with valid answers and disturbed times.

    Args:
        rows: Rows of the model.

    Returns:
        By what they were disturbed, and how to repeat them. `""` without such rows.
    """
    found = [row for row in rows if row.adherence_score is not None and row.quality_valid]
    found = [row for row in found if not row.valid]
    if not found:
        return ""
    said = (
        f"The times of {listed([row.quant_tag for row in found])} don't count "
        f"({_disturbance(found[0])}); the answers do."
    )
    if not any(map(by_the_machine, found)):
        return said
    part, what = ("runs", "answers")
    if not all(row.speed_valid for row in found):
        part, what = ("probes", "speed probes")
    return (
        f"{said} On a quiet machine, the same command with `--config again={part}` repeats only "
        f"the {what}."
    )


def by_the_machine(row: RowMetrics) -> bool:
    """Tell whether other work on the machine disturbed a row, so that it may be repeated."""
    seen = {item.reason for item in row.run_quality_reasons}
    # In lane ci it may be busy without doing harm; then something else spoiled the row.
    polluted = row.run_quality_status is Quality.POLLUTED
    return polluted and bool(seen & {*TRANSIENT, Reason.CANARY_LATENCY})


def _disturbance(row: RowMetrics) -> str:
    """Return what disturbed a row's times, if possible with the process that did it."""
    seen = [item for item in row.run_quality_reasons if not spoils_quality(item.reason)]
    if not by_the_machine(row):
        seen = [item for item in seen if item.reason not in TRANSIENT]
    seen.sort(key=lambda item: item.reason is not Reason.HIGH_CPU_SATURATION)
    first = next((f"{item.reason.value}: {item.evidence}" for item in seen), None)
    return first or "; ".join(row.invalid_because)


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
            each = ", ".join(f"{tag} {runs} of {asked}" for tag, runs, asked, _ in counts)
            said.append(
                f"Answers that failed for {failure.value} ({MEANINGS[failure]}) count as {wrong}: "
                f"{each} runs (first: {counts[0][3]}); {advice}."
            )
    return said
