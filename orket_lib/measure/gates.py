"""Gates before a measurement: a failed or stale verdict refuses it, and says what to type."""

from __future__ import annotations

from datetime import datetime, timedelta

from orket_lib.artifacts.canary import CanaryVerdict
from orket_lib.artifacts.preflight import Preflight
from orket_lib.vocabulary.errors import Refused

_CANARY = ("canary",)


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
        raise Refused("preflight failed:\n" + "\n".join(missing), rerun=("preflight",))


def require_canary(verdict: CanaryVerdict) -> None:
    """Refuse to go on after a canary that failed.

    Raises:
        Refused: Naming each threshold and by how much it was missed.
    """
    if not verdict.passed:
        reasons = zip(verdict.failed_reasons, verdict.explanations, strict=True)
        lines = [f"  {reason}: {text}" for reason, text in reasons]
        raise Refused("canary failed:\n" + "\n".join(lines), rerun=_CANARY)


def require_fresh_canary(verdict: CanaryVerdict, now: str, boot_id: str) -> None:
    """Refuse to measure after a canary of another day or another boot.

    Args:
        verdict: The canary's verdict.
        now: UTC time stamp.
        boot_id: Of the current boot.

    Raises:
        Refused: Saying how old it is.
    """
    if verdict.measured_at is None:  # switched off
        return
    age = datetime.fromisoformat(now) - datetime.fromisoformat(verdict.measured_at)
    limit = timedelta(hours=verdict.policy.max_age_hours)
    if age > limit:
        hours = age.total_seconds() / 3600
        raise Refused(
            f"the canary is {hours:.1f} h old, canary_max_age_hours is "
            f"{verdict.policy.max_age_hours:g}",
            rerun=_CANARY,
        )
    if verdict.boot_id != boot_id:
        raise Refused("the canary is from before the machine's last boot", rerun=_CANARY)
