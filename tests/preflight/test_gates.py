from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, PROVENANCE

from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.measurements.canary import CanaryFigures, CanaryPolicy, CanaryVerdict
from orket_lib.artifacts.views.preflight import Preflight, PreflightCheck
from orket_lib.commands.measure._measurement_options import opened_gates
from orket_lib.preflight.gates import (
    is_fresh,
    require_boot,
    require_canary,
    require_preflight,
)
from orket_lib.vocabulary.errors import Refused

POLICY = CanaryPolicy(
    enabled=True,
    latency_variance_threshold=0.03,
    drop_first_run=True,
    max_missing_telemetry_rate=0.0,
    max_age_hours=24,
)


def verdict(**changes: Any) -> CanaryVerdict:
    values: dict[str, Any] = {
        "generated_at": NOW,
        "provenance": PROVENANCE,
        "passed": True,
        "failed_reasons": (),
        "explanations": (),
        "policy": POLICY,
        "figures": CanaryFigures.of(
            adherence_variance=0.0, internal_latency_cv=0.01, missing_telemetry_rate=0.0
        ),
        "measured_at": "2026-11-23T12:00:00.000Z",
        "boot_id": "boot",
        "model_ids": ("nano",),
        "quant_tags": ("Q8_0",),
    }
    return CanaryVerdict(**(values | changes))


def preflight(*checks: tuple[str, bool]) -> Preflight:
    listed = tuple(PreflightCheck(name=n, ok=ok, detail=f"about {n}") for n, ok in checks)
    return Preflight(
        generated_at=NOW,
        provenance=PROVENANCE,
        passed=all(ok for _, ok in checks),
        checks=listed,
    )


def test_a_passed_canary_lets_the_run_begin() -> None:
    require_canary(verdict())


def test_a_canary_that_only_costs_speeds_lets_the_run_begin() -> None:
    require_canary(
        verdict(
            passed=False,
            quality_only=True,
            failed_reasons=("LATENCY_VARIANCE_THRESHOLD_EXCEEDED",),
            explanations=("0.0700 above 0.03",),
        )
    )


def test_a_failed_canary_refuses_the_run_with_every_reason() -> None:
    failed = verdict(
        passed=False,
        failed_reasons=("ADHERENCE_VARIANCE_NON_ZERO", "LATENCY_VARIANCE_THRESHOLD_EXCEEDED"),
        explanations=("varies by 1.000", "0.0700 above 0.03"),
    )
    with pytest.raises(Refused) as caught:
        require_canary(failed)
    text = str(caught.value)
    assert "ADHERENCE_VARIANCE_NON_ZERO: varies by 1.000" in text
    assert "LATENCY_VARIANCE_THRESHOLD_EXCEEDED: 0.0700 above 0.03" in text
    assert caught.value.rerun == ("measure_canary",)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("now", "boot", "fresh"),
    [
        pytest.param("2026-11-24T12:00:00.000Z", "boot", True, id="exactly as old as allowed"),
        pytest.param("2026-11-24T13:30:00.000Z", "boot", False, id="stale"),
        pytest.param("2026-11-23T13:00:00.000Z", "another", False, id="other boot"),
    ],
)
def test_a_canary_of_another_day_or_boot_is_not_fresh(now: str, boot: str, fresh: bool) -> None:
    assert is_fresh("2026-11-23T12:00:00.000Z", "boot", 24, now, boot) is fresh


def test_where_no_canary_is_measured_none_is_stale() -> None:
    assert is_fresh(None, None, 24, "2099-01-01T00:00:00.000Z", "another")


def test_a_passed_preflight_lets_go_on() -> None:
    require_preflight(preflight(("disk", True)))


def test_a_failed_preflight_names_what_is_missing_and_only_that() -> None:
    with pytest.raises(Refused) as caught:
        require_preflight(preflight(("a.gguf", False), ("disk", True), ("memory", False)))
    text = str(caught.value)
    assert "a.gguf: about a.gguf" in text
    assert "memory: about memory" in text
    assert "disk" not in text
    assert caught.value.rerun == ("check_needs",)


def test_a_canary_of_another_node_or_boot_says_nothing_about_this_one() -> None:
    require_boot(verdict(), "boot")
    require_boot(verdict(boot_id=None), "boot")  # the canary is switched off
    with pytest.raises(Refused, match="measured on another node or before a reboot") as refused:
        require_boot(verdict(), "another")
    assert refused.value.rerun == ("measure_canary",)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_only_jobs_of_a_batch_system_may_be_on_another_node_than_the_canary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bool
) -> None:
    monkeypatch.setenv("ORKET_BATCH_JOB", "1")
    if not elsewhere:
        monkeypatch.delenv("ORKET_BATCH_JOB")
    path = tmp_path / "verdict.json"
    write_model(path, verdict(boot_id="of the other node"))
    gates = opened_gates(Namespace(preflight=None, canary=path, place=None, storage_root=tmp_path))
    if elsewhere:
        with pytest.raises(Refused, match="another node"):
            gates()
    else:  # the workflow itself has seen to it
        assert gates() is None
