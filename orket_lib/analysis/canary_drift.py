"""The canary before and after the sweep: whether the machine changed meanwhile."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from orket_lib.analysis.statistics import rank_sum_exact
from orket_lib.artifacts.measurements.canary import CanaryMeasurement, CanaryRun
from orket_lib.artifacts.views.summary import CanaryDrift
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null

_FEWEST = 2


def canary_drifts(
    opening: Sequence[CanaryMeasurement], closing: Sequence[CanaryMeasurement], drop_first: bool
) -> tuple[CanaryDrift, ...]:
    """Return the drift of each canary that was measured twice.

    Args:
        opening: Measurements before the sweep.
        closing: Measurements of the same specs after it.
        drop_first: Ignore the time of the first run, as the verdict does.

    Raises:
        ArtifactError: A closing canary has no opening one.
    """
    before = {item.spec_digest: item for item in opening}
    strangers = [item.spec_digest for item in closing if item.spec_digest not in before]
    if strangers:
        raise ArtifactError(f"no opening canary of {', '.join(strangers)}")
    return tuple(_drift(before[item.spec_digest], item, drop_first) for item in closing)


def _drift(opening: CanaryMeasurement, closing: CanaryMeasurement, drop_first: bool) -> CanaryDrift:
    return CanaryDrift.of(
        model_id=closing.spec.model_id,
        quant_tag=closing.spec.quant_tag,
        opened_at=opening.measured_at,
        closed_at=closing.measured_at,
        same_answers=_same_scores(opening.runs, closing.runs),
        failure=closing.failure,
        **_figures(opening, closing, drop_first),
    )


def _figures(
    opening: CanaryMeasurement, closing: CanaryMeasurement, drop_first: bool
) -> dict[str, float | Null]:
    pair = _seconds_of_both(opening, closing, drop_first)
    if isinstance(pair, Null):
        return dict.fromkeys(CanaryDrift.readings(), pair)
    before, after = map(statistics.median, pair)
    return {
        "opening_seconds": before,
        "closing_seconds": after,
        "drift": after / before - 1,
        "p_value": rank_sum_exact(*pair),
    }


def _seconds_of_both(
    opening: CanaryMeasurement, closing: CanaryMeasurement, drop_first: bool
) -> tuple[list[float], list[float]] | Null:
    """Return the generation times of both canaries, by one clock that both have.

    The server's clock if possible, otherwise ours; different clocks are never compared.
    """
    # Sweeps share the opening canary, which may have been measured again after this sweep.
    if opening.measured_at >= closing.measured_at:
        return Null("NOT_AROUND_THE_SWEEP")
    if opening.failure is not None or closing.failure is not None:
        return Null("CANARY_NOT_MEASURED")
    both = [
        [run for run in item.runs if run.run_index >= int(drop_first)]
        for item in (opening, closing)
    ]
    if min(map(len, both)) < _FEWEST:
        return Null("FEWER_THAN_2_SAMPLES")
    for clock in ("internal_model_seconds", "client_seconds"):
        first, last = ([getattr(run, clock) for run in runs] for runs in both)
        if all(value is not None and value > 0 for value in first + last):
            return first, last
    return Null("TIMING_UNAVAILABLE")


def _same_scores(opening: Sequence[CanaryRun], closing: Sequence[CanaryRun]) -> bool | None:
    """Tell whether both canaries have the same scores; None if no task is graded."""
    before, after = (
        {(run.test_id, run.adherence_score) for run in runs} for runs in (opening, closing)
    )
    graded = any(score is not None for _, score in before | after)
    return before == after if graded or not (before and after) else None
