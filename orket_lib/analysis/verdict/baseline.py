"""Against whom quants are judged: the config's baseline, or what has to stand in for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.artifacts.views.row import RowMetrics


@dataclass(frozen=True)
class Standing:
    """How far a quant of the config came.

    Attributes:
        quant: Its tag.
        scores: Its score in 0..1 by task id; None where it was not measured, or not undisturbed.
        reason: Why there are none.
        may_pass: What kept it from being measured may pass.
    """

    quant: str
    scores: Mapping[str, float] | None
    reason: str | None = None
    may_pass: bool = False


@dataclass(frozen=True)
class Baseline:
    """Whom the others are held against.

    Attributes:
        standing: The quant; None where there is no verdict to be had.
        stands_in_for: The config's baseline, where this is not it.
        waits_for: The quant that the verdict has to wait for.
    """

    standing: Standing | None
    stands_in_for: Standing | None = None
    waits_for: Standing | None = None


def standing(row: RowMetrics, scores: Mapping[str, float], include_invalid: bool) -> Standing:
    """Return how far the quant of a row came.

    Args:
        row: Its metrics.
        scores: Its score in 0..1 by task id.
        include_invalid: Judge answers, too, that something may have changed.
    """
    judged = row.may_be_judged(include_invalid)
    spoiled = "; ".join(row.quality_spoiled_by or row.invalid_because)
    return Standing(
        quant=row.quant_tag,
        scores=scores if judged else None,
        reason=None if judged else row.status_reason or spoiled or row.status.value,
        may_pass=row.retry,
    )


def baseline_among(standings: Sequence[Standing]) -> Baseline:
    """Return the baseline.

    The one with the most bits, or the next one that was measured if this machine can't hold or load
    it. A failure that may pass has no stand-in: the verdict would be another one tomorrow.

    Args:
        standings: All quants of the config, most bits first; at least one.
    """
    for item in standings:
        if item.may_pass:
            return Baseline(None, waits_for=item)
        if item.scores is not None:
            first = standings[0]
            return Baseline(item, stands_in_for=None if item is first else first)
    return Baseline(None)
