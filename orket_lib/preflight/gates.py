"""Gates: a failed verdict stops what depends on it and names the command to rerun."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from orket_lib.artifacts.measurements.canary import CanaryVerdict
from orket_lib.artifacts.views.preflight import Preflight
from orket_lib.artifacts.views.receipt import AnyReceipt
from orket_lib.vocabulary.clock import parse_time
from orket_lib.vocabulary.errors import Refused


def require_preflight(verdict: Preflight) -> None:
    """Raise if a preflight check has failed.

    Raises:
        Refused: Lists each failed check and its remedy.
    """
    if not verdict.passed:
        missing = []
        for check in verdict.checks:
            if not check.ok:
                missing.append(f"  {check.name}: {check.detail}")
                missing += [f"    {check.remedy}"] if check.remedy else []
        raise Refused("preflight failed:\n" + "\n".join(missing), rerun=("check_needs",))


def require_canary(verdict: CanaryVerdict) -> None:
    """Raise if the canary has failed, unless only speeds are to be left out.

    Raises:
        Refused: Lists each missed threshold and by how much.
    """
    if not verdict.may_measure:
        reasons = zip(verdict.failed_reasons, verdict.explanations, strict=True)
        lines = [f"  {reason}: {text}" for reason, text in reasons]
        raise Refused("canary failed:\n" + "\n".join(lines), rerun=("measure_canary",))


def require_boot(verdict: CanaryVerdict, boot_id: str) -> None:
    """Raise if a canary says nothing about this machine as it runs now.

    Args:
        verdict: Of the canary.
        boot_id: Id of the current boot.

    Raises:
        Refused: It was measured on another node of a cluster, or before a reboot.
    """
    if verdict.boot_id not in (None, boot_id):
        raise Refused(
            "not measured, because the canary was measured on another node or before a reboot; "
            "keep the jobs of a sweep on one node (docs/guides/cluster.md), and measure it there",
            rerun=("measure_canary",),
        )


def require_measured(receipts: Sequence[AnyReceipt]) -> None:
    """Raise if measurements were interrupted by a temporary problem.

    Raises:
        Refused: Lists each cell and what happened.
    """
    interrupted = [why for receipt in receipts for why in receipt.interrupted]
    if interrupted:
        lines = "\n".join(f"  {why}" for why in interrupted)
        raise Refused(
            f"interrupted:\n{lines}\nfinished measurements are kept; rerun the same command"
        )


def is_fresh(
    measured_at: str | None, booted: str | None, max_age_hours: float, now: str, boot_id: str
) -> bool:
    """Tell whether a canary was measured in the current boot and recently enough.

    Args:
        measured_at: UTC; None if the sweep has no canary.
        booted: Id of the boot in which it was measured.
        max_age_hours: Age limit.
        now: UTC time stamp.
        boot_id: Id of the current boot.
    """
    if measured_at is None:
        return True
    age = parse_time(now) - parse_time(measured_at)
    return age <= timedelta(hours=max_age_hours) and booted == boot_id
