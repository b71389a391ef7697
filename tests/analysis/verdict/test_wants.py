"""What is wanted of a quant besides its quality."""

from __future__ import annotations

from typing import Any

import pytest
from builders import metrics

from orket_lib.analysis.frontier import FrontierPolicy
from orket_lib.analysis.verdict.wants import check_wants, wants_of
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, WantName, WantStatus

BUSY: dict[str, Any] = {"valid": False, "invalid_because": ("run quality is POLLUTED",)}


@pytest.mark.parametrize(
    ("want", "limit", "changes", "expected"),
    [
        (WantName.DECODE_TPS, 30, {"generation_tokens_per_second": 30.0}, WantStatus.MET),
        (WantName.DECODE_TPS, 30, {"generation_tokens_per_second": 29.9}, WantStatus.NOT_MET),
        (WantName.TTFT_MS, 250, {"ttft_ms": 250.0}, WantStatus.MET),
        (WantName.LATENCY_S, 1, {"total_latency": 1.1}, WantStatus.NOT_MET),
        (WantName.RAM_GIB, 1, {"peak_memory_rss": 1024.0}, WantStatus.MET),
        (WantName.MEMORY_GIB, 2, {"peak_vram_mib": 1025.0}, WantStatus.NOT_MET),
        (WantName.VRAM_GIB, 2, {"peak_vram_mib": Null("NO_GPU_USED")}, WantStatus.NOT_ESTABLISHED),
        # Disturbed times say nothing of a limit; memory is not disturbed by them.
        (WantName.TTFT_MS, 250, {"ttft_ms": 10.0, **BUSY}, WantStatus.NOT_ESTABLISHED),
        (WantName.RAM_GIB, 1, {"peak_memory_rss": 1024.0, **BUSY}, WantStatus.MET),
        # Disturbed probes say nothing of the answers' latency, and the other way round.
        (WantName.LATENCY_S, 10, {**BUSY, "latency_spoiled_by": ()}, WantStatus.MET),
        (WantName.TTFT_MS, 250, {**BUSY, "speed_spoiled_by": ()}, WantStatus.MET),
        (WantName.TTFT_MS, 250, {"speed_spoiled_by": ("busy",)}, WantStatus.NOT_ESTABLISHED),
        # A limit within the interval of the figure is neither met nor missed.
        (WantName.TTFT_MS, 90, {"intervals": {"ttft_ms": (80, 120)}}, WantStatus.BORDERLINE),
        (WantName.TTFT_MS, 70, {"intervals": {"ttft_ms": (80, 120)}}, WantStatus.NOT_MET),
        (WantName.TTFT_MS, 130, {"intervals": {"ttft_ms": (80, 120)}}, WantStatus.MET),
        # Measured at the pick, after the decision.
        (WantName.CONTEXT, 4096, {}, WantStatus.NOT_ESTABLISHED),
    ],
)
def test_a_want(
    want: WantName, limit: float, changes: dict[str, Any], expected: WantStatus
) -> None:
    (found,) = check_wants(metrics(**changes), {want: limit})
    assert (found.want, found.limit, found.status) == (want, limit, expected)
    assert (found.because is not None) is (
        expected in (WantStatus.NOT_ESTABLISHED, WantStatus.BORDERLINE)
    )


def test_the_latency_ceiling_is_a_want_unless_one_is_given() -> None:
    ceiling = FrontierPolicy(0.95, 10.0, include_invalid=False)
    assert wants_of(ceiling, Lane.LAB) == {WantName.LATENCY_S: 10.0}
    asked = {WantName.LATENCY_S: 2.0, WantName.RAM_GIB: 8.0}
    both = FrontierPolicy(0.95, 10.0, include_invalid=False, wants=asked)
    assert wants_of(both, Lane.LAB) == asked


def test_in_lane_ci_no_speed_is_wanted() -> None:
    asked = {WantName.DECODE_TPS: 30.0, WantName.RAM_GIB: 8.0}
    policy = FrontierPolicy(0.95, 10.0, include_invalid=False, wants=asked)
    assert wants_of(policy, Lane.CI) == {WantName.RAM_GIB: 8.0}
