from __future__ import annotations

import pytest

from orket_lib.telemetry.samples import Sample
from orket_lib.telemetry.windows import (
    LEAST_S,
    culprit,
    foreign_cpu_ratio,
    foreign_load,
    longest_gap_s,
    steal_ratio,
    swapped_mib,
    throttled_ratio,
    throttled_s,
    window,
)
from orket_lib.vocabulary.nulls import Null

NOT_SAMPLED = Null("NOT_SAMPLED")
_MIB = 1024**2


def look(
    at_s: float, busy_s: float = 0.0, own_s: float = 0.0, server_s: float = 0.0, **more: object
) -> Sample:
    return Sample(at_s, busy_s, own_s, server_s, 1, 1, 1, **more)  # type: ignore[arg-type]


SECONDS = [look(float(at_s)) for at_s in range(10)]
QUARTERS = [look(count / 4) for count in range(41)]  # 10 s


def span(samples: object) -> tuple[float, float]:
    assert isinstance(samples, list)
    return samples[0].at_s, samples[-1].at_s


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [
        pytest.param(2.0, 5.0, (2.0, 5.0), id="on samples"),
        pytest.param(2.1, 4.9, (2.0, 5.0), id="widened to whole intervals"),
        pytest.param(2.1, 2.2, (2.0, 3.0), id="one interval is a second here"),
        pytest.param(0.0, 9.0, (0.0, 9.0), id="everything"),
        pytest.param(0.0, 0.1, (0.0, 1.0), id="at the start"),
        pytest.param(8.9, 9.0, (8.0, 9.0), id="at the end"),
    ],
)
def test_a_window_is_widened_to_whole_intervals(
    start_s: float, end_s: float, expected: tuple[float, float]
) -> None:
    assert span(window(SECONDS, start_s, end_s)) == expected


@pytest.mark.parametrize("start_s", [0.0, 0.1, 3.3, 5.0, 9.9])
def test_a_window_is_at_least_a_second_and_holds_its_run(start_s: float) -> None:
    first, last = span(window(QUARTERS, start_s, start_s + 0.03))
    assert LEAST_S <= last - first <= LEAST_S + 1.0
    assert first <= start_s
    assert last >= start_s + 0.03


def test_a_window_is_as_long_as_there_are_samples_when_they_are_few() -> None:
    few = QUARTERS[:3]
    assert span(window(few, 0.1, 0.2)) == (0.0, 0.5)


@pytest.mark.parametrize("samples", [[], SECONDS[:1]])
def test_fewer_than_two_samples_make_no_window(samples: list[Sample]) -> None:
    assert window(samples, 0.0, 1.0) == ()


@pytest.mark.parametrize(
    ("start_s", "end_s"),
    [
        pytest.param(20.0, 21.0, id="after the sampler died"),
        pytest.param(8.0, 30.0, id="beyond its death"),
        pytest.param(-5.0, 2.0, id="before its birth"),
    ],
)
def test_a_run_that_nobody_watched_has_no_window(start_s: float, end_s: float) -> None:
    assert window(SECONDS, start_s, end_s) == ()


def test_foreign_is_what_is_neither_ours_nor_the_servers() -> None:
    samples = [look(0.0, 100.0, 10.0, 20.0), look(2.0, 107.0, 11.0, 23.0)]
    assert foreign_cpu_ratio(samples, 4) == pytest.approx((7 - 1 - 3) / 8)


def test_a_foreign_share_is_never_negative() -> None:
    # Counters of processes and of the machine are read one after the other, and tick in 10 ms.
    samples = [look(0.0, 100.0, 10.0, 20.0), look(1.0, 101.0, 10.5, 20.6)]
    assert foreign_cpu_ratio(samples, 4) == 0.0


def test_steal_is_a_share_of_all_cores_and_null_without_its_counter() -> None:
    samples = [look(0.0, steal_s=5.0), look(2.0, steal_s=5.4)]
    assert steal_ratio(samples, 4) == pytest.approx(0.05)
    assert steal_ratio([look(0.0), look(2.0)], 4) == Null("NO_STEAL_COUNTER")
    assert steal_ratio([look(0.0, steal_s=5.0), look(2.0)], 4) == Null("NO_STEAL_COUNTER")
    # The kernel is known to step this one back.
    assert steal_ratio([look(0.0, steal_s=5.0), look(2.0, steal_s=4.9)], 4) == 0.0


