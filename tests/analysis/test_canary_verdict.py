from __future__ import annotations

from typing import Any

import pytest
from builders import MACHINE, NOW, PROVENANCE, spec

from orket_lib.analysis.canary import Judgement, judge_canary
from orket_lib.artifacts.measurements.canary import CanaryMeasurement, CanaryPolicy, CanaryRun
from orket_lib.artifacts.measurements.spec import CanarySpec
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Outcome, TokenStatus

SPEC = CanarySpec(**spec().model_dump(exclude={"kind", "runs_per_task", "probe_runs"}), runs=3)
VARIANCE = "ADHERENCE_VARIANCE_NON_ZERO"
UNAVAILABLE = "LATENCY_VARIANCE_UNAVAILABLE"
EXCEEDED = "LATENCY_VARIANCE_THRESHOLD_EXCEEDED"
MISSING = "MISSING_TELEMETRY_RATE_EXCEEDED"


def one(
    index: int,
    seconds: float | Null = 1.0,
    score: float = 1.0,
    task: str = "a",
    status: TokenStatus = TokenStatus.OK,
) -> CanaryRun:
    return CanaryRun.of(
        test_id=task,
        run_index=index,
        outcome=Outcome.PASS,
        adherence_score=score,
        token_status=status,
        internal_model_seconds=seconds,
    )


def seen(*runs: CanaryRun, failure: str | None = None) -> CanaryMeasurement:
    return CanaryMeasurement(
        generated_at=NOW,
        provenance=PROVENANCE,
        measured_at=NOW,
        boot_id="boot",
        hardware_fingerprint=MACHINE,
        spec=SPEC,
        spec_digest=SPEC.digest(),
        failure=failure,
        sessions=(),
        runs=runs,
    )


def judge_all(*measurements: CanaryMeasurement, **policy: Any) -> Judgement:
    values: dict[str, Any] = {
        "enabled": True,
        "latency_variance_threshold": 0.03,
        "drop_first_run": True,
        "max_missing_telemetry_rate": 0.0,
        "max_age_hours": 24,
    }
    return judge_canary(measurements, CanaryPolicy(**(values | policy)))


def judge(*runs: CanaryRun, failure: str | None = None, **policy: Any) -> Judgement:
    return judge_all(seen(*runs, failure=failure), **policy)


def reasons(judgement: Judgement) -> list[str]:
    return [reason for reason, _ in judgement.failures]


def timed(*seconds: float | Null, task: str = "a") -> list[CanaryRun]:
    return [one(index, value, task=task) for index, value in enumerate(seconds)]


def test_only_latency_is_no_reason_against_answers() -> None:
    assert judge(*timed(1.0, 1.0, 2.0)).only_latency
    assert judge(*timed(1.0, 1.0, Null("NO"))).only_latency
    assert not judge(*timed(1.0, 1.0, 1.0)).only_latency
    assert not judge(one(0), one(1, 1.0), one(2, 2.0, score=0.0)).only_latency
    assert not judge(failure="no server").only_latency


def test_the_process_that_disturbed_the_canary_is_named() -> None:
    busy = "foreign CPU use 58% of all cores; mostly firefox (pid 7, 4.20 s of CPU)"
    measured = seen(*timed(1.0, 1.0, 2.0)).model_copy(update={"disturbance": busy})
    ((reason, text),) = judge_all(measured).failures
    assert reason == EXCEEDED
    assert text.endswith(f"; {busy}")


def test_a_steady_canary_passes() -> None:
    found = judge(*timed(1.0, 1.0, 1.01))
    assert reasons(found) == []
    assert found.figures.adherence_variance == 0.0
    assert found.figures.missing_telemetry_rate == 0.0


def test_the_first_run_is_dropped_unless_told_otherwise() -> None:
    runs = timed(5.0, 1.0, 1.0)
    assert judge(*runs).figures.internal_latency_cv == 0.0
    kept = judge(*runs, drop_first_run=False)
    assert reasons(kept) == [EXCEEDED]
    assert kept.figures.internal_latency_cv == pytest.approx(0.8081, abs=1e-4)


def test_the_first_run_is_the_one_with_the_lowest_index() -> None:
    runs = timed(5.0, 1.0, 1.0)
    assert judge(*reversed(runs)).figures.internal_latency_cv == 0.0


def test_variation_is_population_stdev_over_mean() -> None:
    found = judge(*timed(9.0, 0.9, 1.1))
    assert found.figures.internal_latency_cv == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("threshold", "failed"),
    [
        pytest.param(0.1, [], id="equal is fine"),
        pytest.param(0.0999, [EXCEEDED], id="above is not"),
    ],
)
def test_variation_is_compared_with_a_tolerance(threshold: float, failed: list[str]) -> None:
    found = judge(*timed(9.0, 0.9, 1.1), latency_variance_threshold=threshold)
    assert reasons(found) == failed


def test_the_worst_task_counts() -> None:
    found = judge(*timed(1.0, 1.0, 1.0), *timed(1.0, 0.9, 1.1, task="b"))
    assert found.figures.internal_latency_cv == pytest.approx(0.1)
    # Two tasks of different length are no variation.
    steady = judge(*timed(1.0, 1.0, 1.0), *timed(9.0, 9.0, 9.0, task="b"))
    assert steady.figures.internal_latency_cv == 0.0


