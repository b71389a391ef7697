"""The canary before and after a sweep: what changed, and what can't be compared."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from builders import MACHINE, NOW, PROVENANCE, spec

from orket_lib.analysis.canary_drift import canary_drifts
from orket_lib.artifacts.measurements.canary import CanaryMeasurement, CanaryRun
from orket_lib.artifacts.measurements.spec import CanarySpec
from orket_lib.artifacts.views.summary import CanaryDrift
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Outcome, TokenStatus

SPEC = CanarySpec(**spec().model_dump(exclude={"kind", "runs_per_task", "probe_runs"}), runs=5)
COLD = 9.0  # the first run, which is left out


def measured(
    seconds: Sequence[float | Null],
    score: float = 1.0,
    failure: str | None = None,
    at: str = "2026-01-02T00:00:00Z",
) -> CanaryMeasurement:
    return CanaryMeasurement(
        generated_at=NOW,
        provenance=PROVENANCE,
        measured_at=at,
        boot_id="boot",
        hardware_fingerprint=MACHINE,
        spec=SPEC,
        spec_digest=SPEC.digest(),
        failure=failure,
        sessions=(),
        runs=tuple(
            CanaryRun.of(
                test_id="a",
                run_index=index,
                outcome=Outcome.PASS,
                adherence_score=score,
                token_status=TokenStatus.OK,
                internal_model_seconds=value,
            )
            for index, value in enumerate(seconds)
        ),
    )


BEFORE = measured([COLD, 1.00, 1.02, 0.98, 1.01], at="2026-01-01T00:00:00Z")


def drift_to(after: CanaryMeasurement, drop_first: bool = True) -> CanaryDrift:
    (drift,) = canary_drifts([BEFORE], [after], drop_first)
    return drift


def test_a_machine_that_became_slower_is_seen() -> None:
    drift = drift_to(measured([COLD, 1.22, 1.20, 1.18, 1.21]))
    assert drift.opening_seconds == pytest.approx(1.005)
    assert drift.closing_seconds == pytest.approx(1.205)
    assert drift.drift == pytest.approx(1.205 / 1.005 - 1)
    assert drift.p_value == pytest.approx(2 / 70)  # the least that four against four can give
    assert drift.same_answers


def test_the_first_run_is_left_out_as_in_the_verdict() -> None:
    assert drift_to(measured([0.01, 1.00, 1.02, 0.98, 1.01])).drift == 0
    with_it = drift_to(measured([0.01, 1.00, 1.02, 0.98, 1.01]), drop_first=False)
    assert with_it.drift is not None and with_it.drift < 0


def test_noise_is_no_drift_to_speak_of() -> None:
    drift = drift_to(measured([COLD, 0.99, 1.03, 0.97, 1.015]))
    assert drift.p_value is not None and drift.p_value > 0.5


def by_us(found: CanaryMeasurement, seconds: float) -> CanaryMeasurement:
    runs = tuple(run.model_copy(update={"client_seconds": seconds}) for run in found.runs)
    return found.model_copy(update={"runs": runs})


def test_the_server_s_clock_counts_where_it_tells_both_times() -> None:
    (drift,) = canary_drifts([by_us(BEFORE, 2.0)], [by_us(measured([COLD, *[1.1] * 4]), 9.0)], True)
    assert (drift.opening_seconds, drift.closing_seconds) == (pytest.approx(1.005), 1.1)


def test_two_clocks_are_never_compared() -> None:
    """A server that no longer says its times is compared by our clock, before and after."""
    silent = by_us(measured([Null("TIMING_UNAVAILABLE")] * 5), 2.2)
    assert drift_to(silent).null_reasons["drift"] == "TIMING_UNAVAILABLE"
    (drift,) = canary_drifts([by_us(BEFORE, 2.0)], [silent], True)
    assert (drift.opening_seconds, drift.closing_seconds) == (2.0, 2.2)


def test_other_scores_are_told() -> None:
    assert not drift_to(measured([COLD, 1.0, 1.0, 1.0, 1.0], score=0.0)).same_answers


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (measured([], failure="the server died"), "CANARY_NOT_MEASURED"),
        (measured([COLD, 1.0, Null("TIMING_UNAVAILABLE"), 1.0]), "TIMING_UNAVAILABLE"),
        (measured([COLD, 1.0]), "FEWER_THAN_2_SAMPLES"),
    ],
)
def test_what_can_not_be_told_is_null_with_its_reason(
    after: CanaryMeasurement, reason: str
) -> None:
    drift = drift_to(after)
    assert drift.drift is None
    assert set(drift.null_reasons.values()) == {reason}
    assert drift.failure == after.failure


def test_an_opening_canary_of_a_later_day_says_nothing_of_this_sweep() -> None:
    drift = drift_to(measured([COLD, 2.0, 2.0, 2.1, 2.2], at="2025-12-31T00:00:00Z"))
    assert drift.drift is None
    assert set(drift.null_reasons.values()) == {"NOT_AROUND_THE_SWEEP"}


def test_without_a_closing_canary_there_is_no_drift() -> None:
    assert canary_drifts([BEFORE], [], True) == ()


def test_a_closing_canary_of_something_else_is_refused() -> None:
    with pytest.raises(ArtifactError, match="no opening canary"):
        canary_drifts([], [BEFORE], True)