def quota(at_s: float, periods: int, throttled: int, seconds: float = 0.0) -> Sample:
    return look(at_s, quota_periods=periods, throttled_periods=throttled, throttled_s=seconds)


def test_t33_throttled_is_a_share_of_the_periods_and_null_without_counters() -> None:
    assert throttled_ratio([quota(0.0, 100, 90), quota(2.0, 120, 100)]) == 0.5
    assert throttled_s([quota(0.0, 0, 0, 1.0), quota(2.0, 20, 10, 2.5)]) == 1.5
    assert throttled_ratio([quota(0.0, 7, 3), quota(2.0, 7, 3)]) == 0.0, "no quota, no period"
    assert throttled_ratio([quota(0.0, 0, 0), quota(2.0, 1, 2)]) == 1.0
    assert throttled_ratio([look(0.0), look(2.0)]) == Null("NO_THROTTLE_COUNTER")
    assert throttled_ratio([quota(0.0, 1, 1), look(2.0)]) == Null("NO_THROTTLE_COUNTER")
    assert throttled_s([look(0.0), look(2.0)]) == 0.0


def test_swapping_is_the_growth_of_both_ways_in_mib() -> None:
    samples = [look(0.0, swapped=1 * _MIB), look(1.0, swapped=3 * _MIB)]
    assert swapped_mib(samples) == 2.0
    assert swapped_mib([look(0.0), look(1.0)]) == Null("NO_SWAP_COUNTER")


def test_the_longest_gap_counts() -> None:
    assert longest_gap_s([look(0.0), look(0.25), look(4.0), look(4.25)]) == 3.75


def test_nothing_sampled_is_null_in_every_reading() -> None:
    for samples in ([], [look(1.0, steal_s=1.0, swapped=1)]):
        assert foreign_cpu_ratio(samples, 4) == NOT_SAMPLED
        assert steal_ratio(samples, 4) == NOT_SAMPLED
        assert throttled_ratio(samples) == NOT_SAMPLED
        assert swapped_mib(samples) == NOT_SAMPLED
        assert longest_gap_s(samples) == NOT_SAMPLED
        assert foreign_load(samples, samples) == NOT_SAMPLED


def test_foreign_load_is_less_what_we_kept_busy_over_the_last_minute() -> None:
    # 100 s: we use 2 cores in the last minute, none before.
    samples = [
        look(
            float(at_s), own_s=max(0.0, at_s - 40.0), server_s=max(0.0, at_s - 40.0), load_1min=2.5
        )
        for at_s in range(101)
    ]
    assert foreign_load(samples, samples[-3:]) == pytest.approx(0.5)


def test_foreign_load_is_never_negative_and_null_without_an_average() -> None:
    busy = [look(0.0, load_1min=0.1), look(10.0, server_s=40.0, load_1min=0.5)]
    assert foreign_load(busy, busy) == 0.0
    assert foreign_load(SECONDS, SECONDS) == Null("NO_LOAD_AVERAGE")


def test_foreign_load_after_a_gap_of_more_than_a_minute_is_a_number() -> None:
    # A laptop that slept: no sample in the minute before the last one.
    samples = [look(0.0, load_1min=1.0), look(90.0, server_s=45.0, load_1min=1.0)]
    assert foreign_load(samples, samples) == pytest.approx(0.5)


def test_the_culprit_is_who_used_most_over_the_window() -> None:
    samples = [
        look(0.0, top_pid=1, top_name="before", top_s=9.0),
        look(0.5, top_pid=2, top_name="short", top_s=0.5),
        look(1.0, top_pid=3, top_name="long (er)", top_s=0.3),
        look(1.5, top_pid=3, top_name="long (er)", top_s=0.4),
        look(2.0),
    ]
    assert culprit(samples) == "mostly long (er) (pid 3, 0.70 s of CPU)"


def test_nobody_is_blamed_without_evidence() -> None:
    assert culprit([look(0.0), look(1.0)]) == "no single process dominates"
