"""Gates before a measurement: a failed or stale verdict refuses it, and says what to type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from orket_lib.artifacts.measurements.canary import CanaryVerdict
from orket_lib.artifacts.views.preflight import Preflight
from orket_lib.artifacts.views.receipt import AnyReceipt
from orket_lib.vocabulary.clock import parse_time
from orket_lib.vocabulary.errors import Refused

_CANARY = ("measure_canary",)


def require_preflight(verdict: Preflight) -> None:
    """Refuse to go on when something that is needed is missing.

    Raises:
        Refused: Naming each thing that is missing.
    """
    if not verdict.passed:
        missing = []
        for check in verdict.checks:
            if not check.ok:
                missing.append(f"  {check.name}: {check.detail}")
                missing += [f"    {check.remedy}"] if check.remedy else []
        raise Refused("preflight failed:\n" + "\n".join(missing), rerun=("check_needs",))


def require_canary(verdict: CanaryVerdict) -> None:
    """Refuse to go on after a canary that failed.

    Raises:
        Refused: Naming each threshold and by how much it was missed.
    """
    if not verdict.passed:
        reasons = zip(verdict.failed_reasons, verdict.explanations, strict=True)
        lines = [f"  {reason}: {text}" for reason, text in reasons]
        raise Refused("canary failed:\n" + "\n".join(lines), rerun=_CANARY)


def require_measured(receipts: Sequence[AnyReceipt]) -> None:
    """Refuse to call a sweep done that something interrupted which may pass.

    Raises:
        Refused: Naming each cell, and what happened.
    """
    interrupted = [why for receipt in receipts for why in receipt.interrupted]
    if interrupted:
        lines = "\n".join(f"  {why}" for why in interrupted)
        raise Refused(
            f"to be tried again:\n{lines}\nwhat was measured is kept; the same command tries again"
        )


def is_fresh(
    measured_at: str | None, booted: str | None, max_age_hours: float, now: str, boot_id: str
) -> bool:
    """Tell whether a canary is of this boot and not too old.

    Args:
        measured_at: UTC; None where there is no canary to be measured.
        booted: The boot that it was measured in.
        max_age_hours: What is too old.
        now: UTC time stamp.
        boot_id: Of the current boot.
    """
    if measured_at is None:
        return True
    age = parse_time(now) - parse_time(measured_at)
    return age <= timedelta(hours=max_age_hours) and booted == boot_id
