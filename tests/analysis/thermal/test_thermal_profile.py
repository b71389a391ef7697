"""Synthetic series with known truth: each gets the verdict that is right for it."""

from __future__ import annotations

from typing import Any

import pytest
from builders import served, session
from thermal_builders import NO_SENSOR, findings, latencies, runs, series

from orket_lib.analysis.thermal.profile import Findings
from orket_lib.analysis.thermal.recommendation import nothing_to_run, thermal_recommendation
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.artifacts.views.thermal_profile import ThermalThresholds
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane

THROTTLED = Observation.of(Reason.THERMAL_THROTTLE, "slowed by sw_thermal, up to 88 C")
CAPPED = Observation.of(Reason.SW_POWER_CAP, "at its power limit in 60% of the samples")
FOREIGN = Observation.of(Reason.HIGH_CPU_SATURATION, "foreign CPU use 40%")
WARMING = [55.0, 60.0, 64.0, 67.0, 69.0, 70.0, 70.0, 71.0]
COOLING = [70.0, 66.0, 62.0, 58.0, 55.0, 53.0, 52.0, 51.0]
SAWTOOTH = [1.0, 1.08, 1.0, 1.08, 1.0, 1.08, 1.0, 1.08]


def words(found: Findings, lane: Lane = Lane.LAB, failure: str | None = None) -> str:
    limits = ThermalThresholds(
        cooldown_target_c=50.0, polluted_thermal_threshold_c=85.0, monotonic_window=2
    )
    return thermal_recommendation("nano Q4_K_M", found, limits, lane, failure)


@pytest.mark.parametrize(
    ("seconds", "changes", "soak", "trend", "said"),
    [
        pytest.param(
            latencies(8),
            {},
            False,
            "steady",
            "thermally stable over 8 runs: latency is steady within its noise of 1.1% (a rise of "
            "more than 0.5% is ruled out)",
            id="steady",
        ),
        pytest.param(
            latencies(8, rise=0.03),
            {"heat": WARMING},
            True,
            "rising",
            "not thermally stable: latency rises by ",
            id="soak",
        ),
        pytest.param(
            SAWTOOTH, {"heat": [60.0, 66.0] * 4}, False, "steady", "thermally", id="sawtooth"
        ),
        pytest.param(
            latencies(8, noise=0.05, seed=3),
            {"heat": WARMING},
            False,
            "steady",
            "within its noise of",
            id="noise only",
        ),
        pytest.param(
            latencies(8, rise=0.03),
            {"heat": NO_SENSOR, "rested": NO_SENSOR},
            None,
            "rising",
            "no temperature (NO_TEMPERATURE_SENSOR), so the thermal verdict is unavailable; "
            "latency rises",
            id="soak without a sensor",
        ),
        pytest.param(
            latencies(8),
            {"heat": NO_SENSOR, "rested": NO_SENSOR},
            None,
            "steady",
            "verdict is unavailable; latency is steady",
            id="steady without a sensor",
        ),
        pytest.param(
            latencies(8, rise=0.03),
            {"heat": COOLING},
            False,
            "rising",
            "but the temperature falls meanwhile: look for another cause",
            id="slower while it cools",
        ),
        pytest.param(
            latencies(8, rise=-0.03), {}, False, "falling", "latency falls by", id="faster"
        ),
        pytest.param(
            latencies(2, rise=0.5), {}, None, "unknown", "a trend needs three", id="two runs"
        ),
        pytest.param(
            [1.0, 1.2, 1.4, 0.9],
            {},
            None,
            "unknown",
            "no thermal verdict over 4 runs: latency can't be judged: a rise of up to 142% may "
            "hide in its noise of 17.2%",
            id="too wild to tell",
        ),
        pytest.param(
            [1.0, 1.2, 1.4, 0.9],
            {"heat": NO_SENSOR, "rested": NO_SENSOR},
            None,
            "unknown",
            "verdict is unavailable; latency can't be judged: a rise of up to 142%",
            id="too wild to tell, without a sensor",
        ),
        pytest.param(
            latencies(3, noise=0.04, seed=3),
            {},
            None,
            "unknown",
            "latency can't be judged: a rise of up to",
            id="too few runs for their noise",
        ),
        pytest.param([1.0], {}, None, "unknown", "one run shows no trend", id="one run"),
    ],
)
def test_each_kind_of_series_gets_its_verdict(
    seconds: list[float], changes: dict[str, Any], soak: bool | None, trend: str, said: str
) -> None:
    found = findings(series(seconds, **changes))
    assert (found.heat_soak_detected, found.latency_trend) == (soak, trend)
    assert said in words(found)


