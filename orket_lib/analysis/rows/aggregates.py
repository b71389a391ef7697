"""Aggregates over the runs and probes of one cell.

Rates are total tokens over total time, not means of rates. A failed run counts and scores 0; its
times are not the times of an answer, so they are left out of the latency figures (trap T10).
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import truediv
from typing import Any

from orket_lib.analysis.rows.answer_failures import Limits, failure_of, has_reasoned, is_empty
from orket_lib.analysis.statistics import half_width
from orket_lib.artifacts.views.row import FamilyScore, TaskScore
from orket_lib.artifacts.views.run_report import NotAsked, Probe, TestRun
from orket_lib.vocabulary.nulls import Null, all_of, any_of, apply, first_null
from orket_lib.vocabulary.rates import decode_rate, prefill_rate
from orket_lib.vocabulary.statuses import AnswerFailure, Outcome, TokenStatus

_NO_PROBE = Null("NO_PROBE")
_NOT_THOUGHT = Null("NO_THINKING_SENT")


def answered(run: TestRun) -> bool:
    """Tell whether a run returned an answer, right or wrong."""
    return run.outcome not in (Outcome.ERROR, Outcome.TIMEOUT)


def graded(runs: Sequence[TestRun]) -> list[TestRun]:
    """Return the runs of tasks that have an expected answer."""
    return [run for run in runs if run.telemetry.adherence_score is not None]


def mean_score(scores: Sequence[TaskScore]) -> float | Null:
    """Return the mean score of the graded tasks; null if none of them is graded."""
    return any_of(
        [score.reading("adherence_score") for score in scores], statistics.fmean, Null("NO_RUN")
    )


def task_scores(runs: Sequence[TestRun], limits: Limits | None = None) -> tuple[TaskScore, ...]:
    """Return each task's mean score over its runs, by task id.

    Args:
        runs: The graded runs.
        limits: Of an answer; without them, how runs failed is left out.
    """
    return tuple(
        TaskScore.of(
            test_id=group[0].test_id,
            passed=all(run.outcome is Outcome.PASS for run in group),
            adherence_score=all_of(
                [run.telemetry.reading("adherence_score") for run in group],
                statistics.fmean,
                Null("NO_RUN"),
            ),
            family=group[0].family,
            level=group[0].tier,
            # Two empty answers say nothing about two quants.
            answer_sha256=None if is_empty(group[0]) else group[0].answer_sha256,
            failure=_first_failure(group, limits) if limits else None,
        )
        for group in _by_task(runs)
    )


def not_asked_scores(tasks: Sequence[NotAsked], bank: str) -> tuple[TaskScore, ...]:
    """Return the scores of tasks that could not be asked: null, with the reason."""
    return tuple(
        TaskScore.of(
            test_id=task.test_id,
            passed=False,
            adherence_score=Null(task.reason),
            family=task.family,
            level=task.tier,
            bank=bank,
        )
        for task in tasks
    )


def by_family(runs: Sequence[TestRun], scores: Sequence[TaskScore]) -> tuple[FamilyScore, ...]:
    """Return the mean score of each family of graded tasks, by name."""
    family_of = {run.test_id: run.family for run in runs}
    families: dict[str, list[float]] = defaultdict(list)
    for score in scores:
        if score.adherence_score is not None:
            families[family_of[score.test_id]].append(score.adherence_score)
    return tuple(
        FamilyScore(family=name, adherence_score=statistics.fmean(values), tasks=len(values))
        for name, values in sorted(families.items())
    )


def missing_telemetry_rate(runs: Sequence[TestRun]) -> float | Null:
    """Return the share of the answered runs that lack usable token counts or times.

    A run without an answer has no tokens to count; it counts as failed instead.
    """
    missing = [
        run.telemetry.token_metrics_status is not TokenStatus.OK for run in runs if answered(run)
    ]
    return statistics.fmean(missing) if missing else Null("NO_RUN_ANSWERED")


def mean_over_answered(runs: Sequence[TestRun], reading: str) -> float | Null:
    """Return the mean of a telemetry reading over the runs that answered."""
    values = [run.telemetry.reading(reading) for run in runs if answered(run)]
    return any_of(values, statistics.fmean, Null("NO_RUN_ANSWERED"))


def output_tokens_per_answer(runs: Sequence[TestRun]) -> float | Null:
    """Return the mean number of tokens that an answer has, by the server's count."""
    counts = [run.telemetry.token_metrics.counts for run in runs if answered(run)]
    values = [count.reading("output_tokens") for count in counts]
    return any_of(values, statistics.fmean, Null("NO_RUN_ANSWERED"))


def thinking(runs: Sequence[TestRun], limits: Limits) -> dict[str, float | Null]:
    """Return what reasoning costs: tokens per answer and per right answer, and how often it is cut.

    Args:
        runs: The graded runs.
        limits: Of an answer.
    """
    said = [run for run in runs if answered(run)]
    counts = [run.telemetry.token_metrics.counts for run in said]
    # A server that sends reasoning sends all of it, so an answer without any took none.
    own = [count.reading("thinking_tokens") for count in counts]
    tokens = [0.0 if it == _NOT_THOUGHT else it for it in own]
    total = all_of([it.reading("output_tokens") for it in counts], sum, Null("NO_RUN_ANSWERED"))
    right = sum(run.outcome is Outcome.PASS for run in said)
    reasoned = any(map(has_reasoned, said))
    cut = [failure_of(run, limits) is AnswerFailure.CUT_IN_REASONING for run in said]
    none = _NOT_THOUGHT if said else Null("NO_RUN_ANSWERED")
    return {
        "output_tokens_per_right_answer": (
            apply(truediv, total, right) if right else Null("NO_CORRECT_ANSWER")
        ),
        "thinking_tokens_per_answer": all_of(tokens, statistics.fmean, none)
        if set(own) - {_NOT_THOUGHT}
        else none,
        "thinking_cut_share": statistics.fmean(cut) if reasoned else none,
    }


