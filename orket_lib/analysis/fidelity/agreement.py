"""Agreement: how much of the baseline's answers a quant gives word for word. Nothing is graded.

Where tasks can't tell the quants apart, agreement orders them. It never overrules a verdict: other
words may be right, too.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from orket_lib.analysis.rows.answers import same_start
from orket_lib.analysis.statistics import interval_of_share
from orket_lib.artifacts.views.fidelity import Agreement, FamilyAgreement, Fidelity
from orket_lib.artifacts.views.row import TaskScore
from orket_lib.vocabulary.nulls import Null

A = TypeVar("A", bound=Agreement)

NOTHING_TO_COMPARE = Null("NO_ANSWERS_TO_COMPARE")

# Share of an answer before the first difference, for each task, with its family.
Shares = Sequence[tuple[str, float]]


def shares_of_answers(quant: Sequence[TaskScore], baseline: Sequence[TaskScore]) -> Shares:
    """Return the shares of a quant's answers, compared with the baseline's.

    A task that neither answered is left out.

    Args:
        quant: The quant's tasks.
        baseline: The baseline's; tasks that only one was asked are left out.
    """
    theirs = {item.test_id: item.answer for item in baseline}
    return [
        (item.family, share)
        for item in quant
        if item.test_id in theirs
        and (share := same_start(item.answer, theirs[item.test_id])) is not None
    ]


def shares_of_second_runs(scores: Sequence[TaskScore]) -> Shares:
    """Return the shares of first runs, compared with the second; tasks asked once are left out."""
    return [(item.family, item.repeated) for item in scores if item.repeated is not None]


def fidelity(quant: str, baseline: str, shares: Shares, why: Null = NOTHING_TO_COMPARE) -> Fidelity:
    """Return the record of a quant.

    Args:
        quant: Its tag.
        baseline: Tag of the quant that it was compared with.
        shares: One per task.
        why: Why there are no shares, where there are none.
    """
    families: dict[str, list[float]] = defaultdict(list)
    for family, share in shares:
        families[family].append(share)
    return Fidelity(
        quant_tag=quant,
        baseline_quant=baseline,
        agreement=_over(Agreement.of, [share for _, share in shares], why),
        by_family=[
            _over(FamilyAgreement.of, families[name], why, family=name) for name in sorted(families)
        ],
    )


def _over(build: Callable[..., A], starts: Sequence[float], why: Null, **more: str) -> A:
    same = [float(share == 1) for share in starts]
    return build(
        tasks=len(starts),
        same_answers=int(sum(same)),
        **_figure("same_answer", "same_answer_rate", same, why),
        **_figure("same_start", "same_start_share", starts, why),
        **more,
    )


def _figure(name: str, reading: str, values: Sequence[float], why: Null) -> dict[str, Any]:
    if not values:
        return {reading: why}
    low, high = interval_of_share(values)
    return {reading: statistics.fmean(values), f"{name}_low": low, f"{name}_high": high}
