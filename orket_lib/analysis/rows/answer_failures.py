"""Failed answers of a cell, counted by the kind of failure (T30)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orket_lib.artifacts.views.row import FailureCount
from orket_lib.artifacts.views.run_report import RunReport, TestRun
from orket_lib.reading.reasoning import opens_reasoning, strip_reasoning
from orket_lib.vocabulary.statuses import AnswerFailure, Outcome

# How servers spell that an answer reached a limit, called a tool, or was withheld.
_AT_A_LIMIT = ("length", "max_tokens", "max_length", "model_length", "maxpredictedtokensreached")
_TOOLS = ("tool_calls", "tool_call", "tool_use", "function_call")
_WITHHELD = ("content_filter", "safety", "refusal")
_LEFT = 8  # tokens that a full context may still have


@dataclass(frozen=True)
class Limits:
    """The limits of an answer, in tokens.

    Attributes:
        output: `max_output_tokens`.
        context: Of the served model; None if unknown.
    """

    output: int
    context: float | None = None

    @classmethod
    def of(cls, report: RunReport) -> Limits:
        """Return the limits of a cell."""
        served = [session.served.n_ctx for session in report.sessions]
        contexts = [context for context in served if context is not None]
        return cls(report.spec.max_output_tokens, min(contexts, default=None))


def failure_of(run: TestRun, limits: Limits) -> AnswerFailure | None:
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
    if run.answer is None:  # a runner's own score
        return AnswerFailure.WRONG
    finish = (run.finish_reason or "").lower()
    blank = not strip_reasoning(run.answer).strip()
    output = run.telemetry.token_metrics.counts.output_tokens
    # A runner's count is of all its requests.
    reached = output is not None and output >= limits.output and run.runner is None
    if finish in _AT_A_LIMIT or reached:
        if _context_is_full(run, limits):
            return AnswerFailure.CUT_BY_CONTEXT
        return AnswerFailure.CUT_IN_REASONING if blank and has_reasoned(run) else AnswerFailure.CUT
    if finish in _WITHHELD:
        return AnswerFailure.FILTERED
    if blank and finish in _TOOLS:
        return AnswerFailure.TOOL_CALL
    if blank:
        return AnswerFailure.ONLY_REASONING if has_reasoned(run) else AnswerFailure.EMPTY
    return AnswerFailure.UNPARSEABLE if run.unparseable else AnswerFailure.WRONG


def has_reasoned(run: TestRun) -> bool:
    """Tell whether an answer began with reasoning, apart from the text or in it."""
    return run.reasoning is not None or opens_reasoning(run.answer or "")


def is_empty(run: TestRun) -> bool:
    """Tell whether a run was answered with nothing."""
    return run.answer is not None and not run.answer.strip()


def count_failures(runs: Iterable[TestRun], limits: Limits) -> tuple[FailureCount, ...]:
    """Return how many runs failed in each way, in the order of `AnswerFailure`."""
    found: dict[AnswerFailure, list[TestRun]] = {}
    for run in runs:
        failure = failure_of(run, limits)
        if failure:
            found.setdefault(failure, []).append(run)
    return tuple(
        FailureCount(
            failure=failure,
            runs=len(found[failure]),
            first=_words(found[failure][0], limits),
        )
        for failure in AnswerFailure
        if failure in found
    )


def _context_is_full(run: TestRun, limits: Limits) -> bool:
    """Return whether an answer at a limit ended because of the context."""
    counts = run.telemetry.token_metrics.counts
    if counts.output_tokens is None or counts.output_tokens >= limits.output:
        return False
    if counts.prompt_tokens is None or limits.context is None:
        return False
    return counts.prompt_tokens + counts.output_tokens >= limits.context - _LEFT


def _words(run: TestRun, limits: Limits) -> str:
    """Return the name of a run and the details of its failure."""
    place = f"{run.test_id} run {run.run_index + 1}"
    finish = (run.finish_reason or "").lower()
    output = run.telemetry.token_metrics.counts.output_tokens
    blank = run.answer is not None and not strip_reasoning(run.answer).strip()
    of_limit = f" of {limits.output}" if finish in _AT_A_LIMIT else ""
    known = [
        run.outcome_detail,
        f"finish_reason {run.finish_reason}" if finish not in ("", "stop") else "",
        f"{output:g}{of_limit} tokens" if output is not None and (of_limit or blank) else "",
        "all of them reasoning" if blank and has_reasoned(run) else "no content" if blank else "",
    ]
    return f"{place}: {', '.join(filter(None, known))}" if any(known) else place