def format_rate(runs: Sequence[TestRun]) -> float | Null:
    """Return the share of the answers that kept their form, of those whose task asks for one.

    It is apart from the score, which counts content (T24).
    """
    if not any(map(answered, runs)):
        return Null("NO_RUN_ANSWERED")
    kept = [run.form_kept for run in runs if answered(run) and run.form_kept is not None]
    return statistics.fmean(kept) if kept else Null("NO_FORM_ASKED")


def peak(runs: Sequence[TestRun], reading: str) -> float | Null:
    """Return the largest value of a telemetry reading over all runs."""
    return any_of([run.telemetry.reading(reading) for run in runs], max, Null("NO_RUN"))


def first_missing(runs: Sequence[TestRun], probes: Sequence[Probe], reading: str) -> Null | None:
    """Return why a reading of the host is missing for some run or probe, or None."""
    hosts = [*(run.telemetry.host for run in runs), *(probe.host for probe in probes)]
    return first_null(host.reading(reading) for host in hosts)


def determinism_rate(runs: Sequence[TestRun]) -> float | Null:
    """Return the share of tasks whose runs all gave the same normalized answer (T16).

    Null with a runner that reports scores without answers: there is nothing to compare.
    """
    groups = _by_task(runs)
    if not groups:
        return Null("NO_RUN")
    if min(map(len, groups)) < 2:
        return Null("ONE_RUN_PER_TASK")
    if any(run.answer_sha256 is None for run in runs if answered(run)):
        return Null("NO_ANSWER_SHOWN")
    return statistics.fmean(
        len({run.answer_sha256 for run in group}) == 1 and answered(group[0]) for group in groups
    )


def median_ttft_ms(probes: Sequence[Probe]) -> float | Null:
    """Return the median time to first token over the probes, in ms."""
    return any_of(
        [probe.reading("ttft_ms") for probe in probes], statistics.median, Null("NO_PROBE")
    )


def probe_rates(probes: Sequence[Probe]) -> dict[str, Any]:
    """Return the prefill and decode rates of a cell, and whose clock they come from.

    The server's clock if every probe has it, otherwise the client's for all probes: the two clocks
    are never mixed.
    """
    by_server = all(probe.rate_source == "server" for probe in probes)
    prefill_seconds: float | Null
    if by_server:
        decode_time, prefill_time = "decode_seconds", "prefill_seconds"
        intervals = _total(probes, "decode_intervals")
        prefill_seconds = _total(probes, prefill_time)
    else:
        decode_time = "client_decode_seconds"
        intervals = apply(lambda tokens: tokens - len(probes), _total(probes, "output_tokens"))
        unsent, ttft_ms = _unsent(probes), _total(probes, "ttft_ms")
        prefill_seconds = apply(lambda ms: ms / 1000, ttft_ms) if unsent is None else unsent
    uncached = apply(
        lambda cached, prompt: prompt - int(cached),
        _total(probes, "cached_tokens"),
        _total(probes, "prompt_tokens"),
    )
    shortest = all_of([probe.reading("output_tokens") for probe in probes], min, _NO_PROBE)
    return {
        "prompt_tokens_per_second": prefill_rate(apply(int, uncached), prefill_seconds),
        "generation_tokens_per_second": decode_rate(
            apply(int, intervals), _total(probes, decode_time), apply(int, shortest)
        ),
        "rate_source": "server" if by_server else "client",
    }


def intervals(
    figures: Mapping[str, Any], runs: Sequence[TestRun], probes: Sequence[Probe]
) -> dict[str, tuple[float, float]]:
    """Return the 95 % intervals of a row's figures, from the values behind each of them.

    Args:
        figures: Decode rate, TTFT and latency; one that is null, or of one value, has none.
        runs: The graded runs.
        probes: The probes.
    """
    answers = [run.telemetry for run in runs if answered(run)]
    found = {}
    for name, value in figures.items():
        of = answers if name == "total_latency" else probes
        values = [getattr(item, name) for item in of]
        if not isinstance(value, Null) and len(values) > 1 and None not in values:
            far = half_width(values)
            found[name] = (value - far, value + far)
    return found


def _first_failure(runs: Sequence[TestRun], limits: Limits) -> AnswerFailure | None:
    return next(filter(None, (failure_of(run, limits) for run in runs)), None)


def _by_task(runs: Sequence[TestRun]) -> list[list[TestRun]]:
    groups: dict[int, list[TestRun]] = defaultdict(list)
    for run in runs:
        groups[run.task_id].append(run)
    return [groups[task_id] for task_id in sorted(groups)]


def _unsent(probes: Sequence[Probe]) -> Null | None:
    """Return why TTFT is not the time of the prompt: the first tokens of a probe were not sent."""
    unsent = Null("TOKENS_NOT_STREAMED")
    return (
        unsent if unsent in [probe.reading("client_decode_seconds") for probe in probes] else None
    )


def _total(probes: Sequence[Probe], reading: str) -> float | Null:
    """Return the sum of a reading; null if any probe lacks it."""
    return all_of([probe.reading(reading) for probe in probes], sum, _NO_PROBE)
