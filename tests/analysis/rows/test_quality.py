from __future__ import annotations

from typing import Any

import pytest
from builders import STRICT, probe, report, run

from orket_lib.analysis.rows.quality import (
    invalid_because,
    pollutes,
    row_quality,
    row_reasons,
    run_is_polluted,
)
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import TABLE, Kind, Reason, Severity
from orket_lib.vocabulary.statuses import (
    Lane,
    Quality,
    RunStatus,
    TokenStatus,
)


def seen(reason: Reason, evidence: str = "seen") -> Observation:
    return Observation.of(reason, evidence)


def reasons_of(
    marked: int, reason: Reason, overhead: float | Null = 0.0, **limits: float
) -> list[Reason]:
    """Return the row's reasons when `marked` of four runs show one."""
    runs = tuple(
        run(1, index, reasons=(seen(reason),) if index < marked else ()) for index in range(4)
    )
    policy = STRICT.model_copy(update=limits)
    return [item.reason for item in row_reasons(report(test_runs=runs), policy, overhead)]


@pytest.mark.parametrize(
    ("reason", "limit"),
    [
        (Reason.MISSING_TOKEN_TIMINGS, "max_missing_telemetry_rate"),
        (Reason.HIGH_CPU_SATURATION, "max_cpu_saturation_rate"),
        (Reason.HIGH_SYSTEM_LOAD, "max_system_load_rate"),
    ],
)
def test_a_soft_reason_is_tolerated_up_to_its_policy(reason: Reason, limit: str) -> None:
    assert reasons_of(1, reason, **{limit: 0.25}) == []
    assert reasons_of(1, reason, **{limit: 0.24}) == [reason]
    assert reasons_of(2, reason, **{limit: 0.25}) == [reason]
    assert reasons_of(1, reason) == [reason]


HARD = [reason for reason, entry in TABLE.items() if entry.severity is Severity.HARD]


@pytest.mark.parametrize("reason", HARD)
def test_a_hard_reason_pollutes_when_it_is_seen_once(reason: Reason) -> None:
    everything = {
        "max_missing_telemetry_rate": 1.0,
        "max_cpu_saturation_rate": 1.0,
        "max_system_load_rate": 1.0,
        "max_orchestration_overhead_ratio": 1.0,
    }
    assert reasons_of(1, reason, **everything) == [reason]
    assert row_quality([seen(reason)], Lane.LAB) is Quality.POLLUTED


@pytest.mark.parametrize("reason", [r for r, e in TABLE.items() if e.severity is Severity.NOTE])
@pytest.mark.parametrize("lane", list(Lane))
def test_a_note_never_pollutes(reason: Reason, lane: Lane) -> None:
    assert reasons_of(4, reason) == [reason]
    assert row_quality([seen(reason)], lane) is Quality.CLEAN


@pytest.mark.parametrize(
    ("overhead", "found"),
    [
        pytest.param(0.25, [], id="equal is fine"),
        pytest.param(0.2501, [Reason.HIGH_ORCHESTRATION_OVERHEAD], id="above is not"),
        pytest.param(Null("NOT_MEASURED"), [], id="unknown"),
    ],
)
def test_the_mean_overhead_is_compared(overhead: float | Null, found: list[Reason]) -> None:
    assert reasons_of(0, Reason.SWAPPING, overhead) == found


@pytest.mark.parametrize("reason", list(Reason))
def test_lane_ci_lets_only_identity_pollute(reason: Reason) -> None:
    entry = TABLE[reason]
    expected = entry.severity is not Severity.NOTE and entry.kind is Kind.IDENTITY
    assert pollutes(seen(reason), Lane.CI) is expected
    assert pollutes(seen(reason), Lane.LAB) is (entry.severity is not Severity.NOTE)
    assert run_is_polluted(run(reasons=(seen(reason),)), Lane.CI) is expected


def test_a_reason_is_told_once_with_how_often_and_where_first() -> None:
    runs = (
        run(1, 0),
        run(2, 0, reasons=(seen(Reason.SWAPPING, "9 MiB"),)),
        run(2, 1, reasons=(seen(Reason.SWAPPING, "7 MiB"),)),
    )
    (found,) = row_reasons(report(test_runs=runs), STRICT, 0.0)
    assert found.evidence == "2 of 5 runs and probes; first: add-0002 run 1: 9 MiB"
    assert found.severity is Severity.HARD


def test_reasons_of_the_cell_and_of_its_probes_count() -> None:
    hit = seen(Reason.PREFIX_CACHE_HIT, "400 of 512 tokens")
    found = report(
        observations=(seen(Reason.CONTEXT_MISMATCH),),
        probes=(probe(0), probe(1, observations=(hit,)), probe(2, observations=(hit,))),
    )
    reasons = [item.reason for item in row_reasons(found, STRICT, 0.0)]
    assert reasons == [Reason.CONTEXT_MISMATCH, Reason.PREFIX_CACHE_HIT]


OK = (RunStatus.MEASURED, Quality.CLEAN, TokenStatus.OK)


@pytest.mark.parametrize(
    ("verdict", "because"),
    [
        pytest.param(OK, (), id="valid"),
        pytest.param((RunStatus.CRASHED, None, None), ("status is crashed",), id="crashed"),
        pytest.param((OK[0], Quality.POLLUTED, OK[2]), ("run quality is POLLUTED",), id="dirty"),
        pytest.param((OK[0], None, OK[2]), ("run quality is unknown",), id="unjudged"),
        pytest.param(
            (*OK[:2], TokenStatus.NO_TIMES),
            ("token metrics are TIMING_UNAVAILABLE",),
            id="no times",
        ),
        pytest.param(
            (OK[0], Quality.POLLUTED, TokenStatus.NOTHING),
            ("run quality is POLLUTED", "token metrics are TOKEN_AND_TIMING_UNAVAILABLE"),
            id="everything",
        ),
    ],
)
def test_a_row_is_valid_or_says_everything_that_speaks_against_it(
    verdict: Any, because: tuple[str, ...]
) -> None:
    assert invalid_because(*verdict) == because
