"""T33: a run that a CPU quota stopped says so, with how much and when."""

from __future__ import annotations

import builders
import pytest

from orket_lib.artifacts.views.run_report import Observation
from orket_lib.measure.quality.host_summary import summarize_host
from orket_lib.measure.quality.host_verdicts import judge_run
from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary.reasons import Reason, Severity, severity, spoils_quality


def samples(periods: int | None, throttled: int | None, seconds: float = 0.0) -> list[Sample]:
    """Return samples of 10 s with so many periods of a quota in each second."""

    def at(second: int) -> Sample:
        if periods is None or throttled is None:
            return Sample(second, 0.0, 0.0, 0.0, 1, 1, 1)
        counts = {
            "quota_periods": second * periods,
            "throttled_periods": second * throttled,
            "throttled_s": second * seconds,
        }
        return Sample(second, 0.0, 0.0, 0.0, 1, 1, 1, **counts)  # type: ignore[arg-type]

    return [at(second) for second in range(11)]


def seen(found: list[Sample]) -> list[Observation]:
    run = judge_run(builders.answered((2.0, 6.0)), found, 4)
    reasons = run.telemetry.run_quality_reasons
    return [item for item in reasons if item.reason is Reason.CPU_THROTTLED]


def test_t33_a_throttled_run_has_the_reason_with_its_evidence() -> None:
    (item,) = seen(samples(10, 9, 1.5))
    assert item.evidence == (
        "a CPU quota of this container or job stopped the sweep in 90% of its periods "
        "(6.0 s over all CPUs) at 2.0-6.0 s into the session"
    )
    assert severity(item.reason) is Severity.SOFT
    assert not spoils_quality(item.reason), "answers don't depend on the time they take"


@pytest.mark.parametrize(
    ("periods", "throttled", "expected"),
    [
        pytest.param(20, 1, True, id="at the threshold"),
        pytest.param(100, 4, False, id="below it"),
        pytest.param(10, 0, False, id="a quota that suffices"),
        pytest.param(0, 0, False, id="no quota"),
        pytest.param(None, None, False, id="no counters"),
    ],
)
def test_t33_a_quota_that_stops_nothing_is_no_reason(
    periods: int | None, throttled: int | None, expected: bool
) -> None:
    assert bool(seen(samples(periods, throttled))) is expected


def test_t33_a_quota_is_judged_in_the_window_of_the_run() -> None:
    before = samples(10, 0)
    late = [*before[:8], *(Sample(**{**vars(it), "throttled_periods": 9}) for it in before[8:])]
    assert seen(late) == []
    assert summarize_host(late, 4).throttled_ratio == 0.09
