"""The canary's verdict: its figures compared with the thresholds."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from orket_lib.artifacts.measurements.canary import (
    CanaryFigures,
    CanaryMeasurement,
    CanaryPolicy,
    CanaryRun,
)
from orket_lib.vocabulary.nulls import Null, all_of, any_of
from orket_lib.vocabulary.statuses import TokenStatus
from orket_lib.vocabulary.thresholds import exceeds

_Clock = Literal["server", "client"]
_LATENCY = {"server": "internal latency", "client": "latency by our own clock"}
_NO_TIMES = Null("TIMING_UNAVAILABLE")


# Reasons that say nothing about answers.
_OF_LATENCY = frozenset(("LATENCY_VARIANCE_UNAVAILABLE", "LATENCY_VARIANCE_THRESHOLD_EXCEEDED"))


class Judgement(NamedTuple):
    """The figures, and a reason code with a sentence for each missed threshold."""

    figures: CanaryFigures
    failures: tuple[tuple[str, str], ...]

    @property
    def only_latency(self) -> bool:
        """Whether it failed, and by latency alone."""
        return bool(self.failures) and all(reason in _OF_LATENCY for reason, _ in self.failures)


def judge_canary(measurements: Sequence[CanaryMeasurement], policy: CanaryPolicy) -> Judgement:
    """Return figures and failures of the canary under a policy; of several models, the worst."""
    failures = tuple(
        ("CANARY_NOT_MEASURED", f"{item.spec.model_id} {item.spec.quant_tag}: {item.failure}")
        for item in measurements
        if item.failure is not None
    )
    if failures:
        nothing = Null("CANARY_NOT_MEASURED")
        figures = CanaryFigures.of(**dict.fromkeys(CanaryFigures.readings(), nothing))
        return Judgement(figures, failures)
    tasks = [task for item in measurements for task in _by_task(item.runs)]
    clock = _clock(measurements)
    missing = max(map(_missing_rate, measurements))
    figures = CanaryFigures.of(
        adherence_variance=any_of(map(_spread, tasks), max, Null("NO_RUN")),
        internal_latency_cv=all_of(
            (_latency_cv(runs, clock, policy.drop_first_run) for runs in tasks), max, _NO_TIMES
        ),
        latency_source=clock,
        missing_telemetry_rate=missing,
    )
    meanwhile = [item.disturbance for item in measurements if item.disturbance]
    failures = tuple(
        (reason, f"{text}; {meanwhile[0]}" if meanwhile and reason in _OF_LATENCY else text)
        for reason, text in _failures(figures, policy)
    )
    return Judgement(figures, failures)


def _missing_rate(measurement: CanaryMeasurement) -> float:
    return statistics.fmean(run.token_status is not TokenStatus.OK for run in measurement.runs)


def _failures(figures: CanaryFigures, policy: CanaryPolicy) -> list[tuple[str, str]]:
    failures = []
    variance, cv = figures.adherence_variance, figures.internal_latency_cv
    missing, most = figures.missing_telemetry_rate, policy.max_missing_telemetry_rate
    limit = policy.latency_variance_threshold
    if variance is not None and exceeds(variance, 0):
        text = f"adherence of a task varies by {variance:.3f} between its runs, must be 0"
        failures.append(("ADHERENCE_VARIANCE_NON_ZERO", text))
    if cv is None:
        why = figures.null_reasons["internal_latency_cv"]
        failures.append(("LATENCY_VARIANCE_UNAVAILABLE", f"variation of latency is unknown: {why}"))
    elif exceeds(cv, limit):
        text = (
            f"coefficient of variation of the {_LATENCY[figures.latency_source]} is {cv:.4f}, "
            f"{cv - limit:.4f} above canary_latency_variance_threshold {limit:g}"
        )
        failures.append(("LATENCY_VARIANCE_THRESHOLD_EXCEEDED", text))
    if missing is not None and exceeds(missing, most):
        text = (
            f"missing telemetry rate {missing:g} exceeds canary_max_missing_telemetry_rate {most:g}"
        )
        failures.append(("MISSING_TELEMETRY_RATE_EXCEEDED", text))
    return failures


def _by_task(runs: Sequence[CanaryRun]) -> list[list[CanaryRun]]:
    groups: dict[str, list[CanaryRun]] = defaultdict(list)
    for run in runs:
        groups[run.test_id].append(run)
    return [sorted(group, key=lambda run: run.run_index) for group in groups.values()]


def _spread(runs: Sequence[CanaryRun]) -> float | Null:
    scores = [run.reading("adherence_score") for run in runs]
    return all_of(scores, lambda known: max(known) - min(known), Null("NO_RUN"))


def _clock(measurements: Iterable[CanaryMeasurement]) -> _Clock:
    """Return whose clock is used: ours if the server reports no times at all."""
    silent = all(run.internal_model_seconds is None for item in measurements for run in item.runs)
    return "client" if silent else "server"


def _latency_cv(runs: Sequence[CanaryRun], clock: _Clock, drop_first: bool) -> float | Null:
    """Return population stdev / mean of the generations' seconds; needs two samples."""
    readings = [
        run.client_seconds if clock == "client" else run.internal_model_seconds
        for run in runs[1 if drop_first else 0 :]
    ]
    seconds = [value for value in readings if value is not None]
    if len(seconds) < max(2, len(readings)):
        return Null("FEWER_THAN_2_SAMPLES") if len(readings) < 2 else _NO_TIMES
    mean = statistics.fmean(seconds)
    return statistics.pstdev(seconds) / mean if mean > 0 else _NO_TIMES
