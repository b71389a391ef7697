"""How the same canary did before and after the sweep: did the machine stay as it was?"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from orket_lib.analysis.statistics import rank_sum_exact
from orket_lib.artifacts.canary import CanaryMeasurement, CanaryRun
from orket_lib.artifacts.summary import CanaryDrift
from orket_lib.vocabulary.nulls import Null

_FEWEST = 2


def canary_drifts(
    opening: Sequence[CanaryMeasurement], closing: Sequence[CanaryMeasurement], drop_first: bool
) -> tuple[CanaryDrift, ...]:
    """Return the drift of each canary that was measured twice.

    Args:
        opening: Before the sweep.
        closing: After it, of the same specs.
        drop_first: Leave the first run's time out, as the verdict does.

    Raises:
        ValueError: A closing canary has no opening one.
    """
    before = {item.spec_digest: item for item in opening}
    strangers = [item.spec_digest for item in closing if item.spec_digest not in before]
    if strangers:
        raise ValueError(f"no opening canary of {', '.join(strangers)}")
    return tuple(_drift(before[item.spec_digest], item, drop_first) for item in closing)


def _drift(opening: CanaryMeasurement, closing: CanaryMeasurement, drop_first: bool) -> CanaryDrift:
    first, last = _seconds(opening, drop_first), _seconds(closing, drop_first)
    # An opening canary is every sweep's, and may have been measured again since this one ended.
    around = None if opening.measured_at < closing.measured_at else Null("NOT_AROUND_THE_SWEEP")
    missing = around or next((it for it in (first, last) if isinstance(it, Null)), None)
    figures: dict[str, float | Null] = dict.fromkeys(CanaryDrift.readings(), missing or Null(""))
    if missing is None and not isinstance(first, Null) and not isinstance(last, Null):
        before, after = statistics.median(first), statistics.median(last)
        figures = {
            "opening_seconds": before,
            "closing_seconds": after,
            "drift": after / before - 1,
            "p_value": rank_sum_exact(first, last),
        }
    return CanaryDrift.of(
        model_id=closing.spec.model_id,
        quant_tag=closing.spec.quant_tag,
        opened_at=opening.measured_at,
        closed_at=closing.measured_at,
        same_answers=_scores(opening.runs) == _scores(closing.runs),
        failure=closing.failure,
        **figures,
    )


def _seconds(measurement: CanaryMeasurement, drop_first: bool) -> list[float] | Null:
    """Return the seconds of the probe-sized generations, by the server's clock or else by ours."""
    if measurement.failure is not None:
        return Null("CANARY_NOT_MEASURED")
    runs = [run for run in measurement.runs if run.run_index >= int(drop_first)]
    for name in ("internal_model_seconds", "client_seconds"):
        seconds = [value for run in runs if (value := getattr(run, name)) is not None]
        if len(seconds) == len(runs) >= _FEWEST and min(seconds) > 0:
            return seconds
    return Null("FEWER_THAN_2_SAMPLES" if len(runs) < _FEWEST else "TIMING_UNAVAILABLE")


def _scores(runs: Sequence[CanaryRun]) -> set[tuple[str, float]]:
    return {(run.test_id, run.adherence_score) for run in runs}
