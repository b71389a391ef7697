"""Failed answers of a cell, counted by the kind of failure (T30)."""

from __future__ import annotations

from collections.abc import Iterable

from orket_lib.artifacts.views.row import FailureCount
from orket_lib.artifacts.views.run_report import TestRun
from orket_lib.vocabulary.statuses import AnswerFailure, Outcome

_AT_THE_LIMIT = "length"


def failure_of(run: TestRun) -> AnswerFailure | None:
    """Return how a run failed; None for one that passed, or that had nothing to pass."""
    match run.outcome:
        case Outcome.PASS:
            return None
        case Outcome.TIMEOUT:
            return AnswerFailure.TIMEOUT
        case Outcome.ERROR:
            return AnswerFailure.FAULT
        case Outcome.ANSWERED:
            return AnswerFailure.EMPTY if is_empty(run) else None
    if run.finish_reason == _AT_THE_LIMIT:
        return AnswerFailure.CUT
    if is_empty(run):
        return AnswerFailure.EMPTY
    return AnswerFailure.UNPARSEABLE if run.unparseable else AnswerFailure.WRONG


def is_empty(run: TestRun) -> bool:
    """Tell whether a run was answered with nothing."""
    return run.answer is not None and not run.answer.strip()


def count_failures(runs: Iterable[TestRun]) -> tuple[FailureCount, ...]:
    """Return how many runs failed in each way, in the order of `AnswerFailure`."""
    found: dict[AnswerFailure, list[TestRun]] = {}
    for run in runs:
        failure = failure_of(run)
        if failure:
            found.setdefault(failure, []).append(run)
    return tuple(
        FailureCount(failure=failure, runs=len(found[failure]), first=_words(found[failure][0]))
        for failure in AnswerFailure
        if failure in found
    )


def _words(run: TestRun) -> str:
    """Return the name of a run and the details of its failure."""
    place = f"{run.test_id} run {run.run_index + 1}"
    limit = run.finish_reason == _AT_THE_LIMIT
    tokens = run.telemetry.token_metrics.counts.output_tokens
    known = [
        run.outcome_detail,
        "finish_reason length" if limit else "",
        f"{tokens:g} tokens" if limit and tokens is not None else "",
        "no content" if is_empty(run) else "",
    ]
    return f"{place}: {', '.join(filter(None, known))}" if any(known) else place
