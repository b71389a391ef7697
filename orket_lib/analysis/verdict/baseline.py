"""The baseline that quants are judged against: the config's, or a replacement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.analysis.verdict.kept_or_lost import CERTAIN
from orket_lib.artifacts.views.receipt import Dropped
from orket_lib.artifacts.views.row import RowMetrics


@dataclass(frozen=True)
class QuantScores:
    """The task scores of one quant of the config, or why there are none.

    Attributes:
        quant: Its tag.
        scores: Score in 0..1 by task id; None if it was not measured, or was disturbed.
        reason: Why there are no scores.
        may_pass: Whether the reason may be temporary.
        dropped: Why it was not asked all tasks; None if it was.
        variant: Whether it is a variant of a quant, which never is the baseline.
    """

    quant: str
    scores: Mapping[str, float] | None
    reason: str | None = None
    may_pass: bool = False
    dropped: Dropped | None = None
    variant: bool = False

    @property
    def certain(self) -> float:
        """Probability that its verdict needs: more if it was dropped at an early look."""
        return self.dropped.certain if self.dropped else CERTAIN


@dataclass(frozen=True)
class Baseline:
    """The result of the search for a baseline.

    Attributes:
        used: The baseline; None if no verdict is possible.
        replaces: The config's own baseline, if another quant is used instead.
        waits_for: The quant whose measurement has to be repeated first.
    """

    used: QuantScores | None
    replaces: QuantScores | None = None
    waits_for: QuantScores | None = None


def scores_of_row(
    row: RowMetrics, scores: Mapping[str, float], include_invalid: bool
) -> QuantScores:
    """Return the scores of a row, or why they can't be used.

    Args:
        row: Its metrics.
        scores: Its score in 0..1 by task id.
        include_invalid: Also judge answers that may have been disturbed.
    """
    judged = row.may_be_judged(include_invalid)
    spoiled = "; ".join(row.quality_spoiled_by or row.invalid_because)
    return QuantScores(
        quant=row.quant_tag,
        scores=scores if judged else None,
        reason=None if judged else row.status_reason or spoiled or row.status.value,
        may_pass=row.retry,
        dropped=row.dropped,
        variant=row.variant is not None,
    )


def baseline_among(quants: Sequence[QuantScores]) -> Baseline:
    """Return the baseline: the quant with the most bits that was measured.

    A larger quant that this machine can't hold or load is replaced. One that failed in a way that
    may pass is not: the verdict would change as soon as it can be measured.

    Args:
        quants: All quants of the config, most bits first; at least one.
    """
    plain = [item for item in quants if not item.variant] or quants
    for item in plain:
        if item.may_pass:
            return Baseline(None, waits_for=item)
        if item.scores is not None:
            return Baseline(item, replaces=None if item is plain[0] else plain[0])
    return Baseline(None)
