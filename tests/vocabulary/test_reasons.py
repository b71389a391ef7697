from __future__ import annotations

import pytest

from orket_lib.vocabulary.reasons import TABLE, Reason, Severity, pollutes_in_ci, severity

SOFT = {
    "MISSING_TOKEN_TIMINGS",
    "HIGH_ORCHESTRATION_OVERHEAD",
    "HIGH_CPU_SATURATION",
    "HIGH_SYSTEM_LOAD",
    "CPU_STEAL",
    "CPU_THROTTLED",
}
NOTES = {
    "GPU_UNATTRIBUTABLE",
    "SW_POWER_CAP",
    "QUANT_IDENTITY_UNVERIFIED",
    "SCORE_REPORTED_BY_RUNNER",
    "SERVER_DIED",
    "POLLUTED_RUNS_REPEATED",
    "COOLDOWN_TARGET_NOT_REACHED",
    "PROBE_SHORTENED",
    "API_KEY_REPEATED",
    "TEMPLATE_TOKEN_LEAKED",
}


def test_every_reason_is_in_the_table() -> None:
    assert set(TABLE) == set(Reason)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_has_the_class_of_the_contract(reason: Reason) -> None:
    expected = (
        Severity.SOFT if reason in SOFT else Severity.NOTE if reason in NOTES else Severity.HARD
    )
    assert severity(reason) is expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason.QUANT_IDENTITY_MISMATCH, True),
        (Reason.CONTEXT_MISMATCH, True),
        (Reason.CONTEXT_TRUNCATED, True),
        (Reason.HARDWARE_MISMATCH, True),
        (Reason.MISSING_EXPERIMENTAL_CONTROLS, True),
        (Reason.HIGH_CPU_SATURATION, False),
        (Reason.FOREIGN_GPU_PROCESS, False),
        (Reason.CPU_THROTTLED, False),
        (Reason.THERMAL_THROTTLE, False),
        (Reason.MISSING_TOKEN_TIMINGS, False),
    ],
)
def test_lane_ci_forgives_physics_and_never_identity(reason: Reason, expected: bool) -> None:
    assert pollutes_in_ci(reason) is expected