def test_adherence_must_not_vary_within_a_task() -> None:
    found = judge(one(0, score=1.0), one(1, score=1.0), one(2, score=0.0))
    assert reasons(found) == [VARIANCE]
    assert found.figures.adherence_variance == 1.0
    between = judge(*timed(1, 1, 1), *(one(index, score=0.0, task="b") for index in range(3)))
    assert reasons(between) == []


def test_the_dropped_run_still_counts_for_adherence() -> None:
    assert reasons(judge(one(0, score=0.0), one(1), one(2))) == [VARIANCE]


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        pytest.param(timed(1.0), "FEWER_THAN_2_SAMPLES", id="one run"),
        pytest.param(timed(1.0, 1.0), "FEWER_THAN_2_SAMPLES", id="two runs, one dropped"),
        pytest.param(timed(1.0, 1.0, Null("NO")), "TIMING_UNAVAILABLE", id="a missing time"),
        pytest.param(timed(0.0, 0.0, 0.0), "TIMING_UNAVAILABLE", id="only zeros"),
        pytest.param(
            [*timed(1.0, 1.0, 1.0), one(0, task="b")], "FEWER_THAN_2_SAMPLES", id="one task of two"
        ),
    ],
)
def test_a_variation_that_can_not_be_told_fails(runs: list[CanaryRun], why: str) -> None:
    found = judge(*runs)
    assert reasons(found) == [UNAVAILABLE]
    assert found.figures.internal_latency_cv is None
    assert found.figures.null_reasons["internal_latency_cv"] == why
    assert why in found.failures[0][1]


def by_our_clock(*seconds: float | None) -> list[CanaryRun]:
    """Return runs on a server that says no times of its own."""
    silent = Null("TIMING_UNAVAILABLE")
    return [
        one(index, silent).model_copy(update={"client_seconds": value})
        for index, value in enumerate(seconds)
    ]


def test_where_the_server_tells_no_times_our_own_clock_is_judged_by_and_named() -> None:
    steady = judge(*by_our_clock(9.0, 1.0, 1.0))
    assert reasons(steady) == []
    assert (steady.figures.internal_latency_cv, steady.figures.latency_source) == (0.0, "client")
    found = judge(*by_our_clock(9.0, 0.9, 1.1))
    assert reasons(found) == [EXCEEDED]
    assert "latency by our own clock is 0.1000" in found.failures[0][1]
    assert reasons(judge(*by_our_clock(1.0, None, 1.0))) == [UNAVAILABLE]


def test_two_clocks_are_never_mixed() -> None:
    runs = [run.model_copy(update={"client_seconds": 1.0}) for run in timed(1.0, 1.0, Null("NO"))]
    found = judge(*runs)
    assert reasons(found) == [UNAVAILABLE]
    assert found.figures.latency_source == "server"


@pytest.mark.parametrize(("most", "failed"), [(0.0, [MISSING]), (0.5, []), (0.49, [MISSING])])
def test_missing_telemetry_is_compared_with_its_limit(most: float, failed: list[str]) -> None:
    runs = [
        *timed(1.0, 1.0),
        one(2, status=TokenStatus.NO_TIMES),
        one(3, status=TokenStatus.NOTHING),
    ]
    found = judge(*runs, max_missing_telemetry_rate=most)
    assert found.figures.missing_telemetry_rate == 0.5
    assert reasons(found) == failed


def test_reasons_come_in_the_order_of_the_contract() -> None:
    bad = [one(0), one(1, 1.0, 0.0, status=TokenStatus.NO_TIMES), one(2, 2.0)]
    assert reasons(judge(*bad)) == [VARIANCE, EXCEEDED, MISSING]
    silent = [one(0), one(1, Null("NO"), 0.0, status=TokenStatus.NO_TIMES), one(2)]
    assert reasons(judge(*silent)) == [VARIANCE, UNAVAILABLE, MISSING]


def test_a_failed_threshold_says_by_how_much() -> None:
    ((_, text),) = judge(*timed(9.0, 0.9, 1.1)).failures
    assert "0.1000" in text
    assert "0.0700 above canary_latency_variance_threshold 0.03" in text


def test_a_canary_that_could_not_be_measured_failed() -> None:
    found = judge(failure="nano.gguf does not load")
    assert found.failures == (
        ("CANARY_NOT_MEASURED", f"{SPEC.model_id} {SPEC.quant_tag}: nano.gguf does not load"),
    )
    assert found.figures.internal_latency_cv is None


def test_of_several_models_the_worst_counts() -> None:
    steady, shaky = seen(*timed(1.0, 1.0, 1.0)), seen(*timed(1.0, 1.0, 2.0))
    assert reasons(judge_all(steady, steady)) == []
    assert reasons(judge_all(steady, shaky)) == ["LATENCY_VARIANCE_THRESHOLD_EXCEEDED"]
    assert reasons(judge_all(shaky, steady)) == ["LATENCY_VARIANCE_THRESHOLD_EXCEEDED"]
    gone = seen(failure="no such model")
    found = judge_all(steady, gone)
    assert reasons(found) == ["CANARY_NOT_MEASURED"]
    assert found.figures.internal_latency_cv is None