def test_a_rise_after_a_longer_fall_is_no_rise_from_first_to_last() -> None:
    seconds = [1.2 - 0.02 * step for step in range(9)] + [1.04 + 0.03 * step for step in (1, 2, 3)]
    found = findings(series(seconds))
    assert found.latency_trend == "rising"
    assert "latency rises for some runs in a row, though it falls by 17.1%" in words(found)


def test_throttling_is_named_and_the_throttled_runs_stay_in_the_trend() -> None:
    seconds = [1.0, 1.0, 1.001, 1.0, 1.2, 1.21, 1.2, 1.21]
    seen = dict.fromkeys(range(4, 8), (THROTTLED, CAPPED))
    found = findings(series(seconds, heat=WARMING, seen=seen))
    assert [(item.run_index, item.reason) for item in found.throttling[:2]] == [
        (5, Reason.THERMAL_THROTTLE),
        (5, Reason.SW_POWER_CAP),
    ]
    assert found.throttling[0].evidence == THROTTLED.evidence
    assert all(run.counted for run in found.speed.runs)
    assert [point.polluted for point in found.points] == [False] * 4 + [True] * 4
    assert found.polluted_run_rate == 0.5
    said = words(found)
    assert "thermally stable over" not in said
    assert "heat throttled runs 5, 6, 7, 8" in said
    assert "the power limit held back runs 5, 6, 7, 8" in said


def test_what_others_did_is_no_heat() -> None:
    seen = dict.fromkeys((4, 5, 6, 7), (FOREIGN,))
    seconds = [1.0, 1.0, 1.001, 1.0, 1.2, 1.3, 1.4, 1.5]
    found = findings(series(seconds, heat=WARMING, seen=seen))
    assert [run.counted for run in found.speed.runs] == [True] * 4 + [False] * 4
    assert (found.heat_soak_detected, found.latency_trend) == (False, "steady")
    assert "not in the trend: runs 5, 6, 7, 8" in words(found)
    assert found.speed.steady_over_burst == pytest.approx(1.0, abs=0.01)
    nothing = findings(series(seconds, seen=dict.fromkeys(range(8), (FOREIGN,)))).speed
    assert nothing.null_reasons["burst_decode_tps"] == "NO_RUN_COUNTS"
    assert nothing.null_reasons["steady_over_burst"] == "NO_RUN_COUNTS"
    assert [point.detail for point in found.points[3:5]] == [
        None,
        "HIGH_CPU_SATURATION: foreign CPU use 40%",
    ]
    in_ci = findings(series(seconds, heat=WARMING, seen=seen), Lane.CI)
    assert in_ci.polluted_run_rate == 0.0
    assert in_ci.heat_soak_detected


def test_a_rest_that_did_not_help_is_told_and_pollutes_nothing() -> None:
    found = findings(series(latencies(6), rested=58.0))
    assert found.cooldown_failure_rate == 1.0
    assert found.polluted_run_rate == 0.0
    assert {point.cooldown_ok for point in found.points} == {False}
    assert found.points[0].reasons == ("COOLDOWN_TARGET_NOT_REACHED",)
    assert "not cooled to 50 °C before: runs 1, 2, 3, 4, 5, 6" in words(found)


