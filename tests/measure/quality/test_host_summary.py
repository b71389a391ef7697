from __future__ import annotations

from dataclasses import replace

import pytest

from orket_lib.measure.quality.host_summary import summarize_host
from orket_lib.telemetry.samples import Sample

_MIB = 1024**2
FIRST = Sample(
    at_s=1.0,
    busy_s=100.0,
    own_s=10.0,
    server_s=5.0,
    own_rss=50 * _MIB,
    server_rss=80 * _MIB,
    used_rss=1000 * _MIB,
    steal_s=1.0,
    load_1min=0.5,
    swapped=3 * _MIB,
    psi_cpu_some_us=1_000_000,
    psi_memory_full_us=0,
    frequency_mhz=3000.0,
    temperature_c=40.0,
    energy_uj=10_000_000,
)
SECOND = replace(
    FIRST,
    at_s=2.0,
    busy_s=103.0,
    own_s=10.2,
    server_s=6.8,
    own_rss=60 * _MIB,
    server_rss=90 * _MIB,
    used_rss=900 * _MIB,
    steal_s=1.2,
    psi_cpu_some_us=1_500_000,
    frequency_mhz=2000.0,
    temperature_c=70.0,
    energy_uj=60_000_000,
)
THIRD = replace(
    SECOND,
    at_s=3.0,
    busy_s=104.0,
    own_s=10.4,
    server_s=7.4,
    own_rss=1,
    server_rss=1,
    used_rss=1200 * _MIB,
    swapped=5 * _MIB,
    frequency_mhz=2500.0,
    temperature_c=55.0,
    energy_uj=70_000_000,
)
NO_COUNTER = {"throttled_ratio": "NO_THROTTLE_COUNTER"}  # the samples are not of a control group


def test_a_session_is_summed_up_from_its_counters() -> None:
    found = summarize_host([FIRST, SECOND, THIRD], 4)
    assert found.null_reasons == NO_COUNTER
    assert (found.samples, found.seconds, found.longest_gap_s) == (3, 2.0, 1.0)
    assert found.foreign_cpu_ratio == pytest.approx((4.0 - 0.4 - 2.4) / 8)
    assert found.foreign_cpu_peak == pytest.approx((3.0 - 0.2 - 1.8) / 4)
    assert found.own_cpu_ratio == pytest.approx(0.4 / 8)
    assert found.server_cpu_ratio == pytest.approx(2.4 / 8)
    assert found.steal_ratio == pytest.approx(0.2 / 8)
    assert found.swapped_mib == 2.0
    assert (found.peak_own_rss_mib, found.peak_server_rss_mib) == (60.0, 90.0)
    assert found.peak_foreign_mib == pytest.approx(1200.0, abs=0.01)
    assert found.psi_cpu_some_ratio == pytest.approx(0.25)
    assert found.psi_memory_full_ratio == 0.0
    assert (found.frequency_mhz_min, found.frequency_mhz_mean) == (2000.0, 2500.0)
    assert (found.temperature_start_c, found.temperature_end_c) == (40.0, 55.0)
    assert found.temperature_max_c == 70.0
    assert found.energy_j == 60.0


@pytest.mark.parametrize(
    ("changes", "nulls"),
    [
        ({"energy_uj": None}, {"energy_j"}),
        ({"steal_s": None}, {"steal_ratio"}),
        ({"swapped": None}, {"swapped_mib"}),
        ({"psi_cpu_some_us": None}, {"psi_cpu_some_ratio"}),
        ({"frequency_mhz": None}, {"frequency_mhz_min", "frequency_mhz_mean"}),
        (
            {"temperature_c": None},
            {"temperature_start_c", "temperature_end_c", "temperature_max_c"},
        ),
    ],
    ids=lambda value: "+".join(sorted(value)),
)
def test_one_missing_sensor_costs_its_own_figures_only(
    changes: dict[str, None], nulls: set[str]
) -> None:
    samples = [replace(item, **changes) for item in (FIRST, SECOND, THIRD)]  # type: ignore[arg-type]
    assert set(summarize_host(samples, 4).null_reasons) == nulls | set(NO_COUNTER)


def test_energy_is_null_where_its_counter_began_anew_in_the_middle() -> None:
    # 240 kJ went by; last less first says 50 kJ.
    counts = (200_000_000_000, 10_000_000_000, 250_000_000_000)
    samples = [
        replace(item, energy_uj=energy_uj)
        for item, energy_uj in zip((FIRST, SECOND, THIRD), counts, strict=True)
    ]
    found = summarize_host(samples, 4)
    assert found.null_reasons == NO_COUNTER | {"energy_j": "ENERGY_COUNTER_RESET"}


def test_memory_of_others_is_never_negative() -> None:
    shared = [replace(item, used_rss=1) for item in (FIRST, SECOND)]
    assert summarize_host(shared, 4).peak_foreign_mib == 0.0
