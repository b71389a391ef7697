"""What makes a row valid: the only definition, asked by every stage.

The hardware sidecar is not asked: it is a diagnosis, and whatever comes of it changes no row.
"""

from __future__ import annotations

from collections.abc import Iterable

from orket_lib.artifacts.views.run_report import Observation
from orket_lib.vocabulary.reasons import spoils_quality
from orket_lib.vocabulary.statuses import Quality, RunStatus, TokenStatus


def invalid_because(
    status: RunStatus, quality: Quality | None, tokens: TokenStatus | None
) -> tuple[str, ...]:
    """Return why a row is not valid; nothing for a valid one."""
    if status is not RunStatus.MEASURED:
        return (f"status is {status.value}",)
    reasons = []
    if quality is not Quality.CLEAN:
        reasons.append(f"run quality is {quality.value if quality else 'unknown'}")
    if tokens is not TokenStatus.OK:
        reasons.append(f"token metrics are {tokens.value if tokens else 'unknown'}")
    return tuple(reasons)


def quality_spoiled_by(status: RunStatus, polluting: Iterable[Observation]) -> tuple[str, ...]:
    """Return why a row's answers are not to be judged; nothing where they are.

    A row that was disturbed in its times only keeps its quality.

    Args:
        status: Of the measurement.
        polluting: What pollutes the row in its lane.
    """
    if status is not RunStatus.MEASURED:
        return (f"status is {status.value}",)
    return tuple(
        f"{item.reason.value}: {item.evidence}" for item in polluting if spoils_quality(item.reason)
    )