def test_a_rest_of_another_sensor_says_nothing_of_the_runs() -> None:
    made = series(latencies(6))
    rested = [
        repeat.model_copy(update={"cooldown": repeat.cooldown.model_copy(update={"sensor": "gpu"})})
        for repeat in made.repeats
    ]
    found = findings(made.model_copy(update={"repeats": tuple(rested)}))
    assert {point.cooldown_ok for point in found.points} == {None}
    assert found.cooldown_failure_rate == Null("NO_TEMPERATURE")
    assert found.heat_soak_detected is False


def test_a_run_that_ends_too_hot_is_polluted() -> None:
    heat = [80.0, 84.0, 85.0, 85.1, 86.0, 88.0]
    found = findings(series(latencies(6), heat=heat))
    hot = [point.run_index for point in found.points if point.polluted]
    assert hot == [4, 5, 6], "a temperature at the threshold is not above it"
    assert found.points[3].reasons == ("THERMAL_END_ABOVE_THRESHOLD",)
    assert found.points[3].thermal_delta_c == pytest.approx(85.1 - 45.0)
    assert "no heat soak over 6 runs" in words(found)
    assert "above 85 °C: runs 4, 5, 6" in words(found)


def test_without_a_sensor_no_cooldown_is_judged() -> None:
    found = findings(series(latencies(6), heat=NO_SENSOR, rested=Null("NO_SENSOR")))
    assert found.cooldown_failure_rate == Null("NO_TEMPERATURE")
    assert {point.cooldown_ok for point in found.points} == {None}
    assert found.points[0].null_reasons["thermal_end_c"] == "NO_TEMPERATURE_SENSOR"


def test_the_burst_is_held_against_the_last_third() -> None:
    seconds = [1.0, 1.1, 1.2, 1.25, 1.25, 1.25]
    speed = findings(series(seconds, inner_noise=0.0)).speed
    assert speed.burst_decode_tps == pytest.approx(127 / 0.7)
    assert speed.steady_decode_tps == pytest.approx(127 / 0.7 / 1.25)
    assert speed.steady_over_burst == pytest.approx(0.8)
    assert "steady state 145.1 t/s is 80% of the burst's 181.4 t/s" in words(
        findings(series(seconds, inner_noise=0.0))
    )


def test_two_runs_have_no_steady_state() -> None:
    speed = findings(series([1.0, 1.0])).speed
    assert speed.burst_decode_tps is not None
    assert speed.null_reasons["steady_over_burst"] == "TOO_FEW_RUNS"


def test_a_window_longer_than_the_series_says_so() -> None:
    speed = findings(series(latencies(4)), monotonic_window=4).speed
    assert speed.null_reasons["least_rise_ratio"] == "TOO_FEW_RUNS"
    assert speed.noise_ratio is not None


def test_the_thresholds_of_the_profile_count_and_not_those_of_the_measurement() -> None:
    made = series(latencies(6), rested=45.0)
    assert findings(made, cooldown_target_c=40.0).cooldown_failure_rate == 1.0


def test_what_was_served_wrong_pollutes_every_run_in_every_lane() -> None:
    wrong = Observation.of(Reason.QUANT_IDENTITY_MISMATCH, "the file's header says Q8_0")
    made = series(latencies(6), observations=(wrong,), session=session(served=served()))
    assert findings(made, Lane.CI).polluted_run_rate == 1.0
    assert findings(made, Lane.CI).latency_trend == "unknown"


def test_no_run_is_no_rate() -> None:
    found = findings(series([]))
    assert found.polluted_run_rate == found.cooldown_failure_rate == Null("NOT_MEASURED")
    assert found.heat_soak_detected is None
    assert runs(series([])) == ()
    said = words(found, failure="the server did not start")
    assert said == (
        "nano Q4_K_M: no run was measured, so there is no thermal verdict; the series is "
        "incomplete: the server did not start."
    )


def test_in_lane_ci_the_sentence_says_what_speeds_are_worth() -> None:
    assert words(findings(series(latencies(6))), Lane.CI).endswith(
        "Lane ci: speeds are not evidence."
    )


def test_no_quant_is_no_series() -> None:
    assert nothing_to_run("nano", "NO_QUANT_CHOSEN") == "nano: no thermal series: NO_QUANT_CHOSEN."
